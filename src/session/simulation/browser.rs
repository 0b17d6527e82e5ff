//! The steps of a schedule, and the state of the browser.

use super::gateway::{Ask, Reply, SetCookie};
use crate::session::{OperationId, TabMessage};

/// One thing that happens. Numbers choose among what there is, modulo its count; without any, nothing happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// The user presses "sign in", is at the provider at once, and comes back as this user with a callback.
    SignIn {
        tab: u8,
        user: u8,
    },
    /// The user presses "sign in", and the provider does not take the page away.
    LoginStays {
        tab: u8,
    },
    OpenPopup {
        tab: u8,
    },
    /// The user finishes at the provider in the popup.
    FinishPopup {
        tab: u8,
        user: u8,
    },
    ClosePopup {
        tab: u8,
    },
    /// A stale callback link is opened in this tab.
    StaleCallback {
        tab: u8,
    },
    SignOut {
        tab: u8,
    },
    GetUser {
        tab: u8,
    },
    GetToken {
        tab: u8,
    },
    Touch {
        tab: u8,
    },
    /// A request goes one stage further: it reaches the gateway, its response's head arrives, its body arrives.
    Network {
        request: u8,
    },
    /// A request fails at its stage.
    Fail {
        request: u8,
    },
    /// A message arrives.
    Message {
        message: u8,
    },
    /// Time passes; timers of awake tabs fire.
    Advance {
        secs: u16,
    },
    /// A minute in which every response arrives at once, and a page asks for its token every three seconds.
    BusyMinute {
        tab: u8,
    },
    /// The device's wall clock is set.
    SetClock {
        by_secs: i16,
    },
    Sleep {
        tab: u8,
    },
    Wake {
        tab: u8,
    },
    Freeze {
        tab: u8,
    },
    Thaw {
        tab: u8,
    },
    Reload {
        tab: u8,
    },
    /// The provider ends the grant of the session that the gateway has.
    Revoke,
}

/// How far a request is.
#[derive(Clone, Debug)]
pub enum Stage {
    /// It waits for the lock of the registration.
    Queued,
    /// It is on its way to the gateway, with the cookies of when it was sent.
    Sent(super::gateway::Jar),
    /// The response's head is on its way.
    Answered(Reply, Vec<SetCookie>),
    /// The head is there; the body is on its way.
    Head(Reply),
}

/// A request of an operation.
#[derive(Clone, Debug)]
pub struct Flight {
    pub tab: usize,
    /// Which page of the tab it belongs to: a reload makes another.
    pub page: u32,
    pub operation: OperationId,
    pub ask: Ask,
    pub stage: Stage,
    pub is_aborted: bool,
}

/// A message under way.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: usize,
    pub to: usize,
    pub page: u32,
    pub message: TabMessage,
}
