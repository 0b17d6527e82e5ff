//! The rules, checked after each step and when all is quiet.

use super::world::World;
use crate::session::{
    Activity, Answer, Effect, Event, Identity, Outcome, Request, Session, Status, TabMessage, Task,
};

impl World {
    fn breaks(&mut self, rule: &str, what: String) {
        self.violation.get_or_insert_with(|| format!("rule {rule}: {what}"));
    }

    /// Checks the rules of an effect.
    pub fn check_effect(&mut self, at: usize, effect: &Effect) {
        let tab = &self.tabs[at];
        match effect {
            Effect::Publish(snapshot) => {
                let user = |payload: Option<u32>| {
                    payload.and_then(|at| tab.payloads.get(at as usize)).map(|found| found.user)
                };
                let before = tab.published.and_then(|before| user(before.payload));
                let after = user(snapshot.payload);
                if tab.published == Some(*snapshot) {
                    self.breaks("10", format!("tab {at} publishes {snapshot:?} twice"));
                } else if before.is_some() && after.is_some() && before != after {
                    self.breaks("9", format!("tab {at} goes from user {before:?} to {after:?}"));
                }
            }
            Effect::Settle { call, result } => {
                let is_unknown = matches!(tab.machine.identity(), Identity::Unknown);
                if !tab.calls.contains(call) {
                    self.breaks("10", format!("tab {at} settles {call:?} twice"));
                } else if *result == Ok(Answer::User(None)) && is_unknown {
                    self.breaks("6", format!("tab {at} shows no session without a restore"));
                }
            }
            Effect::Start { task: Task::Renew { id: Some(id), .. }, .. } => {
                let is_recent = |(at, of): &&(f64, u32)| *of == id.0 && *at > self.now - 60.0;
                let recent = tab.renewals.iter().filter(is_recent).count();
                if recent > 10 {
                    self.breaks("8", format!("tab {at} renews {recent} times in a minute"));
                }
            }
            _ => {}
        }
    }

    /// Checks the rules of an event after which a session may have ended.
    pub fn check_end(&mut self, at: usize, before: &Session, event: &Event) {
        if self.tabs[at].machine.session().is_some() {
            return;
        }
        let is_over = before.lifetime.is_expired(self.now);
        match event {
            Event::Message {
                message: TabMessage::Expired { session } | TabMessage::Idle { session },
                ..
            } if !before.is_named_by(*session) && !is_over => {
                self.breaks("4", format!("tab {at} ends {:?} for {session:?}", before.id));
            }
            Event::Finished { outcome: Outcome::NoSession, .. }
                if self.setting.is_framed
                    && !is_over
                    && before.lifetime.has_token_for(0.0, self.now) =>
            {
                self.breaks("12", format!("tab {at} takes a missing cookie for an end"));
            }
            _ => {}
        }
    }

    /// Checks that a visible page that began to leave some seconds ago shows that it did not.
    pub fn check_stay(&mut self) {
        for at in 0..self.tabs.len() {
            let tab = &self.tabs[at];
            let is_seen = tab.runs() && !tab.is_asleep;
            if is_seen && tab.machine.leaves_for_longer_than(6.0, self.now) {
                self.breaks("5", format!("tab {at} leaves for ever"));
            }
        }
    }

    /// Lets everything that is under way end well, and checks what must hold then.
    pub fn settle_down(&mut self) {
        self.deliver_all();
        for tab in 0..self.tabs.len() {
            self.thaw(tab);
            self.tabs[tab].is_asleep = false;
            while !self.tabs[tab].popups.is_empty() {
                self.play(super::browser::Step::ClosePopup { tab: tab as u8 });
            }
        }
        self.deliver_all();
        for _ in 0..2 {
            for tab in 0..self.tabs.len() {
                self.send(tab, Event::Woke { is_focus: false });
            }
            self.advance(6.0);
            self.deliver_all();
        }
        for tab in 0..self.tabs.len() {
            self.call(tab, Request::User);
        }
        self.deliver_all();
        // A tab at its idle limit waits a moment for what others tell.
        self.advance(1.0);
        self.deliver_all();
        self.check_exits();
        // A tab that missed the messages finds out at its next renewal.
        for _ in 0..3 {
            self.advance(f64::from(self.setting.token_secs) / 2.0 + 70.0);
            self.deliver_all();
        }
        self.check_agreement();
        // What a reload finds.
        self.reload(0);
        self.call(0, Request::User);
        self.deliver_all();
        self.check_forbidden();
    }

    pub fn deliver_all(&mut self) {
        for round in 0..2000u32 {
            if self.flights.is_empty() && self.mails.is_empty() {
                return;
            }
            self.play(super::browser::Step::Message { message: 0 });
            self.play(super::browser::Step::Network { request: round as u8 });
        }
        self.breaks("5", "requests or messages without end".to_owned());
    }

    fn check_exits(&mut self) {
        for at in 0..self.tabs.len() {
            let tab = &self.tabs[at];
            let status = tab.machine.snapshot().status;
            let open = tab.calls.len();
            let restore_failed = tab.machine.fails_for_want_of_network();
            if status == Status::Redirecting || status == Status::SigningIn {
                self.breaks("5", format!("tab {at} stays {status:?}"));
            } else if open > 0 {
                self.breaks("10", format!("tab {at} leaves {open} calls unsettled"));
            } else if restore_failed {
                self.breaks("7", format!("tab {at} does not ask again"));
            }
        }
    }

    fn check_agreement(&mut self) {
        let found = self.jar.current().filter(|sealed| !self.gateway.revoked.contains(&sealed.id));
        let found = found.map(|sealed| sealed.id);
        let mut users = Vec::new();
        for at in 0..self.tabs.len() {
            let machine = &self.tabs[at].machine;
            let shown = machine.session().and_then(|session| session.id).map(|id| id.0);
            let has_no_session = matches!(machine.identity(), Identity::NoSession(_));
            users.extend(self.tabs[at].shown().map(|payload| payload.user));
            if !self.setting.has_gateway || self.setting.is_framed {
                continue;
            }
            // That the gateway has none may have another tab's idleness for its reason: the next renewal tells.
            let is_other = found.is_some()
                || self.setting.has_channel
                    && shown.as_ref().is_some_and(|id| self.forbidden.contains(id));
            if shown.is_some() && shown != found && is_other {
                self.breaks("3", format!("tab {at} shows {shown:?}, the gateway has {found:?}"));
            } else if has_no_session
                && found.is_some()
                && self.setting.has_channel
                && !self.tabs[at].is_signed_out
                // A sign-out that the gateway has not received: the next page ends the session first.
                && !self.marks.iter().any(|(_, mark)| mark.is_none() || *mark == found)
            {
                self.breaks("3", format!("tab {at} shows no user, the gateway has {found:?}"));
            }
        }
        users.dedup();
        if users.len() > 1 && self.setting.has_channel {
            self.breaks("3", format!("the tabs show the users {users:?}"));
        }
    }

    fn check_forbidden(&mut self) {
        for at in 0..self.tabs.len() {
            if let Some(id) = self.tabs[at].machine.session().and_then(|session| session.id)
                && self.forbidden.contains(&id.0)
                && (self.setting.has_channel || at == 0)
            {
                self.breaks("2", format!("tab {at} shows {}, which had ended", id.0));
            }
        }
    }
}

impl crate::session::Machine {
    fn leaves_for_longer_than(&self, secs: f64, now: f64) -> bool {
        self.is_visible && self.activity() == Activity::Leaving && now - self.leaving_since > secs
    }

    fn fails_for_want_of_network(&self) -> bool {
        self.has_failed_restore && self.session().is_none()
    }
}
