//! Renewal with a refresh token (RFC 6749, 6; `OpenID` Connect Core 1.0, 12). One request for all who ask at once: a provider
//! that rotates refresh tokens takes a second use of one for theft (RFC 9700, 4.14.2).

use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use classlink_spa::error::{Error, ErrorCode};
use classlink_spa::protocol::json::Object;
use classlink_spa::protocol::secret::Secret;
use classlink_spa::protocol::token::TokenResponse;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use lru::LruCache;

use crate::client_auth::authenticate;
use crate::clock;
use crate::config::Client;
use crate::crypto;
use crate::failure::{Code, Refusal, Refused};
use crate::gateway::Gateway;
use crate::id_token::Expectations;
use crate::request::hashed;
use crate::session::{OpenSession, Session, Sessions};
use crate::store::{Store, StoreDown};
use crate::upstream::{Endpoint, ProviderResponse};

/// How long an outcome also serves requests with the cookie from before it.
const OUTCOME_TTL: Duration = Duration::from_secs(30);

/// The most renewals that are remembered at a time: some hundred a second. One that is forgotten too early may be sent twice.
const CAPACITY: NonZeroUsize = match NonZeroUsize::new(10_000) {
    Some(most) => most,
    None => NonZeroUsize::MIN,
};

/// How long before its end an access token is renewed, in seconds; of a short-lived one, half its life.
const RENEWAL_LEAD_SECS: i64 = 120;

/// How often another instance's outcome is asked for.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long the right to renew lasts, in timeouts: a renewal sends four requests at most, for metadata, tokens, and keys twice.
const LOCK_TIMEOUTS: u32 = 4;

/// How long another instance's outcome is waited for, in timeouts.
const WAIT_TIMEOUTS: u32 = 2;

type Outcome = Shared<BoxFuture<'static, Result<Arc<Session>, Refused>>>;

/// Returns whether a session's tokens are about to end and can be renewed. `now` is in seconds since 1970.
#[must_use]
pub fn is_due(open: &OpenSession, now: i64) -> bool {
    let session = &open.session;
    let end = open.tokens_end();
    let lead = RENEWAL_LEAD_SECS.min(end.saturating_sub(session.obtained_at) / 2);
    session.refresh_token.is_some() && now >= end.saturating_sub(lead)
}

/// A renewal that is pending, or whose outcome is remembered.
struct Renewal {
    outcome: Outcome,
    /// When the outcome is forgotten; not set while the renewal is pending.
    expires_at: Arc<OnceLock<Instant>>,
}

impl Renewal {
    /// Starts a renewal, which goes on if its request ends: new tokens must not be lost. A failure is not remembered.
    fn start(work: impl Future<Output = Result<Session, Refused>> + Send + 'static) -> Self {
        let expires_at = Arc::new(OnceLock::new());
        let ended = expires_at.clone();
        let task = tokio::spawn(async move {
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(Code::Internal.into()));
            let ttl = if outcome.is_ok() { OUTCOME_TTL } else { Duration::ZERO };
            let _ = ended.set(Instant::now() + ttl);
            outcome.map(Arc::new)
        });
        let outcome = async move { task.await.unwrap_or_else(|_| Err(Code::Internal.into())) };
        Self { outcome: outcome.boxed().shared(), expires_at }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.expires_at.get().is_some_and(|end| *end <= now)
    }
}

/// Renews sessions, each refresh token's once. They are in the order in which they began.
pub struct Renewals(Mutex<LruCache<String, Renewal>>);

impl Default for Renewals {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }
}

fn key(client: &Client, refresh_token: &str) -> String {
    [&client.id, " ", refresh_token].concat()
}

impl Renewals {
    /// Renews the tokens of a session, and returns it with them. `claims` are those of its ID token.
    ///
    /// # Errors
    /// As the token request and the verification fail.
    pub async fn renew(
        gateway: &Arc<Gateway>,
        client: &Arc<Client>,
        session: &Session,
        claims: Object,
        refresh_token: &str,
    ) -> Result<Arc<Session>, Refused> {
        let key = key(client, refresh_token);
        let (outcome, is_shared) = gateway.renewals.join_or_start(&key, Instant::now(), || {
            let (gateway, client, session, key) =
                (gateway.clone(), client.clone(), session.clone(), key.clone());
            Renewal::start(async move {
                let asked = ask(&gateway, &client, &session, &claims);
                renew_once(&gateway, &client, &key, asked).await
            })
        });
        if is_shared {
            gateway.metrics.renewed("shared");
        }
        outcome.await
    }

