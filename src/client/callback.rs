//! `handleCallback`: decides what a callback URL is and takes a login to its end.

use std::rc::Rc;

use js_sys::JSON;
use wasm_bindgen::JsValue;

use super::attempt::Attempt;
use super::restore::is_nobody;
use super::session::Session;
use super::{Client, State};
use crate::browser::storage::UndeliveredSignOut;
use crate::browser::{clock, navigation, object, storage};
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::{AuthorizationResponse, Callback, Outcome, authorization_error};
use crate::protocol::pending::PendingLogin;

/// The pending login that an answer's state names, with its registration.
struct Found {
    pending: PendingLogin,
    config: Config,
    /// Whether it is a launch that was restarted.
    launched: bool,
}

impl Found {
    /// Returns where the login leads.
    fn return_to(&self) -> String {
        navigation::stored_return_to(self.pending.return_to(), self.config.base_path())
    }
}

impl Client {
    /// Handles a callback URL.
    ///
    /// # Errors
    /// The application's error: see `handleCallback` in `types.ts`.
    pub async fn handle_callback(self: &Rc<Self>, url: &str) -> Result<JsValue, JsValue> {
        self.callback_retryable.set(false);
        let attempt = Attempt::new(self);
        match Callback::parse(url) {
            Callback::NotACallback => {
                let message = "the URL has neither a code nor an error: a reload, a bookmark or a visit by hand";
                let error = Error::new(ErrorCode::NotACallback, message);
                Err(self.host.error(&error, &attempt.support_code))
            }
            Callback::Malformed(why) => {
                attempt.emit(self, "callback.received");
                let subject = "the callback breaks RFC 6749: ";
                let error = Error::with_subject(subject, ErrorCode::CallbackMalformed, why);
                Err(attempt.failed(self, &error))
            }
            Callback::Launch => {
                attempt.emit(self, "callback.received");
                match self.restart_launch(&attempt).await {
                    Ok(()) => Ok(object(&[("status", "redirecting".into())])),
                    Err(error) => {
                        let refused =
                            matches!(error.code, ErrorCode::LaunchRejected | ErrorCode::LaunchLoop);
                        self.callback_retryable.set(!refused);
                        Err(attempt.failed(self, &error))
                    }
                }
            }
            Callback::Response(answer) => self.handle_answer(attempt, url, answer).await,
        }
    }

    /// Looks first, consumes second: a bad callback leaves a good pending login alone.
    async fn handle_answer(
        self: &Rc<Self>,
        attempt: Attempt,
        url: &str,
        answer: AuthorizationResponse,
    ) -> Result<JsValue, JsValue> {
        let found = match self.find_login(&answer).await {
            Ok(found) => found,
            Err(error) => {
                self.callback_retryable.set(true);
                attempt.emit(self, "callback.received");
                return Err(attempt.failed(self, &error));
            }
        };
        if let (None, Some(state)) = (&found, &answer.state) {
            // For its channel, which alone reaches an opener that this page was cut off from.
            let _ = self.config(None).await;
            if self.host.hand_over(url, state).await {
                return Ok(object(&[("status", "handed-over".into())]));
            }
        }
        let attempt = found.as_ref().map_or(attempt, |found| {
            Attempt::resumed(found.pending.support_code(), found.pending.created_at())
        });
        attempt.emit(self, "callback.received");
        let before = self.before();
        let sign_outs = before.sign_outs;
        let launched =
            found.as_ref().filter(|found| found.launched).map(|found| found.config.clone());
        let login = found
            .as_ref()
            .map(|found| (found.return_to(), found.pending.app_state().map(str::to_owned)));
        let done = async {
            answer.validate(found.as_ref().map(|found| &found.pending), clock::now_secs())?;
            match (answer.outcome, answer.state, found) {
                (Outcome::Code(code), Some(state), Some(found)) => {
                    let Found { pending, config, .. } = &*found;
                    self.consume(&state)?;
                    self.enter(State::SigningIn);
                    let session = self.exchange(&attempt, pending, config, &code).await?;
                    self.sign_in(&attempt, pending, session, sign_outs)
                }
                (Outcome::Error(error), Some(state), found) => {
                    self.consume(&state)?;
                    let refused = authorization_error(error);
                    match found {
                        Some(found)
                            if found.pending.is_silent_restore() && is_nobody(refused.code) =>
                        {
                            self.go_back(&found).await
                        }
                        _ => Err(refused),
                    }
                }
                // `check` lets nothing else pass.
                _ => Err(Error::new(ErrorCode::StateUnknown, "no pending login")),
            }
        };
        match done.await {
            Ok(result) => Ok(result),
            Err(error) => {
                self.state.replace(self.as_before(before));
                if let Some(config) = launched {
                    // Whoever clicked the tile is not signed in, and whoever was before is not to be taken for them.
                    self.state.replace(State::SignedOut);
                    self.host.post("signed-out", None);
                    self.end_gateway_session_later(&config, attempt.support_code.clone());
                }
                let error = attempt.failed(self, &error.with_login(login));
                if let Some(session) = self.session() {
                    self.begin(session);
                }
                Err(error)
            }
        }
    }

