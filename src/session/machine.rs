//! The machine: its facts, and what each event leads to.

use super::calls::Waiting;
use super::identity::{Identity, NoSession, Registration, Session, SessionId};
use super::messages::TabMessage;
use super::operation::{LeavePage, Operation, Phase, SupersededBy, SupersededSignIn};
use super::operations::{LEAVING_CALL_SECS, LEAVING_SECS};
use super::snapshot::{Snapshot, Status};
use super::step::{Answer, CallId, Effect, Event, Refusal, Report, Source};

/// How many ended sessions are remembered.
const MAX_ENDED: usize = 16;

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
    pub(super) next_operation: u32,
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
            found.is_login() && !matches!(found.superseded_by, Some(SupersededBy::SignOut(_)))
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

    /// Adds an effect. Not inlined, nor are `settle`, `report` and `post`: each copy of `Vec::push` enlarges the WebAssembly.
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
