//! `LaunchPad` launches: a code that nobody here asked for, and a tile that asks for a login. Accepting the code would let
//! an attacker sign a child in as himself; refusing it would break the tile. So it is thrown away and a login of our own
//! begun.

use std::rc::Rc;

use super::Driver;
use super::attempt::Attempt;
use crate::browser::{clock, navigation, storage};
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::LaunchRequest;
use crate::session::{Event, Outcome};

impl Driver {
    /// Restarts a launch, once.
    pub(super) async fn restart_launch(
        self: &Rc<Self>,
        attempt: &Attempt,
    ) -> Result<Outcome, Error> {
        ensure_no_frame()?;
        // Whoever clicked the tile, the user before is not shown to them while the rest is found out.
        self.dispatch(Event::Leaving { operation: attempt.operation });
        let config = self.config(None).await?;
        if !config.restarts_launches() {
            let message = "a launch (a code without a state), which `launch: \"reject\"` refuses";
            return Err(Error::new(ErrorCode::LaunchRejected, message));
        }
        let registration = config.channel();
        let is_loop = storage::is_launch_loop(&registration, clock::now_secs())?;
        storage::take_launch_marker(&registration)?;
        if is_loop {
            let message =
                "the restarted launch came back without a state again: the provider drops `state`";
            return Err(Error::new(ErrorCode::LaunchLoop, message));
        }
        attempt.emit(self, "launch.restarted");
        let options = LoginOptions::launched(config.base_path(), None);
        let login = self.prepare_login(attempt, &options).await?;
        self.leave(attempt, &login, true).await
    }

    /// Returns the login that a tile asks for, or a third party (`OpenID` Connect Core 1.0, section 4).
    pub(super) async fn launch_options(&self, url: &str) -> Result<LoginOptions, Error> {
        ensure_no_frame()?;
        let launch = LaunchRequest::parse(url);
        let config = self.config(None).await?;
        if launch.issuer.is_some_and(|issuer| issuer != config.issuer()) {
            let message = "the launch names another issuer (`iss`) than the configured one";
            return Err(Error::new(ErrorCode::IssuerMismatch, message));
        }
        let target = launch.target.as_deref();
        if !target.is_none_or(navigation::is_same_origin) {
            let message = "the launch's `target_link_uri` is of another origin than this page";
            return Err(Error::new(ErrorCode::OriginNotAllowed, message));
        }
        let home = config.base_path();
        let return_to = navigation::path_unless_same_page(target.unwrap_or(home), url, home);
        Ok(LoginOptions::launched(&return_to, launch.login_hint.as_deref()))
    }
}

fn ensure_no_frame() -> Result<(), Error> {
    if navigation::is_framed() {
        let message = "a launch is never taken inside a frame: open the app in a tab of its own";
        return Err(Error::new(ErrorCode::LaunchRejected, message));
    }
    Ok(())
}