    /// Returns the session as the last renewal left it or will leave it, here or in another instance, so that a sign-out
    /// revokes what that brings.
    pub async fn latest(gateway: &Gateway, client: &Client, session: &Session) -> Arc<Session> {
        let Some(refresh_token) = session.refresh_token.as_deref() else {
            return Arc::new(session.clone());
        };
        let key = key(client, refresh_token);
        let known = {
            let renewals = gateway.renewals.0.lock().unwrap_or_else(PoisonError::into_inner);
            renewals.peek(&key).map(|renewal| renewal.outcome.clone())
        };
        let timeout = Duration::from_millis(gateway.settings.timeout_ms);
        let mut latest = match known {
            Some(outcome) => tokio::time::timeout(timeout, outcome).await.ok().and_then(Result::ok),
            None => None,
        };
        if let (None, Some(store)) = (&latest, &gateway.store) {
            let outcome = store.get(&outcome_key(&hashed(&key))).await.ok().flatten();
            let sealed = outcome.as_deref().and_then(|outcome| outcome.strip_prefix("s."));
            latest =
                sealed.and_then(|sealed| gateway.sessions.open_value(client, sealed)).map(Arc::new);
        }
        latest.unwrap_or_else(|| Arc::new(session.clone()))
    }

    /// Returns the outcome of the renewal that is pending or remembered, or else of a new one, and whether it is shared.
    fn join_or_start(
        &self,
        key: &str,
        now: Instant,
        start: impl FnOnce() -> Renewal,
    ) -> (Outcome, bool) {
        let mut renewals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The oldest, up to the first that is not over: the cost does not grow with their number.
        while renewals.peek_lru().is_some_and(|(_, oldest)| oldest.is_over(now)) {
            renewals.pop_lru();
        }
        if let Some(renewal) = renewals.peek(key).filter(|renewal| !renewal.is_over(now)) {
            return (renewal.outcome.clone(), true);
        }
        let renewal = start();
        let outcome = renewal.outcome.clone();
        renewals.put(key.to_owned(), renewal);
        (outcome, false)
    }
}

/// Renews, or takes what another instance's renewal brought. While the store is down, each instance renews for itself: at
/// worst the provider takes the second use of a refresh token for theft, and the session is over.
async fn renew_once(
    gateway: &Gateway,
    client: &Client,
    key: &str,
    asked: impl Future<Output = Result<Session, Refused>>,
) -> Result<Session, Refused> {
    let Some(store) = &gateway.store else {
        return asked.await;
    };
    let hash = hashed(key);
    let lock = Lock {
        store,
        key: ["renewal:lock:", &hash].concat(),
        holder: crypto::random_text::<16>().unwrap_or_default(),
    };
    let outcome_key = outcome_key(&hash);
    let timeout = Duration::from_millis(gateway.settings.timeout_ms);
    let ttl = timeout * LOCK_TIMEOUTS;
    let begun = Instant::now();
    while begun.elapsed() < timeout * WAIT_TIMEOUTS {
        let Ok(has_lock) = store.set_if_absent(&lock.key, &lock.holder, ttl).await else {
            return asked.await;
        };
        let outcome = match store.get(&outcome_key).await {
            Ok(outcome) => outcome,
            // Other instances wait for the outcome of the one that has the lock.
            Err(StoreDown) if has_lock => None,
            Err(StoreDown) => return asked.await,
        };
        if let Some(outcome) =
            outcome.and_then(|outcome| read_outcome(&gateway.sessions, client, &outcome))
        {
            if has_lock {
                lock.release().await;
            }
            gateway.metrics.renewed("shared");
            return outcome;
        }
        if has_lock {
            let outcome = asked.await;
            publish(gateway, store, client, &outcome_key, &outcome).await;
            lock.release().await;
            return outcome;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Err(Code::UpstreamTimeout.into())
}

fn outcome_key(hash: &str) -> String {
    ["renewal:outcome:", hash].concat()
}

/// The right to renew.
struct Lock<'a> {
    store: &'a Store,
    key: String,
    holder: String,
}

impl Lock<'_> {
    /// Gives the right back, unless it ran out and is another's. If the store is down, it ends by itself.
    async fn release(&self) {
        if self.store.get(&self.key).await.ok().flatten().as_deref() == Some(&self.holder) {
            let _ = self.store.delete(&self.key).await;
        }
    }
}

