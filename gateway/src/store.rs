//! The store that several instances share: revocations, renewals and counts. `docs/gateway.md` has its keys, values and times to live,
//! "The contract".

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use classlink_spa::protocol::json::Object;

use crate::config::{Settings, StoreSettings};
use crate::failure::{Code, Refused};
use crate::metrics::Metrics;
use crate::request::hashed;

/// The most time that an operation may take.
const LONGEST_OPERATION: Duration = Duration::from_secs(2);

/// How long a revocation is remembered if sessions have no absolute limit.
const LONGEST_REVOCATION: Duration = Duration::from_hours(366 * 24);

/// The value of a session in the store if its copies that are not bound to its device are over.
const BOUND: &str = "bound";

/// The store did not respond in time, or with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreDown;

impl From<StoreDown> for Refused {
    fn from(_: StoreDown) -> Self {
        Self::from(Code::StoreUnavailable).with_header("Retry-After", "5")
    }
}

/// The five operations of a store.
enum Backend {
    Memory(Memory),
    #[cfg(feature = "redis")]
    Redis(Redis),
}

/// A store, with the time that its operations may take.
pub struct Store {
    backend: Backend,
    prefix: String,
    timeout: Duration,
    revocation_ttl: Duration,
    metrics: Arc<Metrics>,
    /// The next operation that fails: its name, and the beginning of its key.
    #[cfg(test)]
    failure: Mutex<Option<(&'static str, &'static str)>>,
}

impl Store {
    /// Creates the store of these settings; `None` if they have none.
    ///
    /// # Errors
    /// The URL is not one of Redis.
    pub fn new(settings: &Settings, metrics: Arc<Metrics>) -> Result<Option<Self>, String> {
        let timeout = LONGEST_OPERATION.min(Duration::from_millis(settings.timeout_ms));
        let (backend, prefix) = match &settings.store {
            StoreSettings::None => return Ok(None),
            StoreSettings::Memory => (Backend::Memory(Memory::default()), String::new()),
            #[cfg(feature = "redis")]
            StoreSettings::Redis { url, prefix } => {
                (Backend::Redis(Redis::new(url, timeout)?), prefix.clone())
            }
            #[cfg(not(feature = "redis"))]
            StoreSettings::Redis { .. } => {
                return Err("this server was built without Redis".to_owned());
            }
        };
        let revocation_ttl = settings.max_age_secs.map_or(LONGEST_REVOCATION, |secs| {
            LONGEST_REVOCATION
                .min(Duration::from_secs(secs.unsigned_abs()) + Duration::from_hours(1))
        });
        Ok(Some(Self {
            backend,
            prefix,
            timeout,
            revocation_ttl,
            metrics,
            #[cfg(test)]
            failure: Mutex::default(),
        }))
    }

