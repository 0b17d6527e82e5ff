//! The provider as the gateway knows it: its metadata (`OpenID` Connect Discovery 1.0) and its key set (RFC 7517), cached for
//! all requests of this instance, and the ID tokens that they verify.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use classlink_spa::error::Reason;
use classlink_spa::protocol::id_token::VerifiedIdToken;
use classlink_spa::protocol::json::Object;
use classlink_spa::protocol::jwks::KeySet;
use classlink_spa::protocol::metadata::discovery_url;
use futures_util::FutureExt;
use serde_json::{Value, json};

use crate::cache::Cached;
use crate::config::Settings;
use crate::failure::{Code, Refused};
use crate::id_token::{Authentic, Expectations, NotVerified, UnverifiedIdToken};
use crate::metadata::Metadata;
use crate::upstream::{Endpoint, Upstream};

const HOUR: Duration = Duration::from_hours(1);
const TEN_MINUTES: Duration = Duration::from_mins(10);

/// Foreign tokens make the gateway fetch keys this often at most.
const REFRESH_INTERVAL: Duration = Duration::from_mins(1);

/// A key set.
pub struct Keys {
    /// For verification.
    pub set: KeySet,
    /// For callers: a JWK Set in JSON.
    pub body: String,
}

/// Metadata: configured or known, and discovered if that is not enough.
struct Discovery {
    known: Metadata,
    upstream: Arc<Upstream>,
    discovered: Cached<Metadata>,
}

impl Discovery {
    async fn metadata(&self) -> Result<Metadata, Refused> {
        if self.known.is_usable() {
            return Ok(self.known.clone());
        }
        let discovered = self.discovered.get().await?;
        Ok(self.known.clone().or((*discovered).clone()))
    }

    async fn discover(
        issuer: &str,
        known: &Metadata,
        upstream: &Upstream,
    ) -> Result<Metadata, Refused> {
        let response = upstream.get(Endpoint::Discovery, &discovery_url(issuer), None).await?;
        let document = response.json().filter(|_| response.is_ok());
        document
            .and_then(|document| Metadata::from_discovery(&document, issuer))
            .filter(|found| known.clone().or(found.clone()).is_usable())
            .ok_or_else(|| {
                Refused::from(Code::DiscoveryInvalid).with_upstream_status(response.status)
            })
    }

    async fn fetch_keys(&self) -> Result<Keys, Refused> {
        let metadata = self.metadata().await?;
        let url = metadata.jwks.ok_or(Code::DiscoveryInvalid)?;
        let response = self.upstream.get(Endpoint::Jwks, &url, None).await?;
        let keys = response.is_ok().then(|| read_keys(&response.body)).flatten();
        keys.ok_or_else(|| {
            Refused::from(Code::KeysUnavailable).with_upstream_status(response.status)
        })
    }
}

/// Reads a JWK Set (RFC 7517, 5); what is not a key is passed over.
#[must_use]
pub fn read_keys(body: &[u8]) -> Option<Keys> {
    let set = KeySet::parse(body).ok()?;
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut document: Value = serde_json::from_slice(text).ok()?;
    let keys = document.get_mut("keys")?.as_array_mut()?;
    keys.retain(Value::is_object);
    Some(Keys { set, body: json!({ "keys": keys }).to_string() })
}

/// The provider's metadata and keys.
pub struct Provider {
    discovery: Arc<Discovery>,
    keys: Cached<Keys>,
    refreshed_at: Mutex<Option<Instant>>,
}

impl Provider {
    /// Creates the provider of these settings.
    #[must_use]
    pub fn new(settings: &Settings, upstream: &Arc<Upstream>) -> Self {
        let known = settings.metadata.clone().or(Metadata::known(&settings.issuer));
        let discovered = {
            let (issuer, known, upstream) =
                (settings.issuer.clone(), known.clone(), upstream.clone());
            Cached::new(HOUR, move || {
                let (issuer, known, upstream) = (issuer.clone(), known.clone(), upstream.clone());
                async move { Discovery::discover(&issuer, &known, &upstream).await }.boxed()
            })
        };
        let upstream = upstream.clone();
        let discovery = Arc::new(Discovery { known, upstream, discovered });
        let source = discovery.clone();
        let keys = Cached::new(TEN_MINUTES, move || {
            let source = source.clone();
            async move { source.fetch_keys().await }.boxed()
        });
        Self { discovery, keys, refreshed_at: Mutex::new(None) }
    }

    /// Returns the provider's metadata.
    ///
    /// # Errors
    /// `discovery_invalid`, `upstream_*`.
    pub async fn metadata(&self) -> Result<Metadata, Refused> {
        self.discovery.metadata().await
    }

    /// Returns the provider's key set.
    ///
    /// # Errors
    /// `keys_unavailable`, or what [`Provider::metadata`] fails with.
    pub async fn keys(&self) -> Result<Arc<Keys>, Refused> {
        self.keys.get().await
    }

    /// Returns the key set fetched again, for a token that none of it verifies; at most once a minute, so that foreign
    /// tokens cannot make the gateway flood the provider. In between, the set as it is, or as the fetch under way brings
    /// it.
    ///
    /// # Errors
    /// As [`Provider::keys`].
    pub async fn fresh_keys(&self) -> Result<Arc<Keys>, Refused> {
        let is_early = {
            let mut refreshed_at = self.refreshed_at.lock().unwrap_or_else(PoisonError::into_inner);
            let is_early = refreshed_at.is_some_and(|at| at.elapsed() < REFRESH_INTERVAL);
            if !is_early {
                *refreshed_at = Some(Instant::now());
            }
            is_early
        };
        if is_early { self.keys.get_or_join().await } else { self.keys.refresh().await }
    }

    /// Verifies an ID token. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// `id_token_invalid` with its reason, `user_mismatch`, or what [`Provider::keys`] fails with.
    pub async fn verify_id_token(
        &self,
        token: &str,
        expected: &Expectations<'_>,
        now: i64,
    ) -> Result<VerifiedIdToken, Refused> {
        self.authenticate(token).await?.check(expected, now)
    }

    /// Returns the claims of a token that the provider signed, of which nothing else is checked.
    ///
    /// # Errors
    /// As [`Provider::verify_id_token`].
    pub async fn authentic_claims(&self, token: &str) -> Result<Object, Refused> {
        Ok(self.authenticate(token).await?.into_claims())
    }

    /// Checks the signature. If no key at hand fits, or none verifies, the keys are fetched again, once: the provider may
    /// have rotated them, with or without a new `kid`.
    async fn authenticate(&self, token: &str) -> Result<Authentic, Refused> {
        let metadata = self.metadata().await?;
        let token = UnverifiedIdToken::parse(token, &metadata.advertised_algorithms())?;
        let known = self.keys().await?;
        let refuse = |reason: Reason| Refused::id_token(reason.as_str());
        let (token, reason) = match token.authenticate(&known.set).ok_or(Code::Internal)? {
            Ok(authentic) => return Ok(authentic),
            Err(NotVerified { token, reason }) => (token, reason),
        };
        if !matches!(reason, Reason::KeyNotFound | Reason::Signature) {
            return Err(refuse(reason));
        }
        let fresh = self.fresh_keys().await?;
        if Arc::ptr_eq(&fresh, &known) {
            return Err(refuse(reason));
        }
        let again = token.authenticate(&fresh.set).ok_or(Code::Internal)?;
        again.map_err(|NotVerified { reason, .. }| refuse(reason))
    }
}
