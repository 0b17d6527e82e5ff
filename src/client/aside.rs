//! Logins that leave the page where it is: in a popup, and in a hidden frame that asks nobody anything. They wait in this
//! page's memory, and the callback page hands its URL over.

use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::attempt::Attempt;
use super::session::Session;
use super::{Client, State};
use crate::browser::clock;
use crate::config::LoginOptions;
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::{AuthorizationResponse, Callback, Outcome, authorization_error};
use crate::protocol::pending::PendingLogin;

impl Client {
    /// `startLogin` in a popup.
    ///
    /// # Errors
    /// The application's error: see `StartLogin` in `types.ts`.
    pub async fn start_popup_login(
        self: &Rc<Self>,
        options: &str,
        popup: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let attempt = Attempt::new(self);
        attempt.emit(self, "login.started");
        let sign_outs = self.sign_outs.get();
        let done = async {
            let options = LoginOptions::read(options)?;
            let done = self.login_aside(&attempt, &options, popup).await?;
            let (pending, session) = done.ok_or_else(silent)?;
            self.sign_in(&attempt, &pending, session, sign_outs)
        };
        done.await.map_err(|error| attempt.failed(self, &error))
    }

    /// A login in a popup, or in a hidden frame where there is none; `None` where the frame stays silent.
    pub(super) async fn login_aside(
        self: &Rc<Self>,
        attempt: &Attempt,
        options: &LoginOptions,
        popup: &JsValue,
    ) -> Result<Option<(PendingLogin, Rc<Session>)>, Error> {
        let login = self.prepare_login(attempt, options).await?;
        let url = self.host.navigate_child_window(&login.url, &login.state, popup).await?;
        self.require_open()?;
        let Some(url) = url else { return Ok(None) };
        let Callback::Response(answer) = Callback::parse(&url) else {
            return Err(Error::new(ErrorCode::CallbackMalformed, "the callback is no answer"));
        };
        answer.validate(Some(&login.pending), clock::now_secs())?;
        match answer {
            AuthorizationResponse { outcome: Outcome::Code(code), state, .. }
                if state == Some(login.state) =>
            {
                let before = self.before();
                if popup.is_object() {
                    self.enter(State::SigningIn);
                }
                let session = self.exchange(attempt, &login.pending, &login.config, &code).await;
                let session = session.inspect_err(|_| {
                    if popup.is_object() {
                        self.enter(self.as_before(before));
                    }
                })?;
                Ok(Some((login.pending, session)))
            }
            AuthorizationResponse { outcome: Outcome::Error(error), .. } => {
                Err(authorization_error(error))
            }
            AuthorizationResponse { .. } => {
                Err(Error::new(ErrorCode::StateUnknown, "the answer is another login's"))
            }
        }
    }
}

/// What a frame's silence is to whoever needs its answer.
pub(super) fn silent() -> Error {
    let message = "the hidden frame stayed silent: the provider may not be framed, third-party cookies are blocked, or the \
                   callback page does not call handleCallback";
    Error::new(ErrorCode::Timeout, message)
}
