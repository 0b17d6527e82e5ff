//! Logins that do not leave the page: in a popup, and silently in a hidden iframe. They are pending in this page's memory,
//! and the callback page hands its URL over.

use std::rc::Rc;

use super::callback::{authorization_code, unknown_state};
use super::login::PreparedLogin;
use super::operation::Context;
use super::stores::Payload;
use crate::browser::clock;
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::{Callback, Outcome as AuthorizationOutcome};
use crate::protocol::secret::Secret;
use crate::session::{Outcome, Session};

impl Context {
    /// Logs in in the popup of the operation's call or, if it has no call, in a hidden iframe.
    pub(super) async fn login_in_child_window(
        self,
        options: LoginOptions,
        renewed: Option<Rc<Payload>>,
    ) -> Result<Outcome, Error> {
        let login = self.prepare_login(&options).await?;
        let call = self.attempt.call.map(|call| call.0);
        let cancelled = self.attempt.cancelled();
        let host = &self.driver.host;
        let url = host.navigate_child_window(&login.url, &login.state, call, &cancelled).await?;
        self.driver.ensure_open()?;
        let code = match url {
            Some(url) => read_code(&login, &url)?,
            // Third-party cookies may be blocked: a restore finds no session then.
            None if call.is_none() && renewed.is_none() => None,
            None => return Err(iframe_timeout_error()),
        };
        let Some(code) = code else { return Ok(Outcome::NoSession) };
        let mut session = self.exchange(&login.pending, &code).await?;
        match renewed {
            Some(renewed) => self.continue_session(&renewed, &mut session)?,
            None if call.is_some() => self.accept_sign_in(&login.pending, &session),
            None => {}
        }
        Ok(Outcome::Session(session))
    }

    /// Makes a login in an iframe continue the session that it renews.
    fn continue_session(&self, renewed: &Payload, session: &mut Session) -> Result<(), Error> {
        if session.user != self.driver.user_digest(&renewed.token) {
            let message = "another user is signed in at the provider";
            return Err(Error::new(ErrorCode::UserMismatch, message));
        }
        session.id = None;
        Ok(())
    }
}

/// Validates the callback URL of a login. Returns the code; `None` if a silent login requires interaction.
#[inline(never)]
fn read_code(login: &PreparedLogin, url: &str) -> Result<Option<Secret>, Error> {
    let Callback::Response(response) = Callback::parse(url) else {
        let message = "the callback is not an authorization response";
        return Err(Error::new(ErrorCode::CallbackMalformed, message));
    };
    response.validate(Some(&login.pending), clock::now_secs())?;
    let is_code = matches!(response.outcome, AuthorizationOutcome::Code(_));
    if is_code && response.state.as_ref() != Some(&login.state) {
        return Err(unknown_state());
    }
    authorization_code(response.outcome, &login.pending)
}

/// Returns the error for an iframe that did not respond in time.
fn iframe_timeout_error() -> Error {
    let message = "the hidden frame stayed silent: the provider may not be framed, third-party cookies are blocked, or the \
                   callback page does not call handleCallback";
    Error::new(ErrorCode::Timeout, message)
}