    /// Lets the next operation of this name fail whose key begins so.
    #[cfg(test)]
    pub(crate) fn fail_once(&self, operation: &'static str, key: &'static str) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some((operation, key));
    }

    async fn limited<T>(
        &self,
        operation: &str,
        key: &str,
        work: impl AsyncFnOnce(String) -> Result<T, StoreDown>,
    ) -> Result<T, StoreDown> {
        #[cfg(test)]
        let is_failure =
            |(name, start): &mut (_, &str)| *name == operation && key.starts_with(*start);
        #[cfg(test)]
        if self.failure.lock().unwrap_or_else(PoisonError::into_inner).take_if(is_failure).is_some()
        {
            return Err(StoreDown);
        }
        let work = work([&self.prefix, key].concat());
        let done = tokio::time::timeout(self.timeout, work).await.unwrap_or(Err(StoreDown));
        self.metrics.count_store_operation(operation, done.is_ok());
        done
    }

    /// Returns the value of a key.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn get(&self, key: &str) -> Result<Option<String>, StoreDown> {
        self.limited("get", key, async |key| match &self.backend {
            Backend::Memory(memory) => Ok(memory.get(&key)),
            #[cfg(feature = "redis")]
            Backend::Redis(redis) => redis.get(&key).await,
        })
        .await
    }

    /// Sets a value for some time.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), StoreDown> {
        self.limited("set", key, async |key| match &self.backend {
            Backend::Memory(memory) => {
                memory.set(&key, value, ttl);
                Ok(())
            }
            #[cfg(feature = "redis")]
            Backend::Redis(redis) => redis.set(&key, value, ttl).await,
        })
        .await
    }

    /// Sets a value for some time if there is none; whether it was set.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn set_if_absent(
        &self,
        key: &str,
        value: &str,
        ttl: Duration,
    ) -> Result<bool, StoreDown> {
        self.limited("set", key, async |key| match &self.backend {
            Backend::Memory(memory) => Ok(memory.set_if_absent(&key, value, ttl)),
            #[cfg(feature = "redis")]
            Backend::Redis(redis) => redis.set_if_absent(&key, value, ttl).await,
        })
        .await
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn delete(&self, key: &str) -> Result<(), StoreDown> {
        self.limited("delete", key, async |key| match &self.backend {
            Backend::Memory(memory) => {
                memory.delete(&key);
                Ok(())
            }
            #[cfg(feature = "redis")]
            Backend::Redis(redis) => redis.delete(&key).await,
        })
        .await
    }

    /// Adds one to a count, whose time to live begins at the first; the new count.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn increment(&self, key: &str, ttl: Duration) -> Result<u64, StoreDown> {
        self.limited("increment", key, async |key| match &self.backend {
            Backend::Memory(memory) => Ok(memory.increment(&key, ttl)),
            #[cfg(feature = "redis")]
            Backend::Redis(redis) => redis.increment(&key, ttl).await,
        })
        .await
    }

    /// Returns whether a session was revoked: by its id, by its user, or by the provider's own session id in its ID token.
    /// `mark` is the user's value that was sealed into it, `is_bound` whether it is bound to a device.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn is_revoked(
        &self,
        session_id: &str,
        user_id: &str,
        claims: &Object,
        mark: Option<&str>,
        is_bound: bool,
    ) -> Result<bool, StoreDown> {
        let provider_session = provider_session(claims);
        let (session_key, user_key) = (session_key(session_id), user_key(user_id));
        let by_provider = async {
            match &provider_session {
                Some(key) => self.get(key).await,
                None => Ok(None),
            }
        };
        let (session, user, provider) =
            tokio::join!(self.get(&session_key), self.get(&user_key), by_provider);
        let (session, user, provider) = (session?, user?, provider?);
        let is_user_revoked = user.is_some_and(|user| Some(user.as_str()) != mark);
        let is_over = session.is_some_and(|value| value != BOUND || !is_bound);
        Ok(is_over || is_user_revoked || provider.is_some())
    }

    /// Returns the value that a new session of a user is sealed with.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn user_mark(&self, user_id: &str) -> Result<Option<String>, StoreDown> {
        self.get(&user_key(user_id)).await
    }

    /// Revokes a session.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn revoke_session(&self, session_id: &str) -> Result<(), StoreDown> {
        self.set(&session_key(session_id), "1", self.revocation_ttl).await
    }

    /// Ends the copies of a session that are not bound to its device.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn require_device(&self, session_id: &str) -> Result<(), StoreDown> {
        self.set_if_absent(&session_key(session_id), BOUND, self.revocation_ttl).await?;
        Ok(())
    }

    /// Revokes all sessions of a user. `mark` is a value that no session has.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn revoke_user(&self, user_id: &str, mark: &str) -> Result<(), StoreDown> {
        self.set(&user_key(user_id), mark, self.revocation_ttl).await
    }

    /// Revokes the sessions of a session of the provider's.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn revoke_provider_session(&self, issuer: &str, sid: &str) -> Result<(), StoreDown> {
        self.set(&provider_session_key(issuer, sid), "1", self.revocation_ttl).await
    }

    /// Returns whether a logout token has ended sessions before.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn is_logout_token_used(&self, issuer: &str, jti: &str) -> Result<bool, StoreDown> {
        Ok(self.get(&logout_token_key(issuer, jti)).await?.is_some())
    }

    /// Remembers that a logout token has ended sessions.
    ///
    /// # Errors
    /// [`StoreDown`].
    pub async fn mark_logout_token_used(
        &self,
        issuer: &str,
        jti: &str,
        ttl: Duration,
    ) -> Result<(), StoreDown> {
        self.set(&logout_token_key(issuer, jti), "1", ttl).await
    }
}

fn session_key(session_id: &str) -> String {
    ["revoked:session:", session_id].concat()
}

fn user_key(user_id: &str) -> String {
    ["revoked:user:", &hashed(user_id)].concat()
}

fn provider_session_key(issuer: &str, sid: &str) -> String {
    ["revoked:sid:", &hashed(&[issuer, " ", sid].concat())].concat()
}

fn logout_token_key(issuer: &str, jti: &str) -> String {
    ["logout:", &hashed(&[issuer, " ", jti].concat())].concat()
}

/// Returns the key of the provider's session that an ID token names.
fn provider_session(claims: &Object) -> Option<String> {
    let (issuer, sid) = (claims.get_non_empty_str("iss")?, claims.get_non_empty_str("sid")?);
    Some(provider_session_key(issuer, sid))
}

/// One instance's memory.
#[derive(Default)]
struct Memory(Mutex<HashMap<String, (String, Instant)>>);

/// Beyond this many keys the outdated ones are dropped at each write.
const SWEEP_ABOVE: usize = 10_000;

