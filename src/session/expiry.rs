//! Time that passes: the session expires, is about to, or is renewed; a page that began to leave has stayed.

use super::identity::{Identity, NoSession};
use super::lifetime::SessionAction;
use super::machine::Machine;
use super::messages::TabMessage;
use super::operations::{LEAVING_SECS, Renewed};
use super::step::{Effect, Refusal, Report, Source};

/// Who must be told that a session has expired.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpiryNotice {
    /// No one: another tab told this one.
    None,
    /// The other tabs: the gateway said so.
    Tabs,
    /// The other tabs and the gateway: this tab found out by itself.
    TabsAndGateway,
}

impl Machine {
    /// Removes a session that expired.
    pub(super) fn expire(&mut self, notice: ExpiryNotice, now: f64) {
        let Identity::Session(session) = &self.identity else { return };
        if session.is_replaced {
            // The gateway has another session, which may not have expired.
            self.clear_session(NoSession::Expired);
            return self.restore_from_unknown();
        }
        let (registration, id) = (session.registration, session.id);
        let is_idle = notice == ExpiryNotice::TabsAndGateway && session.lifetime.is_idle(now);
        self.clear_session(NoSession::Expired);
        self.set_error(Some((Source::Session, Refusal::SessionExpired)));
        if notice != ExpiryNotice::None {
            let session = id;
            let message = if is_idle {
                TabMessage::Idle { session }
            } else {
                TabMessage::Expired { session }
            };
            self.post(Some(registration), message);
        }
        if notice == ExpiryNotice::TabsAndGateway {
            self.end_at_gateway(registration, id);
        }
        // Before the report, so that its listener sees the state that it reports.
        self.publish();
        self.report(Report::Expired);
    }

    /// Does what is due, and schedules the timer for what is due next.
    pub(super) fn run_due_tasks(&mut self, now: f64) {
        self.end_leaving_if_stayed(now, LEAVING_SECS);
        let mut wait = f64::INFINITY;
        while let Identity::Session(session) = &mut self.identity {
            match session.lifetime.next_action(now) {
                SessionAction::Expire => self.expire(ExpiryNotice::TabsAndGateway, now),
                SessionAction::Warn => {
                    let remaining = session.lifetime.remaining(now);
                    self.report(Report::Expiring(remaining));
                }
                SessionAction::Renew => {
                    if !self.is_renewing() && !self.is_signing_in() {
                        self.start_renewal(Renewed::ThisSession, now);
                    }
                    // Its outcome leads here again.
                    break;
                }
                SessionAction::Wait(seconds) => {
                    wait = seconds;
                    break;
                }
            }
        }
        wait = wait.min(self.secs_until_stayed(now));
        if wait.is_finite() {
            self.emit(Effect::Schedule(wait));
        }
    }
}
