//! `handleCallback`: decides what a callback URL is and takes a login to its end.

use js_sys::{Array, JSON};
use wasm_bindgen::JsValue;

use super::attempt::Attempt;
use super::{Client, Session, State};
use crate::browser::{clock, navigation, object, storage};
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::{Answer, Callback, Outcome, refusal};
use crate::protocol::pending::PendingLogin;
use crate::protocol::secret::Secret;

impl Client {
    /// Handles a callback URL.
    ///
    /// # Errors
    /// The application's error: see `handleCallback` in `types.ts`.
    pub async fn handle_callback(&self, url: &str) -> Result<JsValue, JsValue> {
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
                let error = Error::about(subject, ErrorCode::CallbackMalformed, why);
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
            Callback::Answer(answer) => self.handle_answer(attempt, answer).await,
        }
    }

    /// Looks first, consumes second: a bad callback leaves a good pending login alone.
    async fn handle_answer(&self, attempt: Attempt, answer: Answer) -> Result<JsValue, JsValue> {
        let found = match self.find_login(&answer).await {
            Ok(found) => found,
            Err(error) => {
                self.callback_retryable.set(true);
                attempt.emit(self, "callback.received");
                return Err(attempt.failed(self, &error));
            }
        };
        let attempt = found.as_ref().map_or(attempt, |(pending, _)| {
            Attempt::resumed(pending.support_code(), pending.created_at())
        });
        attempt.emit(self, "callback.received");
        let before = self.session();
        let done = async {
            let pending = found.as_ref().map(|(pending, _)| pending);
            answer.check(pending, clock::now())?;
            match (answer.outcome, answer.state, found) {
                (Outcome::Code(code), Some(state), Some((pending, config))) => {
                    self.consume(&state)?;
                    self.enter(State::SigningIn);
                    self.sign_in(&attempt, pending, &config, &code).await
                }
                (Outcome::Error(error), Some(state), _) => {
                    self.consume(&state)?;
                    Err(refusal(error))
                }
                // `check` lets nothing else pass.
                _ => Err(Error::new(ErrorCode::StateUnknown, "no pending login")),
            }
        };
        done.await.map_err(|error| {
            self.state.replace(before.map_or(State::SignedOut, State::SignedIn));
            let error = attempt.failed(self, &error);
            if let Some(session) = self.session() {
                self.enter(State::SignedIn(session));
            }
            error
        })
    }

    /// The pending login that an answer's state names, with its registration; none where it is another client's.
    async fn find_login(&self, answer: &Answer) -> Result<Option<(PendingLogin, Config)>, Error> {
        // Whatever comes of it, this is how a restarted launch ends.
        storage::clear_launch_mark()?;
        let Some(state) = &answer.state else {
            return Ok(None);
        };
        let Some(pending) = storage::pending_login(state)? else {
            return Ok(None);
        };
        let config = self.config(pending.district()).await?;
        let ours = pending.client_id() == config.client_id() && pending.issuer() == config.issuer();
        Ok(ours.then_some((pending, config)))
    }

    /// Consumes a pending login before its code is sent, so that the code is sent once.
    fn consume(&self, state: &str) -> Result<(), Error> {
        self.require_open()?;
        storage::remove_login(state).inspect_err(|_| self.callback_retryable.set(true))
    }

    /// Exchanges the code, and signs in whom the verified ID token names.
    async fn sign_in(
        &self,
        attempt: &Attempt,
        pending: PendingLogin,
        config: &Config,
        code: &Secret,
    ) -> Result<JsValue, Error> {
        let granted = self.exchange(attempt, &pending, config, code).await?;
        self.require_open()?;
        // What has been tampered with in storage is no JSON, and counts as missing.
        let app_state = pending.app_state().and_then(|text| JSON::parse(text).ok());
        let answer = object(&[
            ("status", "signed-in".into()),
            ("user", granted.user.clone()),
            ("returnTo", navigation::stored_return_to(pending.return_to()).into()),
            ("appState", app_state.into()),
            ("district", pending.district().into()),
        ]);
        let scope = Array::new();
        for value in granted.scope.split(' ').filter(|value| !value.is_empty()) {
            scope.push(&value.into());
        }
        self.enter(State::SignedIn(Session { user: granted.user, scope }));
        attempt.succeeded(self);
        Ok(answer)
    }
}
