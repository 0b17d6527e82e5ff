//! Logins that do not leave the page: in a popup, and silently in a hidden iframe. They are pending in this page's memory,
//! and the callback page hands its URL over.

use std::rc::Rc;

use super::callback::authorization_code;
use super::login::PreparedLogin;
use super::operation::Context;
use super::stores::Payload;
use crate::browser::clock;
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::{AuthorizationOutcome, Callback, unknown_state};
use crate::protocol::secret::Secret;
use crate::session::{Outcome, Session};

/// The purpose of a login in a child window.
pub(super) enum ChildWindowPurpose {
    /// To sign in, in the popup of the operation's call.
    Popup,
    /// To restore a session, in a hidden iframe.
    SilentRestore,
    /// To renew this session, in a hidden iframe.
    Renewal(Rc<Payload>),
}

impl Context {
    /// Logs in in a popup or a hidden iframe.
    pub(super) async fn login_in_child_window(
        self,
        options: LoginOptions,
        purpose: ChildWindowPurpose,
    ) -> Result<Outcome, Error> {
        let login = self.prepare_login(&options).await?;
        // A popup's window belongs to its call. Without one, the host makes an iframe.
        let call = self.attempt.call.map(|call| call.0);
        let signal = self.attempt.cancel_signal();
        let host = &self.driver.host;
        let url = host.navigate_child_window(&login.url, &login.state, call, &signal).await?;
        self.driver.ensure_open()?;
        let code = match (url, &purpose) {
            (Some(url), _) => read_code(&login, &url)?,
            // Third-party cookies may be blocked: a restore finds no session then.
            (None, ChildWindowPurpose::SilentRestore) => None,
            (None, _) => return Err(iframe_timeout_error()),
        };
        let Some(code) = code else { return Ok(Outcome::NoSession) };
        let mut session = self.exchange(&login.pending, &code).await?;
        match purpose {
            ChildWindowPurpose::Popup => self.accept_sign_in(&login.pending, &session),
            ChildWindowPurpose::SilentRestore => {}
            ChildWindowPurpose::Renewal(renewed) => {
                self.continue_session(&renewed, &mut session)?;
            }
        }
        Ok(Outcome::Session(session))
    }

    /// Makes a login in an iframe continue the session that it renews.
    fn continue_session(&self, renewed: &Payload, session: &mut Session) -> Result<(), Error> {
        if session.user != self.driver.user_digest(&renewed.token) {
            let message = "another user is signed in at the provider";
            return Err(Error::new(ErrorCode::UserMismatch, message));
        }
        // Without an id of its own it counts as the same session.
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
    // An error response may lack the state.
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
