//! The world: what each step does, and how the drivers' operations go on.

use std::collections::VecDeque;

use super::browser::{Flight, Mail, Stage, Step};
use super::gateway::{Ask, Gateway, Jar, Reply, Sealed};
use super::tab::{Payload, Popup, Tab};
use crate::session::lifetime::{Lifetime, RenewalBudget};
use crate::session::{
    Cookie, Effect, Event, Failure, OperationId, Outcome, Registration, Request, Session,
    SessionId, TabMessage, Task, UserDigest,
};

/// The kind of world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    pub tabs: u8,
    pub has_gateway: bool,
    pub has_channel: bool,
    pub has_locks: bool,
    /// The application runs inside another site's frame, where no cookie is kept.
    pub is_framed: bool,
    pub max_age_secs: u16,
    pub idle_secs: u16,
    pub token_secs: u16,
    /// Whether each renewal brings a new ID token.
    pub new_id_tokens: bool,
}

type Holder = (usize, u32, OperationId);

pub struct World {
    pub setting: Setting,
    pub tabs: Vec<Tab>,
    pub gateway: Gateway,
    pub jar: Jar,
    pub flights: Vec<Flight>,
    pub mails: VecDeque<Mail>,
    /// `localStorage`: sign-outs that the gateway has not confirmed.
    /// Each has a name of its own: what ends one sign-out says nothing of another.
    pub marks: Vec<(u32, Option<u32>)>,
    next_mark: u32,
    holders: Vec<Holder>,
    pub now: f64,
    clock_offset: f64,
    sign_ins: u32,
    pages: u32,
    /// When each session's user signed in.
    pub born: Vec<(u32, f64)>,
    /// Sessions that were signed out or whose sign-in failed: none may be found again.
    pub forbidden: Vec<u32>,
    pub violation: Option<String>,
    queue: VecDeque<(usize, u32, Event)>,
    is_draining: bool,
    /// Whether each event and effect is printed.
    pub traces: bool,
}

impl World {
    pub fn new(setting: Setting) -> Self {
        let mut world = Self {
            setting,
            tabs: Vec::new(),
            gateway: Gateway::default(),
            jar: Jar::default(),
            flights: Vec::new(),
            mails: VecDeque::new(),
            marks: Vec::new(),
            next_mark: 0,
            holders: Vec::new(),
            now: 1000.0,
            clock_offset: 0.0,
            sign_ins: 0,
            pages: 0,
            born: Vec::new(),
            forbidden: Vec::new(),
            violation: None,
            queue: VecDeque::new(),
            is_draining: false,
            traces: false,
        };
        for _ in 0..setting.tabs {
            world.tabs.push(Tab::new(world.pages));
            world.pages += 1;
        }
        world
    }