    /// Nobody was there to be signed in without a word: the person goes back to where they were.
    async fn go_back(&self, found: &Found) -> Result<JsValue, Error> {
        self.enter(State::Redirecting);
        self.host.navigate(&found.return_to()).await?;
        Ok(object(&[("status", "redirecting".into())]))
    }

    /// The pending login that an answer's state names, with its registration; none where it is another client's.
    async fn find_login(
        &self,
        answer: &AuthorizationResponse,
    ) -> Result<Option<Box<Found>>, Error> {
        // Whatever comes of it, this is how a restarted launch ends.
        let launched = storage::take_launch_marker()?;
        let Some(state) = &answer.state else {
            return Ok(None);
        };
        let Some(pending) = storage::pending_login(state)? else {
            return Ok(None);
        };
        let config = self.config(pending.district()).await?;
        let ours = pending.client_id() == config.client_id() && pending.issuer() == config.issuer();
        let launched = launched.as_ref() == Some(state);
        Ok(ours.then(|| Box::new(Found { pending, config, launched })))
    }

    /// Consumes a pending login before its code is sent, so that the code is sent once.
    fn consume(&self, state: &str) -> Result<(), Error> {
        self.require_open()?;
        storage::remove_login(state).inspect_err(|_| self.callback_retryable.set(true))
    }

    /// Signs in whom the verified ID token names, unless somebody signed out while it was asked for.
    pub(super) fn sign_in(
        self: &Rc<Self>,
        attempt: &Attempt,
        pending: &PendingLogin,
        session: Rc<Session>,
        sign_outs: u32,
    ) -> Result<JsValue, Error> {
        self.require_open()?;
        if sign_outs != self.sign_outs.get() {
            self.end_gateway_session_later(&session.config, attempt.support_code.clone());
            let message = "somebody signed out while the sign-in was under way";
            return Err(Error::new(ErrorCode::NotSignedIn, message));
        }
        // What has been tampered with in storage is no JSON, and counts as missing.
        let app_state = pending.app_state().and_then(|text| JSON::parse(text).ok());
        let answer = object(&[
            ("status", "signed-in".into()),
            ("user", session.user.clone()),
            (
                "returnTo",
                navigation::stored_return_to(pending.return_to(), session.config.base_path())
                    .into(),
            ),
            ("appState", app_state.into()),
            ("district", pending.district().into()),
        ]);
        storage::record_restore_result(pending.is_silent_restore().then(clock::now_whole_secs));
        UndeliveredSignOut::of(session.config.client_id()).clear();
        self.begin(session.clone());
        self.tell_of_sign_in(&session);
        attempt.succeeded(self);
        Ok(answer)
    }
}
