//! Errors: what the machine names, as the application sees them.

use wasm_bindgen::JsValue;

use super::Driver;
use super::attempt::Attempt;
use crate::error::{Error, ErrorCode};
use crate::session::{Failure, Refusal};

impl Driver {
    /// Keeps the error of an operation, and returns what the machine needs to know of it.
    pub(super) fn fail(&self, attempt: &Attempt, error: Error) -> Failure {
        let is_untrusted = matches!(
            error.code,
            ErrorCode::IdTokenInvalid | ErrorCode::UserMismatch | ErrorCode::TenantNotAllowed
        );
        let is_final = matches!(error.code, ErrorCode::LaunchRejected | ErrorCode::LaunchLoop);
        // What failed for want of a network is tried again; a server's own refusal does not stop a sign-in.
        let has_no_network = matches!(error.code, ErrorCode::Network | ErrorCode::Timeout);
        let is_retryable =
            attempt.is_retryable.get() && !is_final || has_no_network && attempt.call.is_none();
        let is_launch = attempt.is_launch.get();
        let error = error.with_login(attempt.login.take());
        let error = self.stores.keep_error(self.host.error(&error, &attempt.support_code()));
        Failure { error, is_retryable, is_untrusted, is_launch }
    }

    /// Returns an error that the machine names.
    pub(super) fn error(&self, refusal: Refusal) -> JsValue {
        let (code, message) = match refusal {
            Refusal::Error(handle) | Refusal::Retryable(handle) => {
                return self.stores.error(handle);
            }
            Refusal::NotSignedIn => (ErrorCode::NotSignedIn, "no user is signed in"),
            Refusal::Superseded => (
                ErrorCode::NotSignedIn,
                "a sign-out or another sign-in came while the sign-in was under way",
            ),
            Refusal::SessionExpired => {
                (ErrorCode::SessionExpired, "the session is over: start a new login")
            }
            Refusal::RenewalUnavailable => (
                ErrorCode::RenewalUnavailable,
                "the access token can't be made to last as long as was asked for",
            ),
            Refusal::RenewalFailed(_) => (
                ErrorCode::RenewalUnavailable,
                "the session lasts, but its tokens can't be renewed now: see the cause",
            ),
            Refusal::UserChanged => (
                ErrorCode::UserMismatch,
                "another user has signed in while the access token was renewed",
            ),
        };
        let mut error = Error::new(code, message);
        if let Refusal::RenewalFailed(cause) = refusal {
            error = error.with_cause(self.stores.error(cause)).retryable();
        }
        self.host.error(&error, &self.host.support_code())
    }
}