    /// Plays one step.
    pub fn play(&mut self, step: Step) {
        let tab = |number: u8| usize::from(number) % self.tabs.len();
        match step {
            Step::SignIn { tab: number, user } => self.sign_in(tab(number), user),
            Step::LoginStays { tab: number } => self.call(tab(number), Request::Login),
            Step::OpenPopup { tab: number } => self.call(tab(number), Request::Popup),
            Step::FinishPopup { tab: number, user } => {
                let tab = tab(number);
                if self.tabs[tab].runs()
                    && let Some(popup) = self.tabs[tab].popups.pop()
                {
                    self.exchange(tab, popup.operation, user);
                }
            }
            Step::ClosePopup { tab: number } => {
                let tab = tab(number);
                if self.tabs[tab].runs()
                    && let Some(popup) = self.tabs[tab].popups.pop()
                {
                    self.fail(tab, popup.operation, false);
                }
            }
            Step::StaleCallback { tab: number } => self.call(tab(number), Request::Callback),
            Step::SignOut { tab: number } => self.sign_out(tab(number)),
            Step::GetUser { tab: number } => self.call(tab(number), Request::User),
            Step::GetToken { tab: number } => {
                let request = Request::AccessToken { min_validity_secs: 30.0, refused: None };
                self.call(tab(number), request);
            }
            Step::Touch { tab: number } => {
                let at_secs = self.now + self.clock_offset;
                self.send(tab(number), Event::Active { at_secs });
            }
            Step::Network { request } => {
                if !self.flights.is_empty() {
                    self.advance_flight(usize::from(request) % self.flights.len());
                }
            }
            Step::Fail { request } => {
                if !self.flights.is_empty() {
                    let flight = self.flights.remove(usize::from(request) % self.flights.len());
                    if let (Stage::Sent(jar), ask) = (&flight.stage, &flight.ask) {
                        // The gateway has it all the same; nothing of its answer arrives.
                        let _ = self.gateway.answer(ask, jar);
                    }
                    self.lose(&flight);
                }
            }
            Step::Message { message } => {
                if !self.mails.is_empty() {
                    // In order for each receiver and sender; any between them.
                    let chosen = &self.mails[usize::from(message) % self.mails.len()];
                    let way = (chosen.from, chosen.to);
                    let at = self.mails.iter().position(|mail| (mail.from, mail.to) == way);
                    if let Some(at) = at
                        && let Some(mail) = self.mails.remove(at)
                    {
                        self.deliver(mail);
                    }
                }
            }
            Step::Advance { secs } => self.advance(f64::from(secs)),
            Step::BusyMinute { tab: number } => {
                for _ in 0..20 {
                    self.advance(3.0);
                    self.play(Step::GetToken { tab: number });
                    self.deliver_all();
                }
            }
            Step::SetClock { by_secs } => self.clock_offset += f64::from(by_secs),
            Step::Sleep { tab: number } => {
                let tab = tab(number);
                self.tabs[tab].is_asleep = true;
                self.send(tab, Event::Hidden);
            }
            Step::Wake { tab: number } => {
                let tab = tab(number);
                self.tabs[tab].is_asleep = false;
                self.send(tab, Event::Woke { is_focus: false });
            }
            Step::Freeze { tab: number } => {
                let tab = tab(number);
                // A page with requests under way is not kept in the back/forward cache.
                if !self.flights.iter().any(|flight| flight.tab == tab) {
                    self.send(tab, Event::PageHide);
                    self.tabs[tab].is_frozen = true;
                }
            }
            Step::Thaw { tab: number } => self.thaw(tab(number)),
            Step::Reload { tab: number } => self.reload(tab(number)),
            Step::Revoke => {
                if let Some(sealed) = self.jar.current() {
                    self.gateway.revoked.push(sealed.id);
                }
            }
        }
    }

    pub fn thaw(&mut self, tab: usize) {
        if std::mem::take(&mut self.tabs[tab].is_frozen) {
            self.send(tab, Event::PageShow);
        }
    }

    fn sign_in(&mut self, tab: usize, user: u8) {
        if !self.tabs[tab].runs() {
            return;
        }
        self.call(tab, Request::Login);
        self.reload(tab);
        self.tabs[tab].returning = Some(user);
        self.call(tab, Request::Callback);
    }

    fn sign_out(&mut self, tab: usize) {
        if !self.tabs[tab].runs() {
            return;
        }
        // The session that the user sees ends, also if the tab names another to the gateway.
        match self.tabs[tab].machine.session().and_then(|session| session.id) {
            Some(id) => self.forbidden.push(id.0),
            None if self.setting.has_gateway => {
                self.forbidden.extend(self.jar.sessions.keys().copied());
            }
            None => {}
        }
        let page = self.tabs[tab].page;
        for flight in &self.flights {
            if let (Ask::Token { id, .. }, true) =
                (&flight.ask, flight.tab == tab && flight.page == page)
            {
                self.forbidden.push(*id);
            }
        }
        self.call(tab, Request::SignOut);
    }

    pub fn call(&mut self, tab: usize, request: Request) {
        let page = &mut self.tabs[tab];
        if page.runs() {
            let call = crate::session::CallId(page.next_call);
            page.next_call += 1;
            page.calls.push(call);
            self.send(tab, Event::Called { call, request });
        }
    }

