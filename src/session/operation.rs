#![expect(missing_docs, reason = "fields named after their types")]
//! What is under way: each operation is one effect with one outcome, and knows what overtook it.

use super::identity::{Registration, SessionId};
use super::step::CallId;

/// Names an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub u32);

/// What the driver is told to do. It hands the outcome back as [`super::Event::Finished`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Restore the session, in the way that the registration has.
    Restore {
        /// Whether this page may be left for it.
        may_leave: bool,
    },
    /// Renew the session of this payload.
    Renew {
        /// The session's payload.
        payload: u32,
        /// The session's id; without it, the gateway is asked for whichever there is.
        id: Option<SessionId>,
    },
    /// Start the login of the operation's call by leaving the page; a launch says which.
    Leave {
        /// Whether it is a launch.
        is_launch: bool,
    },
    /// Start the login of the operation's call in a popup.
    Popup,
    /// Handle the callback URL of the operation's call.
    Callback,
    /// Sign out: end the gateway's session, revoke, and leave for the provider's end-session endpoint.
    SignOut {
        /// The session's payload.
        payload: Option<u32>,
        /// The session's id; without it, whichever there is.
        id: Option<SessionId>,
    },
    /// End the gateway's session of this id; without it, whichever there is.
    EndSession {
        /// The registration.
        registration: Registration,
        /// The session's id.
        id: Option<SessionId>,
    },
    /// End whichever session the gateway has: a launch failed on a page that knows none yet.
    EndUnknownSession,
}

/// What an operation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To find the session again. `decides` is a sign-in that another tab's sign-in overtook: the gateway knows which of
    /// the two holds.
    Restore { may_leave: bool, decides: Option<Contested> },
    /// To renew this session.
    Renew { payload: u32, spares_missing_cookie: bool },
    /// To leave for a login.
    Leave,
    /// A login in a popup.
    Popup,
    /// To handle a callback.
    Callback,
    /// To sign out.
    SignOut,
    /// To end a session at the gateway.
    EndSession,
}

/// A sign-in that another tab's sign-in overtook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contested {
    /// The call that waits for the decision.
    pub call: CallId,
    /// The session that the gateway began for it.
    pub id: SessionId,
    /// The registration.
    pub registration: Registration,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// It prepares or waits: for a configuration, or for the user in a popup.
    Preparing,
    /// The page is leaving, since this time.
    Leaving { since: f64 },
    /// The code is being exchanged for the session of this id.
    Exchanging { registration: Registration, id: SessionId },
}

/// What happened since an operation began that its outcome can't know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OvertakenBy {
    /// A sign-out of this session, or of whichever there was.
    SignOut(Option<SessionId>),
    /// A sign-in in another tab.
    SignIn,
    /// The end of the very session that it was about.
    End,
    /// A later login in a popup.
    Popup,
}

/// One operation under way.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its name.
    pub id: OperationId,
    /// What it is for.
    pub purpose: Purpose,
    /// How far it is.
    pub phase: Phase,
    /// The call that it ends with.
    pub call: Option<CallId>,
    /// What overtook it.
    pub overtaken: Option<OvertakenBy>,
}

/// The strongest of the operations under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activity {
    /// None that shows.
    Idle,
    /// A restore.
    Restoring,
    /// The page is leaving, since this time.
    Leaving { since: f64 },
    /// A code is being exchanged.
    Exchanging,
}

impl Operation {
    /// Whether its outcome, which may be a session, was overtaken.
    pub(super) fn is_overtaken(&self) -> bool {
        self.overtaken.is_some() && self.brings_session()
    }

    /// Whether its outcome may be a session.
    pub(super) fn brings_session(&self) -> bool {
        match self.purpose {
            Purpose::Restore { .. } | Purpose::Renew { .. } => true,
            Purpose::Callback | Purpose::Popup => matches!(self.phase, Phase::Exchanging { .. }),
            Purpose::Leave | Purpose::SignOut | Purpose::EndSession => false,
        }
    }
}
