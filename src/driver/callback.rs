//! `handleCallback`: decides what a callback URL is, and completes the login of an authorization response.

use std::rc::Rc;

use super::Driver;
use super::attempt::Attempt;
use super::launch::ensure_no_frame;
use super::operation::{Context, Work};
use crate::browser::{clock, navigation, storage};
use crate::config::Config;
use crate::error::{Error, ErrorCode, FailedLogin};
use crate::protocol::callback::{
    AuthorizationOutcome, AuthorizationResponse, Callback, authorization_error, unknown_state,
};
use crate::protocol::pending::PendingLogin;
use crate::protocol::secret::Secret;
use crate::session::{Event, Outcome, Session};

/// An authorization response whose registration is not known.
pub(super) struct ReceivedResponse {
    url: String,
    response: Box<AuthorizationResponse>,
    /// The pending login of its state, in this tab.
    pub(super) pending: Option<PendingLogin>,
}

impl Driver {
    /// Parses the callback URL of a call.
    pub(super) fn begin_callback(self: &Rc<Self>, attempt: &Attempt) -> Result<Work, Error> {
        let url = self.argument(attempt);
        let emit_received = || attempt.emit(self, "callback.received");
        match Callback::parse(&url) {
            Callback::NotACallback => {
                let message = "the URL has neither a code nor an error: a reload, a bookmark or a visit by hand";
                Err(Error::new(ErrorCode::NotACallback, message))
            }
            Callback::Malformed(why) => {
                emit_received();
                let subject = "the callback breaks RFC 6749: ";
                Err(Error::with_subject(subject, ErrorCode::CallbackMalformed, why))
            }
            Callback::Launch => {
                emit_received();
                self.prepare_status(attempt, "redirecting");
                ensure_no_frame()?;
                attempt.is_retryable.set(true);
                // The user who opened the tile may be another one than the one that shows.
                self.dispatch(Event::Leaving { operation: attempt.operation });
                Ok(Work::RestartLaunch)
            }
            Callback::Response(response) => {
                attempt.is_retryable.set(true);
                let received =
                    ReceivedResponse::read(url, response).inspect_err(|_| emit_received())?;
                Ok(Work::Response(Box::new(received)))
            }
        }
    }

    /// Completes the login of an authorization response, or hands it over to the page that waits for it.
    pub(super) async fn handle_response(
        self: &Rc<Self>,
        attempt: &Rc<Attempt>,
        received: ReceivedResponse,
        config: Result<Config, Error>,
    ) -> Result<Outcome, Error> {
        let ReceivedResponse { url, response, pending } = received;
        let found = self.resume_login(attempt, &response, pending, config);
        if let (Ok(None), Some(state)) = (&found, &response.state)
            && self.host.hand_over(&url, state).await
        {
            self.prepare_status(attempt, "handed-over");
            return Ok(Outcome::Done);
        }
        attempt.emit(self, "callback.received");
        let (context, pending, code) = accept_response(attempt, *response, found?)?;
        let Some(code) = code else {
            return context.navigate_back(&pending).await;
        };
        let session = context.exchange(&pending, &code).await?;
        context.accept_sign_in(&pending, &session);
        Ok(Outcome::Session(session))
    }

    /// Resumes the attempt of a pending login, and consumes the marker of a restarted launch. Returns the login with its
    /// registration; `None` if there is no such login, or it is another client's.
    fn resume_login(
        self: &Rc<Self>,
        attempt: &Rc<Attempt>,
        response: &AuthorizationResponse,
        pending: Option<PendingLogin>,
        config: Result<Config, Error>,
    ) -> Result<Option<(Context, PendingLogin)>, Error> {
        let Some(pending) = pending else {
            // A restarted launch ends with this response, whatever its outcome.
            if let Ok(config) = config {
                storage::take_launch_marker(config.channel())?;
            }
            return Ok(None);
        };
        let config = config?;
        if pending.client_id() != config.client_id() || pending.issuer() != config.issuer() {
            return Ok(None);
        }
        attempt.resume(pending.support_code(), pending.created_at());
        let launched = storage::take_launch_marker(config.channel())?;
        attempt.is_launch.set(launched.is_some() && launched == response.state);
        Ok(Some((self.context(attempt, config), pending)))
    }
}

impl ReceivedResponse {
    /// Looks up the pending login, and does not consume it: a bad callback must not destroy a good login.
    fn read(url: String, response: Box<AuthorizationResponse>) -> Result<Self, Error> {
        let pending = match &response.state {
            Some(state) => storage::pending_login(state)?,
            None => None,
        };
        Ok(Self { url, response, pending })
    }
}

/// Validates a response and consumes its pending login, so that the code is sent once. Returns the code; `None` if a
/// silent restore requires interaction.
#[inline(never)]
fn accept_response(
    attempt: &Attempt,
    response: AuthorizationResponse,
    found: Option<(Context, PendingLogin)>,
) -> Result<(Context, PendingLogin, Option<Secret>), Error> {
    attempt.is_retryable.set(false);
    let pending = found.as_ref().map(|(context, pending)| {
        let app_state = pending.app_state().map(str::to_owned);
        let return_to = context.return_path(pending);
        attempt.login.replace(Some(FailedLogin { return_to, app_state }));
        pending
    });
    response.validate(pending, clock::now_secs())?;
    // Validated: there are a state and its login.
    let AuthorizationResponse { state: Some(state), outcome, .. } = response else {
        return Err(unknown_state());
    };
    let (context, pending) = found.ok_or_else(unknown_state)?;
    context.driver.ensure_open()?;
    storage::remove_login(&state).inspect_err(|_| attempt.is_retryable.set(true))?;
    let code = authorization_code(outcome, &pending)?;
    Ok((context, pending, code))
}

/// Returns the code of a validated response; `None` if a silent restore requires interaction.
pub(super) fn authorization_code(
    outcome: AuthorizationOutcome,
    pending: &PendingLogin,
) -> Result<Option<Secret>, Error> {
    match outcome {
        AuthorizationOutcome::Code(code) => Ok(Some(code)),
        AuthorizationOutcome::Error(error) => {
            let error = authorization_error(error);
            match error.code {
                ErrorCode::Provider(code)
                    if pending.is_silent_restore() && code.requires_interaction() =>
                {
                    Ok(None)
                }
                _ => Err(error),
            }
        }
    }
}

impl Context {
    /// Returns to the page that was left to restore a session without interaction.
    async fn navigate_back(&self, pending: &PendingLogin) -> Result<Outcome, Error> {
        self.driver.dispatch(Event::Leaving { operation: self.attempt.operation });
        self.driver.host.navigate(&self.return_path(pending)).await?;
        self.driver.prepare_status(&self.attempt, "redirecting");
        Ok(Outcome::Left)
    }

    fn return_path(&self, pending: &PendingLogin) -> String {
        navigation::stored_return_to(pending.return_to(), self.config.base_path())
    }

    /// Keeps what the call of a sign-in resolves with.
    #[inline(never)]
    pub(super) fn accept_sign_in(&self, pending: &PendingLogin, session: &Session) {
        let Some(payload) = self.driver.stores.payload(session.payload) else { return };
        if let Some(call) = self.attempt.call {
            let (app_state, district) = (pending.app_state(), pending.district());
            let return_to = self.return_path(pending);
            let host = &self.driver.host;
            host.prepare_sign_in(call.0, &payload.user, &return_to, app_state, district);
        }
        let restored_at = pending.is_silent_restore().then(clock::now_whole_secs);
        storage::record_restore_result(self.config.channel(), restored_at);
    }
}