    /// The page of a tab is loaded again: its requests are aborted, its locks released.
    pub fn reload(&mut self, tab: usize) {
        let old = self.tabs[tab].page;
        for flight in std::mem::take(&mut self.flights) {
            match &flight.stage {
                _ if flight.tab != tab || flight.page != old => self.flights.push(flight),
                Stage::Sent(jar) => drop(self.gateway.answer(&flight.ask, jar)),
                _ => {}
            }
        }
        self.holders.retain(|(holder, page, _)| *holder != tab || *page != old);
        self.mails.retain(|mail| mail.to != tab);
        self.tabs[tab] = Tab::new(self.pages);
        self.pages += 1;
        self.pump();
    }

    fn deliver(&mut self, mail: Mail) {
        let tab = &self.tabs[mail.to];
        if tab.page == mail.page && tab.runs() {
            let ago_secs = match mail.message {
                TabMessage::Active { at_secs, .. } => {
                    (self.now + self.clock_offset - at_secs).max(0.0)
                }
                _ => 0.0,
            };
            if let TabMessage::SignedOut { session: None } = mail.message {
                self.tabs[mail.to].is_signed_out = true;
            }
            self.send(mail.to, Event::Message { message: mail.message, ago_secs });
        }
    }

    pub fn advance(&mut self, secs: f64) {
        let until = self.now + secs;
        loop {
            let due = (0..self.tabs.len())
                .filter(|at| self.tabs[*at].runs() && !self.tabs[*at].is_asleep)
                .filter_map(|at| self.tabs[at].due_at.map(|due| (due, at)))
                .filter(|(due, _)| *due <= until)
                .min_by(|one, other| one.0.total_cmp(&other.0));
            let Some((due, tab)) = due else { break };
            self.now = self.now.max(due);
            self.tabs[tab].due_at = None;
            self.send(tab, Event::TimerFired);
        }
        self.now = until;
        self.check_stay();
    }

    /// Gives an event to a tab, and does what follows from it.
    pub fn send(&mut self, tab: usize, event: Event) {
        if !self.tabs[tab].runs() {
            return;
        }
        self.queue.push_back((tab, self.tabs[tab].page, event));
        self.drain();
    }

    /// Takes the events that follow from one another, each with all its effects before the next.
    fn drain(&mut self) {
        if std::mem::replace(&mut self.is_draining, true) {
            return;
        }
        while let Some((tab, page, event)) = self.queue.pop_front() {
            if self.tabs[tab].page != page {
                continue;
            }
            if self.traces {
                eprintln!("{} tab {tab} <- {event:?}", self.now);
            }
            let before = self.tabs[tab].machine.session().copied();
            let effects = self.tabs[tab].machine.step(event.clone(), self.now);
            if let Some(before) = before {
                self.check_end(tab, &before, &event);
            }
            if self.traces {
                effects.iter().for_each(|effect| eprintln!("    {effect:?}"));
            }
            for effect in effects {
                self.check_effect(tab, &effect);
                self.apply(tab, effect);
            }
        }
        self.is_draining = false;
        self.pump();
    }

    fn apply(&mut self, tab: usize, effect: Effect) {
        match effect {
            Effect::Start { operation, task, .. } => self.start(tab, operation, task),
            Effect::Cancel(operation) => self.cancel(tab, operation),
            Effect::Settle { call, .. } => self.tabs[tab].calls.retain(|open| *open != call),
            Effect::Post { message, .. } => {
                for to in 0..self.tabs.len() {
                    if to != tab && self.setting.has_channel {
                        let page = self.tabs[to].page;
                        self.mails.push_back(Mail { from: tab, to, page, message });
                    }
                }
            }
            Effect::Schedule(secs) => self.tabs[tab].due_at = Some(self.now + secs),
            Effect::Publish(snapshot) => self.tabs[tab].published = Some(snapshot),
            Effect::ForgetSignOuts(_) => {
                // A sign-in is newer than the sign-outs before it, and no newer than one that came meanwhile.
                let before = std::mem::take(&mut self.tabs[tab].marks_before);
                self.marks.retain(|(mark, _)| !before.contains(mark));
            }
            Effect::Report(_) => {}
        }
    }

