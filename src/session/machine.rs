//! The machine: its facts, how they change, and what is due when time passes.

use super::calls::Waiting;
use super::identity::{Identity, NoSession, Registration, Session, SessionId};
use super::lifetime::SessionAction;
use super::messages::TabMessage;
use super::operation::{
    Activity, Contested, Operation, OperationId, OvertakenBy, Phase, Purpose, Task,
};
use super::snapshot::{Snapshot, Status};
use super::step::{CallId, Effect, Event, Refusal, Report, Source};

/// A page that is still there and visible so long after it began to leave did not leave.
const LEAVING_SECS: f64 = 5.0;

/// So soon after it began to leave, a call of the application does not mean that the page stayed.
const LEAVING_CALL_SECS: f64 = 1.0;

/// How many ended sessions are remembered.
const MAX_ENDED: usize = 16;

/// The session of one client.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) identity: Identity,
    pub(super) operations: Vec<Operation>,
    pub(super) last_error: Option<Refusal>,
    pub(super) error_source: Option<Source>,
    /// Whether a restore failed for want of a network, and none has succeeded since.
    pub(super) is_restore_owed: bool,
    pub(super) waiting: Vec<Waiting>,
    /// Sessions that ended: no late answer brings one of them back.
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
            last_error: None,
            error_source: None,
            is_restore_owed: false,
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
        // A sign-in or an end in another tab is no reason to look at the clock: a tab that wakes hears all that waited
        // before it takes itself for idle.
        let is_told = matches!(
            event,
            Event::Message {
                message: TabMessage::SignedIn { .. }
                    | TabMessage::SignedOut { .. }
                    | TabMessage::Expired { .. },
                ..
            }
        );
        if !self.is_closed {
            self.take(event, now);
        }
        if !self.is_closed {
            if !is_told {
                self.run_due_tasks(now);
            }
            self.settle_calls(now);
            self.publish();
        }
        std::mem::take(&mut self.effects)
    }

    fn take(&mut self, event: Event, now: f64) {
        match event {
            Event::Called { call, request } => {
                // The user or the application is busy on a page that was to be left.
                self.stop_leaving(now, LEAVING_CALL_SECS);
                self.called(call, request);
            }
            Event::Leaving { operation } => self.leaving(operation, now),
            Event::Exchanging { operation, registration, id } => {
                self.set_phase(operation, Phase::Exchanging { registration, id });
            }
            Event::Finished { operation, outcome } => self.finished(operation, outcome, now),
            Event::Message { message, ago_secs } => self.received(message, now - ago_secs, now),
            Event::TimeCame => {}
            Event::Active { at_secs } => self.active(at_secs, now),
            Event::Woke { is_focus } => {
                self.is_visible = true;
                self.stop_leaving(now, if is_focus { 0.0 } else { LEAVING_SECS });
                self.retry();
            }
            Event::Hidden => self.is_visible = false,
            Event::Frozen => self.frozen(),
            Event::Thawed => self.thawed(),
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
        let rank = |operation: &Operation| match (&operation.phase, &operation.purpose) {
            (Phase::Exchanging { .. }, Purpose::Callback | Purpose::Popup) => Activity::Exchanging,
            (Phase::Leaving { since }, _) => Activity::Leaving { since: *since },
            (_, Purpose::Restore { .. }) => Activity::Restoring,
            _ => Activity::Idle,
        };
        let mut strongest = Activity::Idle;
        for operation in &self.operations {
            strongest = match (strongest, rank(operation)) {
                (Activity::Exchanging, _) | (_, Activity::Exchanging) => Activity::Exchanging,
                (leaving @ Activity::Leaving { .. }, _)
                | (_, leaving @ Activity::Leaving { .. }) => leaving,
                (Activity::Restoring, _) | (_, Activity::Restoring) => Activity::Restoring,
                _ => Activity::Idle,
            };
        }
        strongest
    }

    /// Whether a sign-in is under way whose outcome says who is signed in.
    pub(super) fn is_signing_in(&self) -> bool {
        self.operations.iter().any(|operation| match operation.purpose {
            Purpose::Callback => !matches!(operation.phase, Phase::Leaving { .. }),
            Purpose::Popup => matches!(operation.phase, Phase::Exchanging { .. }),
            _ => false,
        })
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.operations.iter().any(|operation| matches!(operation.phase, Phase::Leaving { .. }))
    }

    pub(super) fn restore(&self) -> Option<&Operation> {
        self.operations.iter().find(|found| matches!(found.purpose, Purpose::Restore { .. }))
    }

    pub(super) fn is_renewing(&self) -> bool {
        self.operations.iter().any(|found| matches!(found.purpose, Purpose::Renew { .. }))
    }

    pub(super) fn renewal(&mut self) -> Option<&mut Operation> {
        let mut running = self.operations.iter_mut();
        running.find(|found| matches!(found.purpose, Purpose::Renew { .. }))
    }

    pub(super) fn start(&mut self, purpose: Purpose, call: Option<CallId>, task: Task) {
        let id = OperationId(self.next_operation);
        self.next_operation = self.next_operation.wrapping_add(1);
        let phase = Phase::Preparing;
        self.operations.push(Operation { id, purpose, phase, call, overtaken: None });
        self.emit(Effect::Start { operation: id, call, task });
    }

    pub(super) fn start_restore(&mut self, may_leave: bool, decides: Option<Contested>) {
        if self.restore().is_none() {
            self.start(Purpose::Restore { may_leave, decides }, None, Task::Restore { may_leave });
        }
    }

    /// Starts a renewal, unless one runs; `any_session` asks the gateway for whichever session there is.
    pub(super) fn start_renewal(&mut self, any_session: bool, now: f64) {
        if self.renewal().is_some() {
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
            let task = Task::EndSession { registration, id };
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
        self.set_phase(id, Phase::Leaving { since: now });
        self.set_error(None);
    }

    /// Ends the operations whose page has left, or did not leave. One that still prepares a call goes on.
    pub(super) fn end_leaving(&mut self) {
        for operation in &mut self.operations {
            if matches!(operation.phase, Phase::Leaving { .. }) {
                operation.phase = Phase::Preparing;
            }
        }
        // One without a call has told its outcome: only the phase kept it.
        self.operations.retain(|found| !(found.purpose == Purpose::Leave && found.call.is_none()));
    }

    /// The page is still there and visible, and began to leave at least so long ago: it did not leave.
    fn stop_leaving(&mut self, now: f64, after_secs: f64) {
        if let Activity::Leaving { since } = self.activity()
            && self.is_visible
            && now - since >= after_secs
        {
            self.end_leaving();
        }
    }

    /// Marks the operations that an event overtakes.
    pub(super) fn overtake(&mut self, by: OvertakenBy, affects: fn(&Operation) -> bool) {
        for operation in &mut self.operations {
            // A sign-out is the strongest: nothing weakens it.
            let is_stronger = match &operation.overtaken {
                None => true,
                // But a restore is asked again after each sign-in.
                Some(OvertakenBy::SignOut(_)) => {
                    matches!(operation.purpose, Purpose::Restore { .. })
                        && by == OvertakenBy::SignIn
                }
                Some(OvertakenBy::SignIn)
                    if matches!(operation.purpose, Purpose::Restore { .. }) =>
                {
                    by == OvertakenBy::SignOut(None)
                }
                Some(_) => matches!(by, OvertakenBy::SignOut(_)),
            };
            if is_stronger && affects(operation) {
                operation.overtaken = Some(by);
            }
        }
    }

    /// Has the requests of operations aborted: nobody wants their outcomes.
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

    pub(super) fn set_error(&mut self, error: Option<(Source, Refusal)>) {
        self.error_source = error.map(|(source, _)| source);
        self.last_error = error.map(|(_, error)| error);
    }

    /// There is no session any more, and what was asked for it is out of date.
    pub(super) fn set_nobody(&mut self, why: NoSession) {
        if let Identity::Session(session) = &self.identity {
            if let Some(id) = session.id {
                self.remember_ended(id);
            }
            self.overtake(OvertakenBy::End, |operation| {
                matches!(operation.purpose, Purpose::Renew { .. })
            });
        }
        self.identity = Identity::Nobody(why);
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

    /// Signs a user in. Between two users there is a snapshot without one.
    pub(super) fn begin(&mut self, mut next: Box<Session>, now: f64) {
        if let Identity::Session(current) = &self.identity {
            if current.is_continued_by(&next) {
                next.lifetime = current.lifetime.carry_over_to(next.lifetime, now);
                next.id = next.id.or(current.id);
            } else {
                let is_same_user = current.user == next.user;
                self.overtake(OvertakenBy::End, |operation| {
                    matches!(operation.purpose, Purpose::Renew { .. })
                });
                if !is_same_user {
                    self.identity = Identity::Unknown;
                    self.publish();
                }
            }
        }
        self.identity = Identity::Session(next);
        self.is_restore_owed = false;
        self.set_error(None);
    }

    /// The session expired. `here`: this tab found out by itself, and must tell the others and the gateway.
    pub(super) fn expire(&mut self, here: bool, now: f64) {
        let Identity::Session(session) = &self.identity else { return };
        if session.is_replaced {
            // What the gateway has is another session, which need not have expired.
            self.set_nobody(NoSession::Expired);
            self.identity = Identity::Unknown;
            return self.start_restore(false, None);
        }
        let (registration, id) = (session.registration, session.id);
        let is_idle = session.lifetime.is_idle(now);
        self.set_nobody(NoSession::Expired);
        self.set_error(Some((Source::Session, Refusal::SessionExpired)));
        if here {
            let session = id;
            let message = if is_idle {
                TabMessage::Idle { session }
            } else {
                TabMessage::Expired { session }
            };
            self.emit(Effect::Post { registration: Some(registration), message });
            self.end_at_gateway(registration, id);
        }
        // Before the report, so that its listener sees the state that it is told of.
        self.publish();
        self.emit(Effect::Report(Report::Expired));
    }

    /// Does what is due, and schedules the next look.
    pub(super) fn run_due_tasks(&mut self, now: f64) {
        self.stop_leaving(now, LEAVING_SECS);
        let mut wait = f64::INFINITY;
        while let Identity::Session(session) = &mut self.identity {
            match session.lifetime.next_action(now) {
                SessionAction::Expire => self.expire(true, now),
                SessionAction::Warn => {
                    let remaining = session.lifetime.remaining(now);
                    self.emit(Effect::Report(Report::Expiring(remaining)));
                }
                SessionAction::Renew => {
                    if self.renewal().is_none() && !self.is_signing_in() {
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
        if let Activity::Leaving { since } = self.activity() {
            wait = wait.min(since + LEAVING_SECS - now).max(0.05);
        }
        if wait.is_finite() {
            self.emit(Effect::Schedule(wait));
        }
    }

    /// Publishes the snapshot, if it changed.
    pub(super) fn publish(&mut self) {
        let snapshot = self.snapshot();
        if snapshot != self.published {
            self.published = snapshot;
            self.emit(Effect::Publish(snapshot));
        }
    }

    /// What failed for want of a network is tried again.
    fn retry(&mut self) {
        if self.is_restore_owed && self.session().is_none() {
            self.start_restore(false, None);
        }
    }
}
