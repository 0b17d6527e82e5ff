//! Each fault that was found in the package or by the simulation, as a schedule of its own, named after what a user would
//! have seen.

use super::browser::{Stage, Step};
use super::gateway::Ask;
use super::world::{Setting, World};
use crate::session::{Effect, Event, Report, Request, Status};

const GATEWAY: Setting = Setting {
    tabs: 2,
    has_gateway: true,
    has_channel: true,
    has_locks: true,
    is_framed: false,
    max_age_secs: 28800,
    idle_secs: 28800,
    token_secs: 300,
    new_id_tokens: false,
};

const PUBLIC_CLIENT: Setting = Setting { has_gateway: false, ..GATEWAY };

const ANA: u8 = 1;
const BEN: u8 = 2;

impl World {
    /// Lets the newest request of a tab go one stage further.
    fn forward(&mut self, tab: usize) {
        let at = self.flights.iter().rposition(|flight| flight.tab == tab).unwrap();
        self.play(Step::Network { request: at as u8 });
    }

    fn fail_request(&mut self, tab: usize) {
        let at = self.flights.iter().rposition(|flight| flight.tab == tab).unwrap();
        self.play(Step::Fail { request: at as u8 });
    }

    fn sign_in_whole(&mut self, tab: u8, user: u8) {
        self.play(Step::SignIn { tab, user });
        self.deliver_all();
        assert_eq!(self.user(tab), Some(user));
    }

    fn user(&self, tab: u8) -> Option<u8> {
        self.tabs[usize::from(tab)].shown().map(|payload| payload.user)
    }

    fn status(&self, tab: u8) -> Status {
        self.tabs[usize::from(tab)].machine.snapshot().status
    }

    fn user_after_reload(&mut self, tab: u8) -> Option<u8> {
        self.play(Step::Reload { tab });
        self.play(Step::GetUser { tab });
        self.deliver_all();
        self.user(tab)
    }

    fn ends_well(mut self) {
        self.settle_down();
        assert_eq!(self.violation, None);
    }
}

#[test]
fn reload_shows_no_user_after_a_sign_out_whose_renewal_was_answered_late() {
    for has_locks in [true, false] {
        let mut world = World::new(Setting { has_locks, ..GATEWAY });
        world.sign_in_whole(0, ANA);
        world.advance(250.0);
        world.forward(0);
        assert!(matches!(world.flights[0].stage, Stage::Answered(..)), "the renewal is held");
        let held = world.flights[0].stage.clone();
        world.play(Step::SignOut { tab: 0 });
        world.deliver_all();
        // However that was aborted, its cookie arrives.
        if let Stage::Answered(_, cookies) = held {
            cookies.iter().for_each(|cookie| world.jar.set(cookie));
        }
        assert_eq!(world.user_after_reload(0), None);
        assert_eq!(world.user_after_reload(1), None);
        world.ends_well();
    }
}

#[test]
fn reload_shows_the_second_user_after_a_renewal_of_the_first_was_answered_late() {
    let mut world = World::new(Setting { has_locks: false, ..GATEWAY });
    world.sign_in_whole(0, ANA);
    world.play(Step::Sleep { tab: 1 });
    world.advance(250.0);
    world.forward(0);
    world.play(Step::SignIn { tab: 1, user: BEN });
    for _ in 0..3 {
        world.forward(1);
    }
    world.deliver_all();
    assert_eq!(world.user_after_reload(0), Some(BEN));
    assert_eq!(world.user_after_reload(1), Some(BEN));
    world.ends_well();
}

#[test]
fn tab_shows_the_other_user_after_its_popup_sign_in_failed() {
    let mut world = World::new(Setting { has_locks: false, ..GATEWAY });
    world.sign_in_whole(0, ANA);
    world.play(Step::OpenPopup { tab: 0 });
    world.play(Step::FinishPopup { tab: 0, user: ANA });
    world.play(Step::SignIn { tab: 1, user: BEN });
    for _ in 0..3 {
        world.forward(1);
    }
    world.play(Step::Message { message: 0 });
    world.fail_request(0);
    world.deliver_all();
    assert_eq!(world.user(0), Some(BEN));
    world.ends_well();
}