/// Tells the other instances what a renewal brought. Without it they renew for themselves.
async fn publish(
    gateway: &Gateway,
    store: &Store,
    client: &Client,
    key: &str,
    outcome: &Result<Session, Refused>,
) {
    let value = match outcome {
        Ok(session) => {
            let sealed = gateway.sessions.seal_value(client, session);
            sealed.map(|sealed| ["s.", &sealed].concat())
        }
        Err(Refused::Provider(refusal)) if refusal.error == "invalid_grant" => {
            Some(["r.", refusal.error].concat())
        }
        Err(_) => None,
    };
    if let Some(value) = value {
        let _ = store.set(key, &value, OUTCOME_TTL).await;
    }
}

/// Returns the tokens of another instance's renewal; `None` if this instance has no key that opens it.
#[must_use]
pub fn read_outcome(
    sessions: &Sessions,
    client: &Client,
    outcome: &str,
) -> Option<Result<Session, Refused>> {
    if let Some(error) = outcome.strip_prefix("r.") {
        return Some(Err(Refusal::of_token_endpoint(error, 400).into()));
    }
    sessions.open_value(client, outcome.strip_prefix("s.")?).map(Ok)
}

async fn ask(
    gateway: &Gateway,
    client: &Client,
    session: &Session,
    claims: &Object,
) -> Result<Session, Refused> {
    let outcome = ask_provider(gateway, client, session, claims).await;
    gateway.metrics.renewed(match &outcome {
        Ok(_) => "renewed",
        Err(Refused::Provider(_)) => "refused",
        Err(Refused::Gateway(_)) => "failed",
    });
    outcome
}

async fn ask_provider(
    gateway: &Gateway,
    client: &Client,
    session: &Session,
    claims: &Object,
) -> Result<Session, Refused> {
    let metadata = gateway.provider.metadata().await?;
    let url = metadata.token.clone().ok_or(Code::DiscoveryInvalid)?;
    let refresh_token = session.refresh_token.as_deref().unwrap_or_default();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    let (authorization, form) = authenticate(client, &metadata, &fields)?;
    let response =
        gateway.upstream.post(Endpoint::Refresh, &url, authorization.as_deref(), form).await?;
    let grant = read_token_response(&response)?;
    let now = clock::now_secs();
    if let Some(id_token) = &grant.id_token {
        let expected = Expectations {
            issuer: &gateway.settings.issuer,
            client_id: &client.id,
            access_token: &grant.access_token,
            nonce: &session.nonce,
            renews: Some(claims),
        };
        gateway.provider.verify_id_token(id_token.expose(), &expected, now).await?;
    }
    let kept = |new: Option<&str>, old: &str| new.unwrap_or(old).to_owned();
    Ok(Session {
        access_token: grant.access_token.expose().to_owned(),
        id_token: kept(grant.id_token.as_ref().map(Secret::expose), &session.id_token),
        refresh_token: Some(kept(grant.refresh_token.as_ref().map(Secret::expose), refresh_token)),
        expires_at: grant.expires_in.map(|seconds| clock::after(now, seconds)),
        scope: grant.scope.clone().or_else(|| session.scope.clone()),
        token_type: grant.token_type,
        obtained_at: now,
        ..session.clone()
    })
}

