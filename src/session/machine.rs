//! The machine: its facts, how they change, and what is due when time passes.

use super::calls::Waiting;
use super::identity::{Identity, NoSession, Registration, Session, SessionId};
use super::lifetime::SessionAction;
use super::messages::TabMessage;
use super::operation::{
    Activity, Operation, OperationId, Phase, Purpose, SupersededBy, SupersededSignIn, Task,
};
use super::snapshot::{Snapshot, Status};
use super::step::{Answer, CallId, Effect, Event, Refusal, Report, Source};

/// A page that is still there and visible so long after it began to leave did not leave.
const LEAVING_SECS: f64 = 5.0;

/// So soon after it began to leave, a call of the application does not mean that the page stayed.
const LEAVING_CALL_SECS: f64 = 1.0;

/// How many ended sessions are remembered.
const MAX_ENDED: usize = 16;

/// Which tab found that a session has expired.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpiredBy {
    ThisTab,
    OtherTab,
}

/// The session of one client.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) identity: Identity,
    pub(super) operations: Vec<Operation>,
    /// The sign-in that a restore decides on: the gateway knows whether it or another tab's holds.
    pub(super) undecided: Option<SupersededSignIn>,
    /// When the page began to leave.
    pub(super) left_at: f64,
    pub(super) last_error: Option<Refusal>,
    pub(super) error_source: Option<Source>,
    /// Whether a restore failed for a reason that may pass, and none has succeeded since.
    pub(super) has_failed_restore: bool,
    pub(super) waiting: Vec<Waiting>,
    /// Sessions that ended: no late response restores one of them.
    ended: Vec<SessionId>,
    published: Snapshot,
    pub(super) is_visible: bool,
    is_closed: bool,
    next_operation: u32,
    pub(super) effects: Vec<Effect>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            identity: Identity::Unknown,
            operations: Vec::new(),
            undecided: None,
            left_at: 0.0,
            last_error: None,
            error_source: None,
            has_failed_restore: false,
            waiting: Vec::new(),
            ended: Vec::new(),
            published: Snapshot { status: Status::Loading, payload: None, error: None },
            is_visible: true,
            is_closed: false,
            next_operation: 0,
            effects: Vec::new(),
        }
    }
}

impl Machine {
    /// Takes a step. `now` is [`super::lifetime::ElapsedClock`] time, in seconds.
    #[must_use]
    pub fn step(&mut self, event: Event, now: f64) -> Vec<Effect> {
        // After a sign-in or an end in another tab no task is run: a tab that wakes handles all messages that waited before
        // it finds its session idle.
        let is_session_message = matches!(
            event,
            Event::Message {
                message: TabMessage::SignedIn { .. }
                    | TabMessage::SignedOut { .. }
                    | TabMessage::Expired { .. },
                ..
            }
        );
        if !self.is_closed {
            self.handle(event, now);
        }
        if !self.is_closed {
            if !is_session_message {
                self.run_due_tasks(now);
            }
            self.settle_calls(now);
            self.publish();
        }
        std::mem::take(&mut self.effects)
    }

    fn handle(&mut self, event: Event, now: f64) {
        match event {
            Event::Called { call, request } => {
                // The page that was to be left is still in use.
                self.stop_leaving(now, LEAVING_CALL_SECS);
                self.called(call, request);
            }
            Event::Leaving { operation } => self.leaving(operation, now),
            Event::Exchanging { operation, registration, id } => {
                self.set_phase(operation, Phase::Exchanging { registration, id });
            }
            Event::Finished { operation, outcome } => self.finished(operation, outcome, now),
            Event::Message { message, ago_secs } => {
                self.handle_message(message, now - ago_secs, now);
            }
            Event::TimerFired => {}
            Event::Active { at_secs } => self.record_activity(at_secs, now),
            Event::Woke { is_focus } => {
                self.is_visible = true;
                self.stop_leaving(now, if is_focus { 0.0 } else { LEAVING_SECS });
                self.retry();
            }
            Event::Hidden => self.is_visible = false,
            Event::PageHide => self.on_page_hide(),
            Event::PageShow => self.on_page_show(),
            Event::Closed => {
                self.cancel(|_| true);
                let effects = std::mem::take(&mut self.effects);
                *self = Self { is_closed: true, effects, ..Self::default() };
            }
        }
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match &self.identity {
            Identity::Session(session) => Some(session),
            _ => None,
        }
    }

