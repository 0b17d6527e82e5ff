//! The sealing of sessions (AES-256-GCM), so that every instance can read one and none has to remember it.
//! `pkg-template/src/gateway/sealing.ts` seals and opens the same.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use classlink_spa::protocol::encoding::{base64url, from_base64url};

use crate::crypto;

const KEY_ID_LENGTH: usize = 6;
const IV_LENGTH: usize = 12;

/// A key that seals sessions. Its id is public, and reveals nothing of it.
struct SealingKey {
    id: [u8; KEY_ID_LENGTH],
    key: LessSafeKey,
}

/// A length of key material, as HKDF asks for it.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Derives bytes by HKDF (RFC 5869).
fn derive<const N: usize>(secret: &[u8], purpose: &str) -> Option<[u8; N]> {
    let key = Salt::new(HKDF_SHA256, &[]).extract(secret);
    let info = ["classlink-spa gateway ".as_bytes(), purpose.as_bytes()];
    let mut bytes = [0; N];
    key.expand(&info, Length(N)).ok()?.fill(&mut bytes).ok()?;
    Some(bytes)
}

impl SealingKey {
    fn derive(secret: &[u8]) -> Option<Self> {
        let key = derive::<32>(secret, "session 2")?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).ok()?);
        Some(Self { id: derive(secret, "key id")?, key })
    }
}

/// The keys of a deployment: the first seals, all of them open.
pub struct SealingKeys(Vec<SealingKey>);

impl SealingKeys {
    /// Derives the keys; `None` if there is none, or one that nothing can be derived from.
    #[must_use]
    pub fn derive(secrets: &[Vec<u8>]) -> Option<Self> {
        let keys: Vec<_> =
            secrets.iter().map(|secret| SealingKey::derive(secret)).collect::<Option<_>>()?;
        if keys.is_empty() { None } else { Some(Self(keys)) }
    }

    /// Seals content to a context, under which alone it opens.
    #[must_use]
    pub fn seal(&self, content: &[u8], bound_to: &[u8]) -> Option<String> {
        self.seal_with(crypto::random()?, content, bound_to)
    }

    /// Seals with a nonce, which must not come twice.
    pub(crate) fn seal_with(
        &self,
        iv: [u8; IV_LENGTH],
        content: &[u8],
        bound_to: &[u8],
    ) -> Option<String> {
        let SealingKey { id, key } = self.0.first()?;
        let mut encrypted = content.to_vec();
        let nonce = Nonce::assume_unique_for_key(iv);
        key.seal_in_place_append_tag(nonce, Aad::from(bound_to), &mut encrypted).ok()?;
        Some(base64url([&id[..], &iv, &encrypted].concat()))
    }

    /// Opens what was sealed to a context. Returns whether the key that sealed it is no longer the first, too.
    #[must_use]
    pub fn open(&self, sealed: &str, bound_to: &[u8]) -> Option<(Vec<u8>, bool)> {
        let bytes = from_base64url(sealed)?;
        let (id, rest) = bytes.split_first_chunk::<KEY_ID_LENGTH>()?;
        let (iv, encrypted) = rest.split_first_chunk::<IV_LENGTH>()?;
        let place = self.0.iter().position(|key| key.id == *id)?;
        let mut content = encrypted.to_vec();
        let nonce = Nonce::assume_unique_for_key(*iv);
        let key = &self.0.get(place)?.key;
        let length = key.open_in_place(nonce, Aad::from(bound_to), &mut content).ok()?.len();
        content.truncate(length);
        Some((content, place > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(firsts: &[u8]) -> SealingKeys {
        SealingKeys::derive(&firsts.iter().map(|first| vec![*first; 32]).collect::<Vec<_>>())
            .unwrap()
    }

    #[test]
    fn what_is_sealed_opens_under_its_key_and_context_alone() {
        let sealed = keys(&[1]).seal(b"content", b"context").unwrap();
        assert_eq!(keys(&[1]).open(&sealed, b"context"), Some((b"content".to_vec(), false)));
        assert_eq!(keys(&[2, 1]).open(&sealed, b"context"), Some((b"content".to_vec(), true)));
        assert_eq!(keys(&[2]).open(&sealed, b"context"), None);
        assert_eq!(keys(&[1]).open(&sealed, b"other"), None);
    }

    #[test]
    fn what_is_changed_or_cut_does_not_open() {
        let keys = keys(&[1]);
        let sealed = keys.seal(b"content", b"").unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(keys.open(&String::from_utf8(changed).unwrap(), b""), None, "{place}");
            assert_eq!(keys.open(sealed.get(..place).unwrap(), b""), None, "{place}");
        }
    }
}