#[test]
fn expiry_of_an_old_tab_leaves_the_fresh_session_of_another_tab() {
    for setting in [GATEWAY, PUBLIC_CLIENT] {
        let mut world = World::new(Setting { max_age_secs: 600, ..setting });
        world.sign_in_whole(0, ANA);
        world.play(Step::Sleep { tab: 0 });
        world.advance(590.0);
        world.play(Step::SignIn { tab: 1, user: ANA });
        while world.user(1).is_none() {
            world.forward(1);
        }
        world.mails.clear();
        world.advance(20.0);
        world.play(Step::Wake { tab: 0 });
        world.deliver_all();
        assert_eq!(world.user(1), Some(ANA));
        if setting.has_gateway {
            assert_eq!(world.user_after_reload(1), Some(ANA));
        }
    }
}

#[test]
fn popup_signs_in_although_the_old_session_ended_while_it_was_open() {
    let mut world = World::new(Setting { max_age_secs: 600, ..GATEWAY });
    world.sign_in_whole(0, ANA);
    world.play(Step::OpenPopup { tab: 0 });
    world.advance(700.0);
    world.deliver_all();
    assert_eq!(world.status(0), Status::Error);
    world.play(Step::FinishPopup { tab: 0, user: ANA });
    world.deliver_all();
    assert_eq!(world.user(0), Some(ANA));
    assert_eq!(world.user_after_reload(0), Some(ANA));
    world.ends_well();
}

#[test]
fn user_in_a_frame_without_cookies_stays_signed_in_after_the_first_renewal() {
    let mut world = World::new(Setting { is_framed: true, ..GATEWAY });
    world.sign_in_whole(0, ANA);
    world.advance(250.0);
    world.deliver_all();
    assert_eq!(world.user(0), Some(ANA));
    world.ends_well();
}

#[test]
fn user_in_a_frame_stays_signed_in_when_they_sign_in_again_in_another() {
    let mut world = World::new(Setting { is_framed: true, ..GATEWAY });
    world.sign_in_whole(0, ANA);
    world.sign_in_whole(1, ANA);
    assert_eq!((world.user(0), world.user(1)), (Some(ANA), Some(ANA)));
    world.ends_well();
}

#[test]
fn late_sign_out_of_an_old_session_does_not_hide_the_new_one_from_a_tab() {
    let mut world = World::new(Setting { tabs: 3, has_locks: false, ..GATEWAY });
    world.sign_in_whole(0, ANA);
    for tab in [1, 2] {
        world.play(Step::GetUser { tab });
        world.deliver_all();
    }
    world.play(Step::SignIn { tab: 0, user: ANA });
    for _ in 0..3 {
        world.forward(0);
    }
    world.play(Step::SignOut { tab: 1 });
    world.play(Step::SignOut { tab: 2 });
    world.deliver_all();
    assert_eq!((world.user(1), world.user(2)), (Some(ANA), Some(ANA)));
    world.ends_well();
}

#[test]
fn renewal_does_not_bring_back_a_session_that_was_signed_out_while_it_was_under_way() {
    let mut world = World::new(Setting { tabs: 2, ..GATEWAY });
    world.sign_in_whole(0, ANA);
    world.play(Step::SignIn { tab: 1, user: ANA });
    for _ in 0..3 {
        world.forward(1);
    }
    world.play(Step::SignOut { tab: 1 });
    world.fail_request(1);
    world.deliver_all();
    assert_eq!((world.user(0), world.user(1)), (None, None));
    assert_eq!(world.user_after_reload(0), None);
    world.ends_well();
}

#[test]
fn popup_sign_in_that_failed_is_not_brought_back_by_the_renewal_after_it() {
    let mut world = World::new(GATEWAY);
    world.sign_in_whole(0, ANA);
    world.play(Step::OpenPopup { tab: 0 });
    world.play(Step::FinishPopup { tab: 0, user: ANA });
    world.forward(0);
    world.forward(0);
    // Its cookie is there, its body is not; and the request that ends it is lost, too.
    world.fail_request(0);
    world.fail_request(0);
    world.deliver_all();
    let shown = world.tabs[0].shown().and_then(|payload| payload.id);
    assert_ne!(shown, Some(2));
    world.ends_well();
}