    fn start(&mut self, tab: usize, operation: OperationId, task: Task) {
        self.tabs[tab].tasks.insert(operation, task);
        match task {
            Task::Restore { .. } if !self.setting.has_gateway => {
                self.finish(tab, operation, Outcome::NoSession);
            }
            Task::Restore { .. } => self.ask_for_session(tab, operation),
            Task::Renew { id, .. } => {
                // Without an id it is another tab's sign-in that has it ask: those are users, and few.
                let asked = id.map(|id| (self.now, id.0));
                self.tabs[tab].renewals.extend(asked);
                self.ask(tab, operation, Ask::Session { id: id.map(|id| id.0) });
            }
            Task::Leave { .. } => {
                let page = self.tabs[tab].page;
                self.queue.push_back((tab, page, Event::Leaving { operation }));
                self.finish(tab, operation, Outcome::Left);
            }
            Task::Popup => self.tabs[tab].popups.push(Popup { operation }),
            Task::Callback => match self.tabs[tab].returning.take() {
                Some(user) => self.exchange(tab, operation, user),
                None => self.fail(tab, operation, false),
            },
            Task::SignOut { id, .. } | Task::EndSession { id, .. } => {
                self.end_session(tab, operation, id.map(|id| id.0));
            }
        }
    }

    /// A restore delivers the sign-outs that the gateway has not confirmed, and asks for the session.
    fn ask_for_session(&mut self, tab: usize, operation: OperationId) {
        let ask = match self.marks.first() {
            Some(&(mark, id)) if self.can_deliver(tab, operation) => Ask::Delete { id, mark },
            _ => Ask::Session { id: None },
        };
        self.ask(tab, operation, ask);
    }

    fn can_deliver(&self, tab: usize, operation: OperationId) -> bool {
        !self.tabs[tab].undelivering.contains(&operation)
    }

    fn end_session(&mut self, tab: usize, operation: OperationId, id: Option<u32>) {
        if self.setting.has_gateway {
            let mark = self.next_mark;
            self.next_mark += 1;
            self.marks.push((mark, id));
            self.ask(tab, operation, Ask::Delete { id, mark });
        } else {
            self.finish(tab, operation, Outcome::Done);
        }
    }

    fn exchange(&mut self, tab: usize, operation: OperationId, user: u8) {
        self.sign_ins += 1;
        let id = self.sign_ins;
        self.born.push((id, self.now));
        let registration = self.registration();
        let name = SessionId(id);
        self.tabs[tab].marks_before = self.marks.iter().map(|(mark, _)| *mark).collect();
        let page = self.tabs[tab].page;
        self.queue.push_back((tab, page, Event::Exchanging { operation, registration, id: name }));
        self.ask(tab, operation, Ask::Token { id, user });
        self.drain();
    }

    fn registration(&self) -> Registration {
        Registration { handle: 0, has_gateway: self.setting.has_gateway }
    }

    fn ask(&mut self, tab: usize, operation: OperationId, ask: Ask) {
        let page = self.tabs[tab].page;
        let stage = Stage::Queued;
        self.flights.push(Flight { tab, page, operation, ask, stage, is_aborted: false });
    }

    /// Lets the requests go whose turn it is.
    fn pump(&mut self) {
        for at in 0..self.flights.len() {
            let Flight { tab, page, operation, stage: Stage::Queued, .. } = self.flights[at] else {
                continue;
            };
            let own = (tab, page, operation);
            let blocks = |holder: &Holder| {
                *holder != own && (self.setting.has_locks || (holder.0, holder.1) == (tab, page))
            };
            if self.setting.has_gateway && self.holders.iter().any(blocks) {
                continue;
            }
            if !self.holders.contains(&own) {
                self.holders.push(own);
            }
            let jar = if self.setting.is_framed { Jar::default() } else { self.jar.clone() };
            self.flights[at].stage = Stage::Sent(jar);
        }
    }

