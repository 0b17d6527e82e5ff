//! The driver: runs the effects of one client's session, and returns their outcomes to it. Each file has the I/O of one
//! operation, or one part that the effects need. [`crate::session`] decides what an outcome means.

mod attempt;
mod callback;
mod child_window;
mod effects;
mod errors;
mod exchange;
mod launch;
mod login;
mod logout;
mod operation;
mod page;
mod provider;
mod renewal;
mod restore;
mod stores;
mod tokens;
mod validation;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::browser::clock;
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::host::Host;
use crate::session::lifetime::ElapsedClock;
use crate::session::{Event, Machine};
use provider::Providers;
use stores::Stores;

/// Seconds between two fetches of keys for tokens that no cached key verifies.
const KEY_REFETCH_INTERVAL_SECS: f64 = 60.0;

/// One client: what `createClient` returns.
pub struct Driver {
    host: Host,
    providers: Providers,
    machine: RefCell<Machine>,
    /// Events that wait for the effects of the one before.
    events: RefCell<Vec<Event>>,
    is_stepping: Cell<bool>,
    stores: Stores,
    elapsed: Cell<ElapsedClock>,
    /// When keys may be fetched again for a token that no cached key verifies, by [`Driver::elapsed`].
    next_key_refetch: Cell<f64>,
}

impl Driver {
    /// Creates a client that has done nothing yet.
    #[must_use]
    pub fn new(host: Host) -> Rc<Self> {
        Rc::new(Self {
            host,
            providers: Providers::default(),
            machine: RefCell::default(),
            events: RefCell::default(),
            is_stepping: Cell::new(false),
            stores: Stores::default(),
            elapsed: Cell::default(),
            next_key_refetch: Cell::default(),
        })
    }

    /// Loads the configuration of a district, and joins the channel of its tabs. While there is a session, the channel stays that
    /// of the session.
    async fn load_config(&self, district: Option<&str>) -> Result<Config, Error> {
        let json = self.host.config(district).await?;
        self.ensure_open()?;
        let config = Config::read(&json)?;
        if self.machine.borrow().session().is_none() {
            self.host.join(config.channel());
        }
        Ok(config)
    }

    /// Fails if the client was closed: an operation under way does nothing more then.
    fn ensure_open(&self) -> Result<(), Error> {
        if self.machine.borrow().is_closed() {
            return Err(closed_error());
        }
        Ok(())
    }

    /// Returns whether keys may be fetched again for a token that no cached key verifies: once a minute, since such tokens may be
    /// many.
    fn begin_key_refetch(&self) -> bool {
        let now = self.elapsed();
        let is_allowed = now >= self.next_key_refetch.get();
        if is_allowed {
            self.next_key_refetch.set(now + KEY_REFETCH_INTERVAL_SECS);
        }
        is_allowed
    }

    /// Returns the seconds that have passed, by whichever of the device's clocks advanced more.
    fn elapsed(&self) -> f64 {
        let mut elapsed = self.elapsed.get();
        let now = elapsed.tick(clock::monotonic_secs(), clock::now_secs());
        self.elapsed.set(elapsed);
        now
    }
}

fn closed_error() -> Error {
    Error::new(ErrorCode::ClientClosed, "the client was closed")
}
