//! `LaunchPad` launches: a code that this client did not ask for, and a tile that asks for a login. Accepting the code
//! would let an attacker sign a child in as himself; refusing it would break the tile. So the code is discarded and a
//! login of this client's own begins.

use super::operation::Context;
use crate::browser::{clock, navigation, storage};
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::LaunchRequest;

impl Context {
    /// Returns the login that restarts a launch, once.
    pub(super) fn restarted_launch_options(&self) -> Result<LoginOptions, Error> {
        if !self.config.restarts_launches() {
            let message = "a launch (a code without a state), which `launch: \"reject\"` refuses";
            return Err(Error::new(ErrorCode::LaunchRejected, message));
        }
        let registration = self.config.channel();
        let is_loop = storage::is_launch_loop(registration, clock::now_secs())?;
        storage::take_launch_marker(registration)?;
        if is_loop {
            let message =
                "the restarted launch came back without a state again: the provider drops `state`";
            return Err(Error::new(ErrorCode::LaunchLoop, message));
        }
        self.emit("launch.restarted");
        Ok(LoginOptions::launched(self.config.base_path(), None))
    }

    /// Returns the login that a tile or a third party asks for (`OpenID` Connect Core 1.0, section 4).
    pub(super) fn launch_options(&self, url: &str) -> Result<LoginOptions, Error> {
        let launch = LaunchRequest::parse(url);
        if launch.issuer.is_some_and(|issuer| issuer != self.config.issuer()) {
            let message = "the launch names another issuer (`iss`) than the configured one";
            return Err(Error::new(ErrorCode::IssuerMismatch, message));
        }
        let target = launch.target.as_deref();
        if !target.is_none_or(navigation::is_same_origin) {
            let message = "the launch's `target_link_uri` is of another origin than this page";
            return Err(Error::new(ErrorCode::OriginNotAllowed, message));
        }
        let home = self.config.base_path();
        let return_to = navigation::path_unless_same_page(target.unwrap_or(home), url, home);
        Ok(LoginOptions::launched(&return_to, launch.login_hint.as_deref()))
    }
}

pub(super) fn ensure_no_frame() -> Result<(), Error> {
    if navigation::is_framed() {
        let message = "a launch is never taken inside a frame: open the app in a tab of its own";
        return Err(Error::new(ErrorCode::LaunchRejected, message));
    }
    Ok(())
}