    fn advance_flight(&mut self, at: usize) {
        let stage = self.flights[at].stage.clone();
        match stage {
            Stage::Queued => {}
            Stage::Sent(jar) => {
                let (reply, cookies) = self.answer(&self.flights[at].clone(), &jar);
                self.flights[at].stage = Stage::Answered(reply, cookies);
                if self.flights[at].is_aborted {
                    self.flights.remove(at);
                }
            }
            Stage::Answered(reply, cookies) => {
                if !self.setting.is_framed {
                    cookies.iter().for_each(|cookie| self.jar.set(cookie));
                }
                self.flights[at].stage = Stage::Head(reply);
            }
            Stage::Head(reply) => {
                let flight = self.flights.remove(at);
                self.answered(&flight, reply);
            }
        }
    }

    fn answer(&mut self, flight: &Flight, jar: &Jar) -> (Reply, Vec<super::gateway::SetCookie>) {
        if self.setting.has_gateway {
            return self.gateway.answer(&flight.ask, jar);
        }
        // The provider itself: a code, or a refresh token of the session's own.
        let reply = match &flight.ask {
            Ask::Token { id, user } => Reply::Tokens(Sealed { id: *id, user: *user, born: 0 }),
            _ => match self.tabs[flight.tab].tasks.get(&flight.operation) {
                Some(Task::Renew { payload, .. }) => {
                    let Payload { id, user } =
                        self.tabs[flight.tab].payloads[*payload as usize].clone();
                    Reply::Tokens(Sealed { id: id.unwrap_or_default(), user, born: 0 })
                }
                _ => Reply::NoSession,
            },
        };
        (reply, Vec::new())
    }

    /// A whole response has arrived.
    fn answered(&mut self, flight: &Flight, reply: Reply) {
        let Flight { tab, page, operation, .. } = *flight;
        if self.tabs[tab].page != page || flight.is_aborted {
            return;
        }
        let Some(task) = self.tabs[tab].tasks.get(&operation).copied() else { return };
        if let Ask::Delete { mark, .. } = &flight.ask {
            self.marks.retain(|(found, _)| found != mark);
        }
        match (task, reply, &flight.ask) {
            (Task::Restore { .. }, Reply::Ended, Ask::Delete { id: None, .. }) => {
                self.finish(tab, operation, Outcome::NoSession);
            }
            (Task::Restore { .. }, _, _)
                if !self.marks.is_empty() && self.can_deliver(tab, operation) =>
            {
                // A sign-out that the gateway has not confirmed, perhaps begun while it was asked.
                self.ask_for_session(tab, operation);
                self.pump();
            }
            (Task::Restore { .. }, Reply::Tokens(sealed), _)
                if self.marks.iter().any(|(_, id)| id.is_none_or(|id| id == sealed.id)) =>
            {
                self.finish(tab, operation, Outcome::NoSession);
            }
            (Task::Restore { .. }, Reply::Ended, _)
            | (Task::Renew { .. }, Reply::NoSession, Ask::Session { id: Some(_) }) => {
                self.ask(tab, operation, Ask::Session { id: None });
                self.pump();
            }
            (Task::Renew { payload, .. }, Reply::Tokens(sealed), _)
                if self.tabs[tab].payloads[payload as usize].id.as_ref() == Some(&sealed.id)
                    && !self.setting.new_id_tokens =>
            {
                let expires_in = Some(f64::from(self.setting.token_secs));
                self.finish(tab, operation, Outcome::Renewed { expires_in });
            }
            (_, Reply::Tokens(sealed), _) => {
                let session = self.session(tab, &sealed);
                self.finish(tab, operation, Outcome::Session(Box::new(session)));
            }
            (_, Reply::NoSession, _) => self.finish(tab, operation, Outcome::NoSession),
            (_, Reply::Ended, _) => self.finish(tab, operation, Outcome::Done),
            (_, Reply::Refused, _) => self.fail(tab, operation, false),
        }
        self.drain();
    }

