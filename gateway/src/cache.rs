//! A value that is loaded once for all requests: one load at a time, a lifetime, and a memory for failures.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use crate::failure::{Code, Refused};

/// How long an outdated value still serves while the provider cannot be reached.
const STALE_FOR: Duration = Duration::from_hours(24);

/// How long a failure is remembered, so that an outage is not answered with a storm of requests.
const FAILURE_FOR: Duration = Duration::from_secs(5);

type Load<T> = Shared<BoxFuture<'static, Result<Arc<T>, Refused>>>;

/// Starts a load.
type Loader<T> = Box<dyn Fn() -> BoxFuture<'static, Result<T, Refused>> + Send + Sync>;

struct State<T> {
    value: Option<(Arc<T>, Instant)>,
    failure: Option<(Refused, Instant)>,
    load: Option<Load<T>>,
}

/// One value, shared by all requests of this instance.
pub struct Cached<T> {
    loader: Loader<T>,
    fresh_for: Duration,
    state: Arc<Mutex<State<T>>>,
}

impl<T: Send + Sync + 'static> Cached<T> {
    /// Creates a value that `loader` loads, and that is taken without asking again for some time.
    pub fn new(
        fresh_for: Duration,
        loader: impl Fn() -> BoxFuture<'static, Result<T, Refused>> + Send + Sync + 'static,
    ) -> Self {
        let state = State { value: None, failure: None, load: None };
        Self { loader: Box::new(loader), fresh_for, state: Arc::new(Mutex::new(state)) }
    }

    /// Returns the value: remembered, or loaded.
    ///
    /// # Errors
    /// The load's failure, now or a moment ago.
    pub async fn get(&self) -> Result<Arc<T>, Refused> {
        let usable = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let usable = match &state.value {
                Some((value, at)) if at.elapsed() < self.fresh_for => return Ok(value.clone()),
                Some((value, at)) if at.elapsed() < self.fresh_for + STALE_FOR => {
                    Some(value.clone())
                }
                _ => None,
            };
            if let Some((failure, at)) = &state.failure
                && at.elapsed() < FAILURE_FOR
            {
                return usable.ok_or_else(|| failure.clone());
            }
            usable
        };
        match (self.refresh().await, usable) {
            (Err(_), Some(value)) => Ok(value),
            (loaded, _) => loaded,
        }
    }

    /// Returns the value of a load under way, if there is one; else as [`Cached::get`].
    ///
    /// # Errors
    /// As [`Cached::get`].
    pub async fn get_or_join(&self) -> Result<Arc<T>, Refused> {
        let load = self.state.lock().unwrap_or_else(PoisonError::into_inner).load.clone();
        match load {
            Some(load) => load.await,
            None => self.get().await,
        }
    }

    /// Loads the value again, or joins a load under way.
    ///
    /// # Errors
    /// The load's failure.
    pub async fn refresh(&self) -> Result<Arc<T>, Refused> {
        self.start().await
    }

    /// Starts a load, or finds the one under way. It goes on if its request ends.
    fn start(&self) -> Load<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(load) = &state.load {
            return load.clone();
        }
        let work = (self.loader)();
        let shared = self.state.clone();
        let task = tokio::spawn(async move {
            let loaded = work.await.map(Arc::new);
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            state.load = None;
            match &loaded {
                Ok(value) => {
                    state.value = Some((value.clone(), Instant::now()));
                    state.failure = None;
                }
                Err(failure) => state.failure = Some((failure.clone(), Instant::now())),
            }
            loaded
        });
        let load = async move { task.await.unwrap_or_else(|_| Err(Code::Internal.into())) };
        let load = load.boxed().shared();
        state.load = Some(load.clone());
        load
    }
}