#[test]
fn stale_callback_link_does_not_hide_the_user_of_the_session_cookie() {
    let mut world = World::new(GATEWAY);
    world.sign_in_whole(0, ANA);
    world.play(Step::Reload { tab: 0 });
    world.play(Step::StaleCallback { tab: 0 });
    assert_eq!(world.status(0), Status::Error);
    world.play(Step::GetUser { tab: 0 });
    world.deliver_all();
    assert_eq!(world.user(0), Some(ANA));
    world.ends_well();
}

#[test]
fn button_is_back_when_the_provider_did_not_take_the_page() {
    let stays = || {
        let mut world = World::new(GATEWAY);
        world.play(Step::GetUser { tab: 0 });
        world.deliver_all();
        world.play(Step::LoginStays { tab: 0 });
        assert_eq!(world.status(0), Status::Redirecting);
        world
    };
    let mut seconds_later = stays();
    seconds_later.advance(6.0);
    assert_eq!(seconds_later.status(0), Status::SignedOut);
    let mut at_focus = stays();
    at_focus.send(0, Event::Woke { is_focus: true });
    assert_eq!(at_focus.status(0), Status::SignedOut);
    let mut next_call = stays();
    next_call.advance(2.0);
    next_call.play(Step::GetUser { tab: 0 });
    assert_eq!(next_call.status(0), Status::SignedOut);
    next_call.ends_well();
}

#[test]
fn page_loaded_offline_shows_the_user_when_the_network_is_back() {
    let mut world = World::new(GATEWAY);
    world.sign_in_whole(0, ANA);
    world.play(Step::Reload { tab: 0 });
    world.play(Step::GetUser { tab: 0 });
    world.fail_request(0);
    assert_eq!(world.status(0), Status::Error);
    world.send(0, Event::Woke { is_focus: false });
    world.deliver_all();
    assert_eq!(world.user(0), Some(ANA));
    world.ends_well();
}

#[test]
fn sign_in_that_timed_out_leaves_nothing_for_a_reload() {
    let mut world = World::new(GATEWAY);
    world.play(Step::SignIn { tab: 0, user: ANA });
    world.forward(0);
    world.forward(0);
    assert!(world.jar.current().is_some(), "its cookie is there, its body is not");
    world.fail_request(0);
    assert_eq!(world.status(0), Status::Error);
    world.deliver_all();
    assert_eq!(world.user_after_reload(0), None);
    world.ends_well();
}

#[test]
fn tokens_that_are_spent_at_once_are_renewed_less_and_less_often() {
    for new_id_tokens in [true, false] {
        let mut world = World::new(Setting { token_secs: 0, new_id_tokens, ..GATEWAY });
        world.sign_in_whole(0, ANA);
        let begun_at = world.now;
        while world.now < begun_at + 600.0 {
            world.advance(0.5);
            world.play(Step::GetToken { tab: 0 });
            world.deliver_all();
        }
        let within = |from: f64, to: f64| {
            let times = world.tabs[0].renewals.iter();
            times.filter(|(at, _)| (from..to).contains(&(at - begun_at))).count()
        };
        assert!(within(0.0, 60.0) <= 10, "{}", within(0.0, 60.0));
        assert!(within(540.0, 600.0) <= 4, "{}", within(540.0, 600.0));
    }
}

#[test]
fn popup_that_lost_is_closed_without_an_error() {
    let mut world = World::new(GATEWAY);
    world.play(Step::OpenPopup { tab: 0 });
    world.play(Step::OpenPopup { tab: 0 });
    assert_eq!(world.tabs[0].popups.len(), 1, "the second press replaces the first");
    world.play(Step::FinishPopup { tab: 0, user: ANA });
    world.deliver_all();
    assert_eq!((world.user(0), world.status(0)), (Some(ANA), Status::SignedIn));
    world.ends_well();
}