    fn session(&mut self, tab: usize, sealed: &Sealed) -> Session {
        let Setting { max_age_secs, idle_secs, token_secs, is_framed, .. } = self.setting;
        let born_at = self.born.iter().find(|(id, _)| *id == sealed.id).map_or(0.0, |born| born.1);
        let payloads = &mut self.tabs[tab].payloads;
        payloads.push(Payload { id: Some(sealed.id), user: sealed.user });
        let max_age_at = born_at + f64::from(max_age_secs);
        Session {
            payload: payloads.len() as u32 - 1,
            id: Some(SessionId(sealed.id)),
            user: UserDigest(sealed.user.into()),
            registration: self.registration(),
            cookie: if is_framed { Cookie::Unconfirmed } else { Cookie::Kept },
            tokens: 0,
            is_replaced: false,
            lifetime: Lifetime {
                max_age_at,
                expires_at: max_age_at.min(born_at + 86400.0),
                idle_timeout_secs: Some(f64::from(idle_secs)),
                last_active_at: self.now,
                token_obtained_at: self.now,
                token_expires_at: self.now + f64::from(token_secs),
                is_renewable: true,
                reports_activity: self.setting.has_gateway,
                failures: 0,
                last_renewal_at: 0.0,
                has_warned: false,
                found_idle_at: None,
                budget: RenewalBudget::full(self.now),
            },
        }
    }

    /// The driver hands an outcome back.
    fn finish(&mut self, tab: usize, operation: OperationId, outcome: Outcome) {
        let page = self.tabs[tab].page;
        self.tabs[tab].tasks.remove(&operation);
        self.holders.retain(|holder| *holder != (tab, page, operation));
        self.queue.push_back((tab, page, Event::Finished { operation, outcome }));
    }

    fn fail(&mut self, tab: usize, operation: OperationId, is_retryable: bool) {
        let failure = Failure { error: 1, is_retryable, is_untrusted: false, is_launch: false };
        self.finish(tab, operation, Outcome::Failed(failure));
        self.drain();
    }

    /// A request is lost: its operation fails.
    fn lose(&mut self, flight: &Flight) {
        let Flight { tab, page, operation, .. } = *flight;
        if let Ask::Token { id, .. } = &flight.ask {
            self.forbidden.push(*id);
        }
        if self.tabs[tab].page != page || flight.is_aborted {
            return;
        }
        match (self.tabs[tab].tasks.get(&operation), &flight.ask) {
            (Some(Task::Restore { .. }), Ask::Delete { .. }) => {
                self.tabs[tab].undelivering.insert(operation);
                self.ask_for_session(tab, operation);
                self.pump();
            }
            _ => self.fail(tab, operation, true),
        }
    }

    /// The driver aborts an operation's requests. The gateway may have them; what they answer does not arrive.
    fn cancel(&mut self, tab: usize, operation: OperationId) {
        let page = self.tabs[tab].page;
        let is_its =
            |flight: &Flight| (flight.tab, flight.page, flight.operation) == (tab, page, operation);
        let mut had = false;
        for at in (0..self.flights.len()).rev() {
            if is_its(&self.flights[at]) && !self.flights[at].is_aborted {
                had = true;
                if matches!(self.flights[at].stage, Stage::Sent(_)) {
                    self.flights[at].is_aborted = true;
                } else {
                    self.flights.remove(at);
                }
            }
        }
        let popups = &mut self.tabs[tab].popups;
        had |= popups.iter().any(|popup| popup.operation == operation);
        popups.retain(|popup| popup.operation != operation);
        if had {
            let failure =
                Failure { error: 1, is_retryable: true, is_untrusted: false, is_launch: false };
            self.finish(tab, operation, Outcome::Failed(failure));
        }
    }
}
