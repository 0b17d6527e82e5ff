//! The driver: runs the effects of one client's session and hands their outcomes back. Each file is the I/O of one
//! operation, or one thing that the effects need; what they mean for the session, [`crate::session`] decides.

mod attempt;
mod callback;
mod child_window;
mod effects;
mod errors;
mod exchange;
mod launch;
mod login;
mod logout;
mod page;
mod provider;
mod renewal;
mod restore;
mod stores;
mod tasks;
mod tokens;

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

/// One client: what `createClient` gives.
pub struct Driver {
    host: Host,
    providers: Providers,
    machine: RefCell<Machine>,
    /// Events that wait for the effects of the one before.
    events: RefCell<Vec<Event>>,
    is_stepping: Cell<bool>,
    stores: Stores,
    elapsed: Cell<ElapsedClock>,
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
        })
    }

    /// Resolves the registration of a district, and joins its tabs unless a session keeps this one with those of its own.
    async fn config(&self, district: Option<&str>) -> Result<Config, Error> {
        let json = self.host.config(district).await?;
        self.ensure_open()?;
        let config = Config::read(&json)?;
        if self.machine.borrow().session().is_none() {
            self.host.join(&config.channel());
        }
        Ok(config)
    }

    /// Fails if the client was closed: then it does nothing more, whatever it was waiting for.
    fn ensure_open(&self) -> Result<(), Error> {
        if self.machine.borrow().is_closed() {
            return Err(Error::new(ErrorCode::ClientClosed, "the client was closed"));
        }
        Ok(())
    }

    /// Returns the seconds that have passed, by whichever of the device's clocks advanced more.
    fn elapsed(&self) -> f64 {
        let mut elapsed = self.elapsed.get();
        let now = elapsed.tick(clock::monotonic_secs(), clock::now_secs());
        self.elapsed.set(elapsed);
        now
    }
}