#[test]
fn sign_out_ends_the_sign_in_that_the_gateway_had_to_decide_on() {
    let mut world = World::new(Setting { tabs: 3, ..GATEWAY });
    world.sign_in_whole(0, ANA);
    world.play(Step::SignIn { tab: 1, user: BEN });
    let message = crate::session::TabMessage::SignedIn {
        session: None,
        user: crate::session::UserDigest(99),
    };
    world.send(1, Event::Message { message, ago_secs: 0.0 });
    while !matches!(world.flights.last().map(|flight| &flight.ask), Some(Ask::Session { .. })) {
        world.forward(1);
    }
    world.play(Step::SignOut { tab: 1 });
    world.deliver_all();
    assert_eq!(world.user_after_reload(1), None);
    world.ends_well();
}

#[test]
fn network_without_delete_keeps_no_user_from_signing_in_again() {
    let mut world = World::new(GATEWAY);
    world.sign_in_whole(0, ANA);
    world.play(Step::SignOut { tab: 0 });
    world.fail_request(0);
    world.play(Step::Reload { tab: 0 });
    world.play(Step::GetUser { tab: 0 });
    world.fail_request(0);
    world.deliver_all();
    assert_eq!((world.user(0), world.marks.len()), (None, 1));
    assert_eq!(world.status(0), Status::SignedOut);
    world.sign_in_whole(0, BEN);
    assert!(world.marks.is_empty(), "the sign-in is newer than the sign-out");
    assert_eq!(world.user_after_reload(0), Some(BEN));
    world.ends_well();
}

#[test]
fn network_without_delete_keeps_no_user_from_signing_in_after_an_unnamed_sign_out() {
    let mut world = World::new(GATEWAY);
    world.sign_in_whole(0, ANA);
    world.play(Step::Reload { tab: 0 });
    world.play(Step::SignOut { tab: 0 });
    assert_eq!(world.marks.len(), 1);
    assert_eq!(world.marks[0].1, None, "the page did not know whose session it ends");
    world.fail_request(0);
    world.play(Step::Reload { tab: 0 });
    world.play(Step::GetUser { tab: 0 });
    world.fail_request(0);
    world.deliver_all();
    assert_eq!((world.user(0), world.status(0)), (None, Status::SignedOut));
    world.sign_in_whole(0, BEN);
    assert_eq!(world.user_after_reload(0), Some(BEN));
    world.ends_well();
}

#[test]
fn two_sign_outs_at_once_keep_a_mark_each() {
    let mut world = World::new(GATEWAY);
    world.sign_in_whole(0, ANA);
    world.play(Step::Reload { tab: 0 });
    world.play(Step::Reload { tab: 1 });
    world.play(Step::SignOut { tab: 0 });
    world.play(Step::SignOut { tab: 1 });
    world.fail_request(1);
    assert_eq!(world.marks.len(), 2);
    world.deliver_all();
    assert_eq!(world.marks.len(), 1, "a sign-out that the gateway did not receive is still marked");
    assert_eq!(world.user_after_reload(1), None);
    assert!(world.marks.is_empty());
}

#[test]
fn listener_sees_the_state_that_an_event_reports() {
    let mut world = World::new(Setting { max_age_secs: 600, ..GATEWAY });
    world.sign_in_whole(0, ANA);
    world.tabs[0].is_asleep = true;
    world.advance(700.0);
    let effects = world.tabs[0].machine.step(Event::TimerFired, world.now);
    let at = |wanted: &dyn Fn(&Effect) -> bool| effects.iter().position(wanted);
    let published = at(&|effect| matches!(effect, Effect::Publish(_)));
    let reported = at(&|effect| matches!(effect, Effect::Report(Report::Expired)));
    assert!(published.is_some() && published < reported);
    let call = crate::session::CallId(99);
    let effects =
        world.tabs[0].machine.step(Event::Called { call, request: Request::User }, world.now);
    let settled = effects.iter().filter(|effect| matches!(effect, Effect::Settle { .. })).count();
    assert_eq!(settled, 1);
}
