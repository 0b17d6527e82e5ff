//! `handleCallback`: decides what a callback URL is and takes a login to its end.

use std::rc::Rc;

use super::Driver;
use super::attempt::Attempt;
use super::restore::is_nobody;
use crate::browser::{clock, navigation, storage};
use crate::config::Config;
use crate::error::{Error, ErrorCode};
use crate::protocol::callback::{
    AuthorizationResponse, Callback, Outcome as AuthorizationOutcome, authorization_error,
};
use crate::protocol::pending::PendingLogin;
use crate::session::{Event, Outcome, Session};

/// The pending login that an answer's state names, with its registration.
struct Found {
    pending: PendingLogin,
    config: Config,
}

impl Driver {
    /// Handles the callback URL of a call.
    pub(super) async fn handle_callback(
        self: Rc<Self>,
        attempt: Rc<Attempt>,
    ) -> Result<Outcome, Error> {
        let url = self.argument(&attempt);
        match Callback::parse(&url) {
            Callback::NotACallback => {
                let message = "the URL has neither a code nor an error: a reload, a bookmark or a visit by hand";
                Err(Error::new(ErrorCode::NotACallback, message))
            }
            Callback::Malformed(why) => {
                attempt.emit(&self, "callback.received");
                let subject = "the callback breaks RFC 6749: ";
                Err(Error::with_subject(subject, ErrorCode::CallbackMalformed, why))
            }
            Callback::Launch => {
                attempt.emit(&self, "callback.received");
                self.prepare_status(&attempt, "redirecting");
                self.restart_launch(&attempt).await.inspect_err(|error| {
                    let is_final =
                        matches!(error.code, ErrorCode::LaunchRejected | ErrorCode::LaunchLoop);
                    attempt.is_retryable.set(!is_final);
                })
            }
            Callback::Response(answer) => self.handle_answer(&attempt, &url, answer).await,
        }
    }

    /// Looks first, consumes second: a bad callback leaves a good pending login alone.
    async fn handle_answer(
        self: &Rc<Self>,
        attempt: &Attempt,
        url: &str,
        answer: Box<AuthorizationResponse>,
    ) -> Result<Outcome, Error> {
        attempt.is_retryable.set(true);
        let found = self.find_login(attempt, &answer).await;
        if let (Ok(None), Some(state)) = (&found, &answer.state)
            && self.host.hand_over(url, state).await
        {
            self.prepare_status(attempt, "handed-over");
            return Ok(Outcome::Done);
        }
        attempt.emit(self, "callback.received");
        let found = found?;
        attempt.is_retryable.set(false);
        let login = found.as_deref().map(|Found { pending, config }| {
            let return_to = navigation::stored_return_to(pending.return_to(), config.base_path());
            (return_to, pending.app_state().map(str::to_owned))
        });
        let done = self.complete_login(attempt, answer, found).await;
        done.map_err(|error| error.with_login(login))
    }

    async fn complete_login(
        self: &Rc<Self>,
        attempt: &Attempt,
        answer: Box<AuthorizationResponse>,
        found: Option<Box<Found>>,
    ) -> Result<Outcome, Error> {
        answer.validate(found.as_ref().map(|found| &found.pending), clock::now_secs())?;
        match (answer.outcome, answer.state, found) {
            (AuthorizationOutcome::Code(code), Some(state), Some(found)) => {
                let Found { pending, config } = &*found;
                self.consume(attempt, &state)?;
                let session = self.exchange(attempt, pending, config, &code).await?;
                self.accept_sign_in(attempt, pending, &session);
                Ok(Outcome::Session(session))
            }
            (AuthorizationOutcome::Error(error), Some(state), found) => {
                self.consume(attempt, &state)?;
                let refused = authorization_error(error);
                match found {
                    Some(found) if found.pending.is_silent_restore() && is_nobody(refused.code) => {
                        self.return_to_page(attempt, &found).await
                    }
                    _ => Err(refused),
                }
            }
            // `check` lets nothing else pass.
            _ => Err(Error::new(ErrorCode::StateUnknown, "no pending login")),
        }
    }

    /// Nobody was there to be signed in without a word: the user goes back to where they were.
    async fn return_to_page(
        self: &Rc<Self>,
        attempt: &Attempt,
        Found { pending, config }: &Found,
    ) -> Result<Outcome, Error> {
        self.dispatch(Event::Leaving { operation: attempt.operation });
        let return_to = navigation::stored_return_to(pending.return_to(), config.base_path());
        self.host.navigate(&return_to).await?;
        self.prepare_status(attempt, "redirecting");
        Ok(Outcome::Left)
    }

    /// Finds the pending login that an answer's state names, with its registration; none if it is another client's.
    async fn find_login(
        &self,
        attempt: &Attempt,
        answer: &AuthorizationResponse,
    ) -> Result<Option<Box<Found>>, Error> {
        let pending = match &answer.state {
            Some(state) => storage::pending_login(state)?,
            None => None,
        };
        let Some(pending) = pending else {
            // A restarted launch has ended, with whatever outcome. And the channel is joined, which alone reaches an opener
            // that this page was cut off from.
            if let Ok(config) = self.config(None).await {
                storage::take_launch_marker(&config.channel())?;
            }
            return Ok(None);
        };
        let config = self.config(pending.district()).await?;
        if pending.client_id() != config.client_id() || pending.issuer() != config.issuer() {
            return Ok(None);
        }
        attempt.resume(pending.support_code(), pending.created_at());
        let launched = storage::take_launch_marker(&config.channel())?;
        attempt.is_launch.set(launched.is_some() && launched == answer.state);
        Ok(Some(Box::new(Found { pending, config })))
    }

    /// Consumes a pending login before its code is sent, so that the code is sent once.
    fn consume(&self, attempt: &Attempt, state: &str) -> Result<(), Error> {
        self.ensure_open()?;
        storage::remove_login(state).inspect_err(|_| attempt.is_retryable.set(true))
    }

    /// Keeps what the call of a sign-in resolves with.
    pub(super) fn accept_sign_in(
        &self,
        attempt: &Attempt,
        pending: &PendingLogin,
        session: &Session,
    ) {
        let Some(payload) = self.stores.payload(session.payload) else { return };
        let return_to =
            navigation::stored_return_to(pending.return_to(), payload.config.base_path());
        if let Some(call) = attempt.call {
            let (app_state, district) = (pending.app_state(), pending.district());
            self.host.prepare_sign_in(call.0, &payload.user, &return_to, app_state, district);
        }
        let registration = payload.config.channel();
        storage::record_restore_result(
            &registration,
            pending.is_silent_restore().then(clock::now_whole_secs),
        );
    }
}
