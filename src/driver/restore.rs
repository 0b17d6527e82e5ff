//! `restoreSession`: finds the session again after a page load.

use super::child_window::ChildWindowPurpose;
use super::operation::{Context, Step};
use super::tokens::{Grant, TokenRequestContext};
use crate::browser::storage::UndeliveredSignOut;
use crate::browser::{clock, navigation, storage};
use crate::config::LoginOptions;
use crate::error::Error;
use crate::protocol::callback::Callback;
use crate::protocol::id_token::IssuedFor;
use crate::session::{LeavePage, Outcome};

impl Context {
    /// Decides how the session is restored.
    pub(super) fn decide_restore(&self, leave_page: LeavePage) -> Result<Step, Error> {
        let registration = self.config.channel();
        let has_signed_out = storage::take_logout_state(registration)
            .is_some_and(|state| self.driver.host.strip_state(&state));
        let restore = self.config.restore();
        if restore == "gateway" {
            // Also for a user who comes back from the provider's sign-out: the gateway may have missed theirs.
            return Ok(Step::RestoreFromGateway);
        }
        // The provider's session outlives a sign-out, and would sign the same user in again.
        let may_ask = !has_signed_out && !storage::is_signed_out() && !navigation::is_framed();
        let may_leave = leave_page == LeavePage::Allowed;
        let options = || LoginOptions::restoring(self.config.scope());
        Ok(match restore {
            "iframe" if may_ask => Step::ChildWindow(options(), ChildWindowPurpose::SilentRestore),
            "redirect" if may_ask && may_leave && can_redirect(registration)? => {
                Step::Leave { options: options(), restarts_launch: false }
            }
            _ => Step::Finish(Outcome::NoSession),
        })
    }

    /// Restores the session in the gateway's cookie. Sign-outs that the gateway has not confirmed are delivered first, also
    /// those that were added meanwhile. A session whose sign-out cannot be delivered is not restored.
    pub(super) async fn restore_from_gateway(self) -> Result<Outcome, Error> {
        let provider = &self.provider().await?;
        let channel = self.config.channel();
        let mut can_deliver = true;
        loop {
            // Under the lock: a sign-in in another tab, which removes the markers before it, holds it.
            self.acquire_lock().await;
            if can_deliver && let Some(mark) = UndeliveredSignOut::all(channel).first() {
                // A network may let no DELETE through: that must not keep the user from signing in again.
                can_deliver = self.deliver_sign_out(mark).await.is_ok();
                if can_deliver && mark.session_id.is_none() {
                    return Ok(Outcome::NoSession);
                }
                continue;
            }
            let keys = self.request_keys(provider, false);
            let received = self.request_tokens(Grant::Session(None)).await?;
            self.lock.take();
            let marks = UndeliveredSignOut::all(channel);
            if can_deliver && !marks.is_empty() {
                continue;
            }
            let Some(received) = received else {
                return Ok(Outcome::NoSession);
            };
            if marks.iter().any(|mark| mark.names(received.tokens.session_id.as_deref())) {
                return Ok(Outcome::NoSession);
            }
            let requested = TokenRequestContext {
                provider,
                issued_for: IssuedFor::Session,
                max_age: None,
                scope: self.config.scope(),
            };
            let session = self.validate_token_response(&requested, received, keys).await?;
            return Ok(Outcome::Session(session));
        }
    }
}

/// Returns whether the page may be left to restore a session: see [`storage::can_restore_by_redirect`].
fn can_redirect(registration: &str) -> Result<bool, Error> {
    let is_callback = !matches!(Callback::parse(&navigation::page_url()), Callback::NotACallback);
    Ok(!is_callback && storage::can_restore_by_redirect(registration, clock::now_secs())?)
}