    /// Whether a session or a login began after a sign-out that is still under way.
    #[must_use]
    pub fn has_newer_login(&self) -> bool {
        let is_login = |found: &Operation| {
            matches!(found.purpose, Purpose::Callback | Purpose::Popup | Purpose::Leave)
                && !matches!(found.superseded_by, Some(SupersededBy::SignOut(_)))
        };
        self.session().is_some() || self.operations.iter().any(is_login)
    }

    /// The last error.
    #[must_use]
    pub fn last_error(&self) -> Option<Refusal> {
        self.last_error
    }

    /// Whether the client was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Who is signed in.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The strongest of the operations under way.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.operations.iter().map(Operation::activity).max().unwrap_or(Activity::Idle)
    }

    /// Whether a sign-in is under way whose outcome says who is signed in.
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

    #[inline(never)]
    pub(super) fn has_operation(&self, is: fn(&Operation) -> bool) -> bool {
        self.operations.iter().any(is)
    }

    pub(super) fn is_restoring(&self) -> bool {
        self.has_operation(|found| matches!(found.purpose, Purpose::Restore { .. }))
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

    pub(super) fn start_restore(&mut self, may_leave: bool) {
        if !self.is_restoring() {
            self.start(Purpose::Restore { may_leave }, None, Task::Restore { may_leave });
        }
    }

    /// It is unknown who is signed in: restores, without leaving the page.
    pub(super) fn find_out(&mut self) {
        self.identity = Identity::Unknown;
        self.start_restore(false);
    }

    /// Starts a renewal, unless one runs; `any_session` asks the gateway for whichever session there is.
    pub(super) fn start_renewal(&mut self, any_session: bool, now: f64) {
        if self.is_renewing() {
            return;
        }
        let Identity::Session(session) = &mut self.identity else { return };
        session.lifetime.record_renewal(now);
        let any_session = any_session || session.is_replaced;
        let (payload, id) = (session.payload, session.id.filter(|_| !any_session));
        let spares_missing_cookie = session.cookie == super::Cookie::Unconfirmed;
        let purpose = Purpose::Renew { payload, spares_missing_cookie };
        self.start(purpose, None, Task::Renew { payload, id });
    }

    /// Ends a session at its gateway, if it has one.
    pub(super) fn end_at_gateway(&mut self, registration: Registration, id: Option<SessionId>) {
        if registration.has_gateway {
            let task = Task::EndSession { registration: Some(registration), id };
            self.start(Purpose::EndSession, None, task);
        }
    }

    fn set_phase(&mut self, id: OperationId, phase: Phase) {
        if let Some(operation) = self.operations.iter_mut().find(|found| found.id == id) {
            operation.phase = phase;
        }
    }

    fn leaving(&mut self, id: OperationId, now: f64) {
        self.end_leaving();
        self.set_phase(id, Phase::Leaving);
        self.left_at = now;
        self.set_error(None);
    }

    /// Ends the operations whose page has left, or did not leave. One that still prepares a call goes on.
    pub(super) fn end_leaving(&mut self) {
        for operation in &mut self.operations {
            if operation.is_leaving() {
                operation.phase = Phase::Preparing;
            }
        }
        // One without a call has reported its outcome: only the phase kept it.
        self.operations.retain(|found| !(found.purpose == Purpose::Leave && found.call.is_none()));
    }

    /// The page is still there and visible, and began to leave at least so long ago: it did not leave.
    fn stop_leaving(&mut self, now: f64, after_secs: f64) {
        if self.activity() == Activity::Leaving
            && self.is_visible
            && now - self.left_at >= after_secs
        {
            self.end_leaving();
        }
    }

    /// Marks the operations that an event supersedes.
    pub(super) fn supersede(&mut self, by: SupersededBy, affects: fn(&Operation) -> bool) {
        for operation in &mut self.operations {
            // A sign-out is the strongest: nothing weakens it.
            let is_stronger = match &operation.superseded_by {
                None => true,
                // But a restore is asked again after each sign-in.
                Some(SupersededBy::SignOut(_)) => {
                    matches!(operation.purpose, Purpose::Restore { .. })
                        && by == SupersededBy::SignIn
                }
                Some(SupersededBy::SignIn)
                    if matches!(operation.purpose, Purpose::Restore { .. }) =>
                {
                    by == SupersededBy::SignOut(None)
                }
                Some(_) => matches!(by, SupersededBy::SignOut(_)),
            };
            if is_stronger && affects(operation) {
                operation.superseded_by = Some(by);
            }
        }
    }

    /// The session that is being renewed, if one is, has ended.
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

    /// Adds an effect. One function for all: each place that made room for one by itself would weigh more.
    #[inline(never)]
    pub(super) fn emit(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    #[inline(never)]
    pub(super) fn settle(&mut self, call: CallId, result: Result<Answer, Refusal>) {
        self.emit(Effect::Settle { call, result });
    }

    #[inline(never)]
    pub(super) fn report(&mut self, report: Report) {
        self.emit(Effect::Report(report));
    }

    pub(super) fn set_error(&mut self, error: Option<(Source, Refusal)>) {
        self.error_source = error.map(|(source, _)| source);
        self.last_error = error.map(|(_, error)| error);
    }

    /// Removes the session. A renewal of it that is under way is superseded.
    pub(super) fn clear_session(&mut self, why: NoSession) {
        if let Identity::Session(session) = &self.identity {
            if let Some(id) = session.id {
                self.remember_ended(id);
            }
            self.supersede_renewal();
        }
        self.identity = Identity::NoSession(why);
    }

    pub(super) fn remember_ended(&mut self, id: SessionId) {
        if self.ended.len() >= MAX_ENDED {
            self.ended.remove(0);
        }
        self.ended.push(id);
    }

    /// Whether a session has ended as far as this tab knows.
    pub(super) fn has_ended(&self, session: &Session) -> bool {
        session.id.is_some_and(|id| self.ended.contains(&id))
    }

    /// Starts or continues a session. Between two users there is a snapshot without one.
    pub(super) fn start_session(&mut self, mut next: Box<Session>, now: f64) {
        if let Identity::Session(current) = &self.identity {
            if current.is_continued_by(&next) {
                next.lifetime = current.lifetime.carry_over_to(next.lifetime, now);
                next.id = next.id.or(current.id);
            } else {
                let is_same_user = current.user == next.user;
                self.supersede_renewal();
                if !is_same_user {
                    self.identity = Identity::Unknown;
                    self.publish();
                }
            }
        }
        self.identity = Identity::Session(next);
        self.has_failed_restore = false;
        self.set_error(None);
    }

    /// The session expired. If this tab found out, it reports it to the others and the gateway.
    pub(super) fn expire(&mut self, by: ExpiredBy, now: f64) {
        let Identity::Session(session) = &self.identity else { return };
        if session.is_replaced {
            // The gateway has another session, which may not have expired.
            self.clear_session(NoSession::Expired);
            return self.find_out();
        }
        let (registration, id) = (session.registration, session.id);
        let is_idle = session.lifetime.is_idle(now);
        self.clear_session(NoSession::Expired);
        self.set_error(Some((Source::Session, Refusal::SessionExpired)));
        if by == ExpiredBy::ThisTab {
            let session = id;
            let message = if is_idle {
                TabMessage::Idle { session }
            } else {
                TabMessage::Expired { session }
            };
            self.post(Some(registration), message);
            self.end_at_gateway(registration, id);
        }
        // Before the report, so that its listener sees the state that it reports.
        self.publish();
        self.report(Report::Expired);
    }

    /// Does what is due, and schedules the next look.
    pub(super) fn run_due_tasks(&mut self, now: f64) {
        self.stop_leaving(now, LEAVING_SECS);
        let mut wait = f64::INFINITY;
        while let Identity::Session(session) = &mut self.identity {
            match session.lifetime.next_action(now) {
                SessionAction::Expire => self.expire(ExpiredBy::ThisTab, now),
                SessionAction::Warn => {
                    let remaining = session.lifetime.remaining(now);
                    self.report(Report::Expiring(remaining));
                }
                SessionAction::Renew => {
                    if !self.is_renewing() && !self.is_signing_in() {
                        self.start_renewal(false, now);
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
        if self.activity() == Activity::Leaving {
            wait = wait.min(self.left_at + LEAVING_SECS - now).max(0.05);
        }
        if wait.is_finite() {
            self.emit(Effect::Schedule(wait));
        }
    }

    /// Posts a message to the other tabs.
    #[inline(never)]
    pub(super) fn post(&mut self, registration: Option<Registration>, message: TabMessage) {
        self.emit(Effect::Post { registration, message });
    }

    /// Publishes the snapshot, if it changed.
    pub(super) fn publish(&mut self) {
        let snapshot = self.snapshot();
        if snapshot != self.published {
            self.published = snapshot;
            self.emit(Effect::Publish(snapshot));
        }
    }

    /// Restores again what failed for a reason that may pass.
    fn retry(&mut self) {
        if self.has_failed_restore && self.session().is_none() {
            self.start_restore(false);
        }
    }
}
