//! Proof Key for Code Exchange (RFC 7636), and the other values that are derived from the code verifier by SHA-256: the
//! nonce and the session ID.

use sha2::{Digest, Sha256};

use super::encoding::base64url;
use super::secret::Secret;

/// The random bytes in a state and in a code verifier: 256 bits, as RFC 7636, 7.1 recommends.
pub const RANDOM_BYTES: usize = 32;

/// The code verifier (RFC 7636, 4.1): the secret of one login.
#[derive(Clone, Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Makes a verifier from random bytes.
    #[must_use]
    pub fn from_random(bytes: &[u8; RANDOM_BYTES]) -> Self {
        Self(Secret::new(base64url(bytes)))
    }

    /// Reads a verifier from storage.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(Secret::new(text.to_owned()))
    }

    /// Returns the verifier, for the token request.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Returns the S256 code challenge (RFC 7636, 4.2).
    #[must_use]
    pub fn challenge(&self) -> String {
        sha256(&[self.expose()])
    }

    /// Returns the nonce of this login (`OpenID` Connect Core 1.0, 15.5.2). It is derived from the verifier, so that the
    /// gateway can check that an ID token was issued for this login, even if the provider ignores PKCE.
    #[must_use]
    pub fn nonce(&self) -> String {
        sha256(&["classlink-spa nonce:", self.expose()])
    }
}

impl CodeVerifier {
    /// Returns the ID of the session that this login starts. It is derived like the nonce, so that page and gateway know
    /// it without exchanging it, and no token reveals it.
    #[must_use]
    pub fn session_id(&self) -> String {
        sha256(&["classlink-spa session:", self.expose()])
    }
}

/// Returns the SHA-256 of the concatenated texts, in base64url.
pub(super) fn sha256(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    base64url(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const BYTES: [u8; RANDOM_BYTES] = [
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37,
        77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
    ];

    #[test]
    fn challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = CodeVerifier::from_random(&BYTES);
        assert_eq!(verifier.expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn session_id_differs_for_each_login_and_from_the_nonce() {
        let verifier = CodeVerifier::from_random(&BYTES);
        // printf '%s' 'classlink-spa session:dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' | openssl sha256 -binary | basenc --base64url
        assert_eq!(verifier.session_id(), "FK0B9SMl1_Z7BNCrF-mjVP2kDf6zuOOCFNbortUNOzw");
        assert_ne!(verifier.session_id(), verifier.nonce());
        assert_ne!(
            verifier.session_id(),
            CodeVerifier::from_random(&[0; RANDOM_BYTES]).session_id()
        );
    }

    #[test]
    fn nonce_differs_for_each_login_and_from_the_challenge() {
        let verifier = CodeVerifier::from_random(&BYTES);
        // printf '%s' 'classlink-spa nonce:dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' | openssl sha256 -binary | basenc --base64url
        assert_eq!(verifier.nonce(), "zUVsAw3t5aKdYV1RuoUw48BYiWzuYuY1aZBIz59fRKY");
        assert_ne!(verifier.nonce(), verifier.challenge());
        assert_ne!(verifier.nonce(), CodeVerifier::from_random(&[0; RANDOM_BYTES]).nonce());
    }
}
