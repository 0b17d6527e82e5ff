//! A `LaunchPad` launch: a code that nobody here asked for. Accepting it would let an attacker sign a child in as
//! himself; refusing it would break the tile. So the code is thrown away and a login of our own begun.

use super::attempt::Attempt;
use super::{Client, State};
use crate::browser::{clock, navigation, storage};
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};

impl Client {
    /// Restarts a launch, once.
    pub(super) async fn restart_launch(&self, attempt: &Attempt) -> Result<(), Error> {
        let rejected = |message| Error::new(ErrorCode::LaunchRejected, message);
        if navigation::is_framed() {
            let message = "a launch (a code without a state) is never restarted inside a frame";
            return Err(rejected(message));
        }
        // Whoever clicked the tile, the person before is not shown to them while the rest is found out.
        let before = self.session();
        self.enter(State::Redirecting);
        if !self.config(None).await?.restarts_launches() {
            self.enter(before.map_or(State::SignedOut, State::SignedIn));
            let message = "a launch (a code without a state), which `launch: \"reject\"` refuses";
            return Err(rejected(message));
        }
        let is_loop = storage::is_launch_loop(clock::now())?;
        storage::clear_launch_mark()?;
        if is_loop {
            let message =
                "the restarted launch came back without a state again: the provider drops `state`";
            return Err(Error::new(ErrorCode::LaunchLoop, message));
        }
        attempt.emit(self, "launch.restarted");
        let options = LoginOptions::read(r#"{"returnTo":"/"}"#)?;
        let login = self.prepare_login(attempt, options).await?;
        storage::mark_launch(&login.state, clock::now_seconds())?;
        let left = self.leave(attempt, &login).await;
        if left.is_err() {
            storage::clear_launch_mark()?;
        }
        left
    }
}
