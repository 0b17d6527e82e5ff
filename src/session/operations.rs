//! The operations under way: how each starts, leaves the page, is superseded, or is cancelled.

use super::identity::{Cookie, Identity, Registration, SessionId};
use super::machine::Machine;
use super::operation::{
    Activity, LeavePage, Operation, OperationId, Phase, Purpose, SupersededBy, Task,
};
use super::step::{CallId, Effect};

/// Seconds after which a visible page that began to leave counts as having stayed.
pub(super) const LEAVING_SECS: f64 = 5.0;

/// Seconds after which a call of the application shows that a page that began to leave has stayed.
pub(super) const LEAVING_CALL_SECS: f64 = 1.0;

/// The shortest wait for a page to leave, in seconds: a rounding error must not fire the timer again at once.
const MIN_LEAVING_WAIT_SECS: f64 = 0.05;

/// Which session a renewal asks the gateway for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewed {
    /// The one that this tab has.
    ThisSession,
    /// Whichever the gateway has.
    AnySession,
}

impl Machine {
    /// Returns the activity that the snapshot shows: the greatest of the operations under way.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.operations.iter().map(Operation::activity).max().unwrap_or(Activity::Idle)
    }

    /// Returns whether a sign-in is under way whose outcome decides who is signed in.
    pub(super) fn is_signing_in(&self) -> bool {
        self.has_operation(|operation| match operation.purpose {
            Purpose::Callback => !operation.is_leaving(),
            Purpose::Popup => matches!(operation.phase, Phase::Exchanging { .. }),
            _ => false,
        })
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.has_operation(Operation::is_leaving)
    }

    // Not inlined, since it has many callers: each copy enlarges the WebAssembly.
    #[inline(never)]
    pub(super) fn has_operation(&self, is: fn(&Operation) -> bool) -> bool {
        self.operations.iter().any(is)
    }

    pub(super) fn is_restoring(&self) -> bool {
        self.has_operation(Operation::is_restore)
    }

    pub(super) fn is_renewing(&self) -> bool {
        self.has_operation(|found| matches!(found.purpose, Purpose::Renew { .. }))
    }

    pub(super) fn start(&mut self, purpose: Purpose, call: Option<CallId>, task: Task) {
        let id = OperationId(self.next_operation);
        self.next_operation = self.next_operation.wrapping_add(1);
        let phase = Phase::Preparing;
        self.operations.push(Operation { id, purpose, phase, call, superseded_by: None });
        self.emit(Effect::Start { operation: id, call, task });
    }

    /// Starts a restore, unless one runs.
    pub(super) fn start_restore(&mut self, leave_page: LeavePage) {
        if !self.is_restoring() {
            self.start(Purpose::Restore { leave_page }, None, Task::Restore { leave_page });
        }
    }

    /// Restores what is no longer known: who is signed in.
    pub(super) fn restore_from_unknown(&mut self) {
        self.identity = Identity::Unknown;
        self.start_restore(LeavePage::Forbidden);
    }

    /// Starts a renewal, unless one runs.
    pub(super) fn start_renewal(&mut self, renewed: Renewed, now: f64) {
        if self.is_renewing() {
            return;
        }
        let Identity::Session(session) = &mut self.identity else { return };
        session.lifetime.record_renewal(now);
        let is_this = renewed == Renewed::ThisSession && !session.is_replaced;
        let (payload, id) = (session.payload, session.id.filter(|_| is_this));
        let tolerates_missing_cookie = session.cookie == Cookie::Unconfirmed;
        let purpose = Purpose::Renew { payload, tolerates_missing_cookie };
        self.start(purpose, None, Task::Renew { payload, id });
    }

    /// Ends a session at its gateway, if it has one.
    pub(super) fn end_at_gateway(&mut self, registration: Registration, id: Option<SessionId>) {
        if registration.has_gateway {
            let task = Task::EndSession { registration: Some(registration), id };
            self.start(Purpose::EndSession, None, task);
        }
    }

    pub(super) fn set_phase(&mut self, id: OperationId, phase: Phase) {
        if let Some(operation) = self.operations.iter_mut().find(|found| found.id == id) {
            operation.phase = phase;
        }
    }

    pub(super) fn on_leaving(&mut self, id: OperationId, now: f64) {
        self.end_leaving();
        self.set_phase(id, Phase::Leaving);
        self.leaving_since = now;
        self.set_error(None);
    }

    /// Ends the phase in which the page leaves: the page stayed, or is back. An operation whose call is settled is removed; one
    /// that still prepares its call goes on.
    pub(super) fn end_leaving(&mut self) {
        for operation in &mut self.operations {
            if operation.is_leaving() {
                operation.phase = Phase::Preparing;
            }
        }
        // One without a call has reported its outcome: only the phase kept it.
        self.operations.retain(|found| !(found.purpose == Purpose::Leave && found.call.is_none()));
    }

    /// Ends the phase in which the page leaves, if the page is still visible so long after it began to leave.
    pub(super) fn end_leaving_if_stayed(&mut self, now: f64, after_secs: f64) {
        if self.activity() == Activity::Leaving
            && self.is_visible
            && now - self.leaving_since >= after_secs
        {
            self.end_leaving();
        }
    }

    /// Returns the seconds until the page that leaves counts as having stayed; infinite if none leaves, or it is hidden: it is
    /// looked at when it is shown again.
    #[inline(never)]
    pub(super) fn secs_until_stayed(&self, now: f64) -> f64 {
        if self.is_visible && self.activity() == Activity::Leaving {
            (self.leaving_since + LEAVING_SECS - now).max(MIN_LEAVING_WAIT_SECS)
        } else {
            f64::INFINITY
        }
    }

    /// Marks the operations that an event supersedes.
    pub(super) fn supersede(&mut self, by: SupersededBy, affects: fn(&Operation) -> bool) {
        for operation in &mut self.operations {
            if affects(operation) && operation.is_outranked_by(by) {
                operation.superseded_by = Some(by);
            }
        }
    }

    /// Supersedes a renewal under way: its session has ended.
    pub(super) fn supersede_renewal(&mut self) {
        self.supersede(SupersededBy::End, |found| matches!(found.purpose, Purpose::Renew { .. }));
    }

    /// Aborts the requests of operations whose outcomes are not wanted.
    pub(super) fn cancel(&mut self, affects: fn(&Operation) -> bool) {
        for found in &self.operations {
            if affects(found) {
                self.effects.push(Effect::Cancel(found.id));
            }
        }
    }
}
