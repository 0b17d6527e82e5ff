#![expect(missing_docs, reason = "fields named after their types")]
//! The operations under way. Each is one effect with one outcome, and has the event that superseded it.

use super::identity::{Registration, SessionId};
use super::step::CallId;

/// Names an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub u32);

/// Whether a restore may leave the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeavePage {
    /// It may.
    Allowed,
    /// The page stays.
    Forbidden,
}

/// A task for the driver, which returns the outcome as [`super::Event::Finished`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Restore the session, in the way that the registration has.
    Restore {
        /// Whether this page may be left for it.
        leave_page: LeavePage,
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
        /// The registration; without it, the page's.
        registration: Option<Registration>,
        /// The session's id.
        id: Option<SessionId>,
    },
}

/// The purpose of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To restore the session.
    Restore { leave_page: LeavePage },
    /// To renew this session. If it `tolerates_missing_cookie`, the outcome that there is no session does not end it: a browser
    /// may keep no cookie in a frame.
    Renew { payload: u32, tolerates_missing_cookie: bool },
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

/// A sign-in that another tab's sign-in superseded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupersededSignIn {
    /// The call that waits for the decision.
    pub call: CallId,
    /// The session that the gateway began for it.
    pub id: SessionId,
    /// The registration.
    pub registration: Registration,
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It prepares or waits: for a configuration, or for the user in a popup.
    Preparing,
    /// The page is leaving.
    Leaving,
    /// The code is being exchanged for the session of this id.
    Exchanging { registration: Registration, id: SessionId },
}

/// An event since an operation began which its outcome does not include.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupersededBy {
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
    /// Its purpose.
    pub purpose: Purpose,
    /// How far it is.
    pub phase: Phase,
    /// The call that it ends with.
    pub call: Option<CallId>,
    /// The event that superseded it.
    pub superseded_by: Option<SupersededBy>,
}

/// The part of an operation that the snapshot shows: of several operations, the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// Nothing.
    Idle,
    /// A restore.
    Restoring,
    /// The page is leaving.
    Leaving,
    /// A code is being exchanged.
    Exchanging,
}

impl Operation {
    pub(super) fn is_leaving(&self) -> bool {
        self.phase == Phase::Leaving
    }

    pub(super) fn is_restore(&self) -> bool {
        matches!(self.purpose, Purpose::Restore { .. })
    }

    /// Returns whether a user signs in by it.
    pub(super) fn is_login(&self) -> bool {
        matches!(self.purpose, Purpose::Leave | Purpose::Popup | Purpose::Callback)
    }

    /// Returns what the operation shows of itself.
    pub(super) fn activity(&self) -> Activity {
        match (&self.phase, &self.purpose) {
            (Phase::Exchanging { .. }, Purpose::Callback | Purpose::Popup) => Activity::Exchanging,
            (Phase::Leaving, _) => Activity::Leaving,
            (_, Purpose::Restore { .. }) => Activity::Restoring,
            _ => Activity::Idle,
        }
    }

    /// Returns whether an event takes the place of the one that superseded the operation before.
    ///
    /// | superseded by | a restore: again by | another operation: again by |
    /// |---|---|---|
    /// | nothing | every event | every event |
    /// | a sign-in | a sign-out of whichever session | a sign-out |
    /// | the end of its session, a popup | a sign-in, a sign-out | a sign-out |
    /// | a sign-out | a sign-in, since each is followed by a restore | nothing |
    pub(super) fn is_outranked_by(&self, by: SupersededBy) -> bool {
        let is_restore = self.is_restore();
        match (self.superseded_by, by) {
            (None, _) => true,
            (Some(SupersededBy::SignIn), SupersededBy::SignOut(Some(_))) => !is_restore,
            (Some(SupersededBy::SignIn), SupersededBy::SignIn) => false,
            (Some(_), SupersededBy::SignIn) => is_restore,
            (Some(SupersededBy::SignOut(_)), _) => false,
            (Some(_), by) => matches!(by, SupersededBy::SignOut(_)),
        }
    }

    /// Returns whether its outcome may be a session and was superseded.
    pub(super) fn is_superseded(&self) -> bool {
        self.superseded_by.is_some() && self.brings_session()
    }

    /// Returns whether its outcome may be a session.
    pub(super) fn brings_session(&self) -> bool {
        match self.purpose {
            Purpose::Restore { .. } | Purpose::Renew { .. } => true,
            Purpose::Callback | Purpose::Popup => matches!(self.phase, Phase::Exchanging { .. }),
            Purpose::Leave | Purpose::SignOut | Purpose::EndSession => false,
        }
    }
}