/// Reads a response of the token endpoint.
///
/// # Errors
/// The provider's refusal for an OAuth error at whatever status (RFC 6749, 5.2); `upstream_error` for another 5xx or 429,
/// `upstream_invalid` for anything else that is not a token response.
pub fn read_token_response(response: &ProviderResponse) -> Result<TokenResponse, Refused> {
    TokenResponse::parse(response.status, &response.body).map_err(|error: Error| {
        match (&error.provider, error.code) {
            (Some(words), ErrorCode::TokenRejected) => {
                Refusal::of_token_endpoint(&words.error, response.status).into()
            }
            _ => response.failure(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::settings_with;
    use crate::log::LogWriter;
    use serde_json::json;
    use tokio::sync::oneshot;

    const KEY: &str = "client-1 refresh";

    fn session() -> Session {
        crate::sealed_form::tests::session("{}")
    }

    #[tokio::test]
    async fn renewal_is_shared_until_it_ends_and_then_for_thirty_seconds() {
        let renewals = Renewals::default();
        let not_again = || -> Renewal { panic!("the refresh token is used twice") };
        let (end, ended) = oneshot::channel();
        let begun = Instant::now();
        let slow = async {
            ended.await.unwrap();
            Ok(session())
        };
        let (first, is_shared) = renewals.join_or_start(KEY, begun, || Renewal::start(slow));
        assert!(!is_shared);
        let (second, is_shared) = renewals.join_or_start(KEY, begun + 2 * OUTCOME_TTL, not_again);
        assert!(is_shared);
        end.send(()).unwrap();
        assert!(Arc::ptr_eq(&first.await.unwrap(), &second.await.unwrap()));
        let late = begun + OUTCOME_TTL.mul_f64(0.9);
        assert!(renewals.join_or_start(KEY, late, not_again).1);
        let later = Instant::now() + OUTCOME_TTL;
        let again = || Renewal::start(async { Ok(session()) });
        assert!(!renewals.join_or_start(KEY, later, again).1);
    }

    #[tokio::test]
    async fn renewal_that_fails_is_not_remembered() {
        let renewals = Renewals::default();
        let fails = || Renewal::start(async { Err(Code::UpstreamTimeout.into()) });
        let (outcome, _) = renewals.join_or_start(KEY, Instant::now(), fails);
        assert!(outcome.await.is_err());
        let again = || Renewal::start(async { Ok(session()) });
        assert!(!renewals.join_or_start(KEY, Instant::now(), again).1);
    }

    #[tokio::test]
    async fn renewal_that_is_over_is_not_shared_while_an_earlier_one_is_pending() {
        let renewals = Renewals::default();
        let pending = || Renewal::start(std::future::pending());
        let _ = renewals.join_or_start("client-1 pending", Instant::now(), pending);
        let again = || Renewal::start(async { Ok(session()) });
        let (outcome, _) = renewals.join_or_start(KEY, Instant::now(), again);
        outcome.await.unwrap();
        let later = Instant::now() + OUTCOME_TTL;
        assert!(!renewals.join_or_start(KEY, later, again).1);
        assert!(renewals.join_or_start("client-1 pending", later, pending).1);
    }

    #[tokio::test]
    async fn renewals_that_are_over_are_forgotten() {
        let renewals = Renewals::default();
        let again = || Renewal::start(async { Ok(session()) });
        for key in ["client-1 a", "client-1 b"] {
            renewals.join_or_start(key, Instant::now(), again).0.await.unwrap();
        }
        let later = Instant::now() + OUTCOME_TTL;
        let _ = renewals.join_or_start(KEY, later, again);
        assert_eq!(renewals.0.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn renewal_publishes_its_outcome_and_unlocks_when_the_store_fails_after_the_lock() {
        let (log, _guard) = LogWriter::to_stdout();
        let settings = settings_with(&json!({ "store": { "memory": true } }));
        let gateway = Gateway::new(settings, log).unwrap();
        let client = gateway.settings.client("client-1").unwrap();
        let store = gateway.store.as_ref().unwrap();
        store.fail_once("get", "renewal:outcome:");
        renew_once(&gateway, client, KEY, async { Ok(session()) }).await.unwrap();
        let hash = hashed(KEY);
        assert_eq!(store.get(&format!("renewal:lock:{hash}")).await.unwrap(), None);
        assert!(store.get(&outcome_key(&hash)).await.unwrap().is_some());
    }
}