impl Memory {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, (String, Instant)>) -> T) -> T {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if values.len() > SWEEP_ABOVE {
            let now = Instant::now();
            values.retain(|_, (_, end)| *end > now);
        }
        work(&mut values)
    }

    fn get(&self, key: &str) -> Option<String> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(key).filter(|(_, end)| *end > Instant::now()).map(|(value, _)| value.clone())
    }

    fn set(&self, key: &str, value: &str, ttl: Duration) {
        self.with(|values| values.insert(key.to_owned(), (value.to_owned(), Instant::now() + ttl)));
    }

    fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> bool {
        self.with(|values| {
            let now = Instant::now();
            let is_absent = values.get(key).is_none_or(|(_, end)| *end <= now);
            if is_absent {
                values.insert(key.to_owned(), (value.to_owned(), now + ttl));
            }
            is_absent
        })
    }

    fn delete(&self, key: &str) {
        self.with(|values| values.remove(key));
    }

    fn increment(&self, key: &str, ttl: Duration) -> u64 {
        self.with(|values| {
            let now = Instant::now();
            let known = values.get(key).filter(|(_, end)| *end > now);
            let (count, end) = match known {
                Some((count, end)) => (count.parse().unwrap_or(0), *end),
                None => (0u64, now + ttl),
            };
            let count = count.saturating_add(1);
            values.insert(key.to_owned(), (count.to_string(), end));
            count
        })
    }
}

/// A Redis server, over one connection that is made again when it is lost.
#[cfg(feature = "redis")]
struct Redis(redis::aio::ConnectionManager);

#[cfg(feature = "redis")]
impl Redis {
    fn new(url: &str, timeout: Duration) -> Result<Self, String> {
        let config = redis::aio::ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(100))
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout));
        // The error may show the URL, which may have a password.
        let problem = |_| "store.redis is not a URL of Redis".to_owned();
        let client = redis::Client::open(url).map_err(problem)?;
        redis::aio::ConnectionManager::new_lazy_with_config(client, config)
            .map(Self)
            .map_err(problem)
    }

    async fn query<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreDown> {
        command.query_async(&mut self.0.clone()).await.map_err(|_| StoreDown)
    }

    async fn get(&self, key: &str) -> Result<Option<String>, StoreDown> {
        self.query(redis::cmd("GET").arg(key)).await
    }

    async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), StoreDown> {
        self.query(redis::cmd("SET").arg(key).arg(value).arg("PX").arg(millis(ttl))).await
    }

    async fn set_if_absent(
        &self,
        key: &str,
        value: &str,
        ttl: Duration,
    ) -> Result<bool, StoreDown> {
        let mut command = redis::cmd("SET");
        command.arg(key).arg(value).arg("PX").arg(millis(ttl)).arg("NX");
        let set: Option<String> = self.query(&command).await?;
        Ok(set.is_some())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreDown> {
        self.query(redis::cmd("DEL").arg(key)).await
    }

    async fn increment(&self, key: &str, ttl: Duration) -> Result<u64, StoreDown> {
        let mut pipeline = redis::pipe();
        pipeline.atomic();
        pipeline.cmd("SET").arg(key).arg(0).arg("PX").arg(millis(ttl)).arg("NX").ignore();
        pipeline.cmd("INCR").arg(key);
        let (count,) = pipeline.query_async(&mut self.0.clone()).await.map_err(|_| StoreDown)?;
        Ok(count)
    }
}

/// Redis takes no time to live of nothing.
#[cfg(feature = "redis")]
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::settings_with;
    use classlink_spa::protocol::json;
    use serde_json::json;

    fn store() -> Store {
        let settings = settings_with(&json!({ "store": { "memory": true } }));
        Store::new(&settings, Metrics::new().unwrap()).unwrap().unwrap()
    }

    fn claims(text: &str) -> Object {
        json::parse_object(text.as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn value_is_set_once_until_it_is_deleted_or_over() {
        let store = store();
        let long = Duration::from_hours(1);
        assert!(store.set_if_absent("k", "1", long).await.unwrap());
        assert!(!store.set_if_absent("k", "2", long).await.unwrap());
        assert_eq!(store.get("k").await.unwrap().as_deref(), Some("1"));
        store.delete("k").await.unwrap();
        assert_eq!(store.get("k").await.unwrap(), None);
        store.set("k", "3", Duration::ZERO).await.unwrap();
        assert_eq!(store.get("k").await.unwrap(), None);
        assert_eq!(store.increment("n", long).await.unwrap(), 1);
        assert_eq!(store.increment("n", long).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn session_is_revoked_by_its_id_its_user_or_the_providers_session() {
        let store = store();
        let named = claims(r#"{"iss":"https://op.example","sid":"s"}"#);
        let is_revoked = async |id: &str, user: &str, claims: &Object, mark: Option<&str>| {
            store.is_revoked(id, user, claims, mark, false).await.unwrap()
        };
        assert!(!is_revoked("a", "u", &named, None).await);
        store.revoke_session("a").await.unwrap();
        assert!(is_revoked("a", "u", &named, None).await);
        store.revoke_user("u", "mark").await.unwrap();
        assert!(is_revoked("b", "u", &named, None).await);
        assert!(is_revoked("b", "u", &named, Some("earlier")).await);
        assert!(!is_revoked("b", "u", &named, Some("mark")).await, "signed in since");
        store.revoke_provider_session("https://op.example", "s").await.unwrap();
        assert!(is_revoked("c", "v", &named, None).await);
        assert!(!is_revoked("c", "v", &claims("{}"), None).await);
    }
}
