//! Logins that leave the page where it is: in a popup, and in a hidden iframe that asks nobody anything. They wait in this
//! page's memory, and the callback page hands its URL over.

use std::rc::Rc;

use super::Driver;
use super::attempt::Attempt;
use crate::browser::clock;
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::{
    AuthorizationResponse, Callback, Outcome as AuthorizationOutcome, authorization_error,
};
use crate::protocol::pending::PendingLogin;
use crate::session::{Outcome, Session};

impl Driver {
    /// `startLogin` in a popup.
    pub(super) async fn start_popup_login(
        self: Rc<Self>,
        attempt: Rc<Attempt>,
    ) -> Result<Outcome, Error> {
        attempt.emit(&self, "login.started");
        let options = LoginOptions::read(&self.argument(&attempt))?;
        let found = self.login_in_child_window(&attempt, &options).await?;
        let (pending, session) = found.ok_or_else(iframe_timeout_error)?;
        self.accept_sign_in(&attempt, &pending, &session);
        Ok(Outcome::Session(session))
    }

    /// A login in the popup of the operation's call or, if it has no call, in a hidden iframe; `None` if that does not
    /// respond.
    pub(super) async fn login_in_child_window(
        self: &Rc<Self>,
        attempt: &Attempt,
        options: &LoginOptions,
    ) -> Result<Option<(PendingLogin, Box<Session>)>, Error> {
        let login = self.prepare_login(attempt, options).await?;
        let call = attempt.call.map(|call| call.0);
        let url = self
            .host
            .navigate_child_window(&login.url, &login.state, call, &attempt.cancelled())
            .await?;
        self.ensure_open()?;
        let Some(url) = url else { return Ok(None) };
        let Callback::Response(answer) = Callback::parse(&url) else {
            return Err(Error::new(ErrorCode::CallbackMalformed, "the callback is no answer"));
        };
        answer.validate(Some(&login.pending), clock::now_secs())?;
        match *answer {
            AuthorizationResponse { outcome: AuthorizationOutcome::Code(code), state, .. }
                if state == Some(login.state) =>
            {
                let session = self.exchange(attempt, &login.pending, &login.config, &code).await?;
                Ok(Some((login.pending, session)))
            }
            AuthorizationResponse { outcome: AuthorizationOutcome::Error(error), .. } => {
                Err(authorization_error(error))
            }
            AuthorizationResponse { .. } => {
                Err(Error::new(ErrorCode::StateUnknown, "the answer is another login's"))
            }
        }
    }
}

/// Returns the error for an iframe that did not respond in time.
pub(super) fn iframe_timeout_error() -> Error {
    let message = "the hidden frame stayed silent: the provider may not be framed, third-party cookies are blocked, or the \
                   callback page does not call handleCallback";
    Error::new(ErrorCode::Timeout, message)
}
