//! The machine: its facts, how they change, and what is due when time passes.

use super::calls::Waiting;
use super::identity::{Identity, NoSession, Registration, Session, SessionId};
use super::lifetime::SessionAction;
use super::messages::TabMessage;
use super::operation::{
    Activity, LeavePage, Operation, OperationId, Phase, Purpose, SupersededBy, SupersededSignIn,
    Task,
};
use super::snapshot::{Snapshot, Status};
use super::step::{Answer, CallId, Effect, Event, Refusal, Report, Source};

/// Seconds after which a visible page that began to leave counts as having stayed.
const LEAVING_SECS: f64 = 5.0;

/// Seconds after which a call of the application shows that a page that began to leave has stayed.
const LEAVING_CALL_SECS: f64 = 1.0;

/// The shortest wait for a page to leave, in seconds: a rounding error must not fire the timer again at once.
const MIN_LEAVING_WAIT_SECS: f64 = 0.05;

/// How many ended sessions are remembered.
const MAX_ENDED: usize = 16;

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

/// Which session a renewal asks the gateway for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewed {
    /// The one that this tab has.
    ThisSession,
    /// Whichever the gateway has.
    AnySession,
}

/// The session of one client.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) identity: Identity,
    pub(super) operations: Vec<Operation>,
    /// The sign-in that a restore decides on: the gateway knows whether it or another tab's holds.
    pub(super) undecided: Option<SupersededSignIn>,
    /// When the page began to leave.
    pub(super) leaving_since: f64,
    /// The error that the snapshot shows, and what it came from.
    pub(super) last_error: Option<(Source, Refusal)>,
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
            leaving_since: 0.0,
            last_error: None,
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
    /// Applies an event, and returns its effects in the order in which they are to be run. `now` is
    /// [`super::lifetime::ElapsedClock`] time, in seconds.
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
                self.end_leaving_if_stayed(now, LEAVING_CALL_SECS);
                self.on_call(call, request);
            }
            Event::Leaving { operation } => self.on_leaving(operation, now),
            Event::Exchanging { operation, registration, id } => {
                self.set_phase(operation, Phase::Exchanging { registration, id });
            }
            Event::Finished { operation, outcome } => self.on_finished(operation, outcome, now),
            Event::Message { message, ago_secs } => {
                self.on_message(message, now - ago_secs, now);
            }
            Event::TimerFired => {}
            Event::Active { at_secs } => self.on_activity(at_secs, now),
            Event::Woke { is_focus } => {
                self.is_visible = true;
                self.end_leaving_if_stayed(now, if is_focus { 0.0 } else { LEAVING_SECS });
                self.retry();
            }
            Event::Hidden => self.is_visible = false,
            Event::PageHide => self.forget_user(),
            Event::PageShow => self.on_page_show(),
            Event::Closed => {
                self.cancel(|_| true);
                let effects = std::mem::take(&mut self.effects);
                *self = Self { is_closed: true, effects, ..Self::default() };
            }
        }
    }

    /// Returns the session.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match &self.identity {
            Identity::Session(session) => Some(session),
            _ => None,
        }
    }

    /// Returns whether there is a session, or a login that no sign-out superseded.
    #[must_use]
    pub fn has_session_or_login(&self) -> bool {
        let is_login = |found: &Operation| {
            matches!(found.purpose, Purpose::Callback | Purpose::Popup | Purpose::Leave)
                && !matches!(found.superseded_by, Some(SupersededBy::SignOut(_)))
        };
        self.session().is_some() || self.operations.iter().any(is_login)
    }

    /// Returns the error that the snapshot shows.
    #[must_use]
    pub fn last_error(&self) -> Option<Refusal> {
        self.last_error.map(|(_, error)| error)
    }

    /// Returns whether the client was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Returns who is signed in.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

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
        let tolerates_missing_cookie = session.cookie == super::Cookie::Unconfirmed;
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

    fn set_phase(&mut self, id: OperationId, phase: Phase) {
        if let Some(operation) = self.operations.iter_mut().find(|found| found.id == id) {
            operation.phase = phase;
        }
    }

    fn on_leaving(&mut self, id: OperationId, now: f64) {
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
    fn end_leaving_if_stayed(&mut self, now: f64, after_secs: f64) {
        if self.activity() == Activity::Leaving
            && self.is_visible
            && now - self.leaving_since >= after_secs
        {
            self.end_leaving();
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

    /// Adds an effect. Not inlined, as the three below: each copy of `Vec::push` enlarges the WebAssembly.
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
        self.last_error = error;
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

    /// Returns whether a session has ended as far as this tab knows.
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
        // A hidden page is looked at when it is shown again.
        if self.is_visible && self.activity() == Activity::Leaving {
            let until_stayed = self.leaving_since + LEAVING_SECS - now;
            wait = wait.min(until_stayed.max(MIN_LEAVING_WAIT_SECS));
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
            self.start_restore(LeavePage::Forbidden);
        }
    }
}
