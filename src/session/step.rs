#![expect(missing_docs, reason = "fields named after their types")]
//! The machine's input and output.

use super::identity::{Registration, Session, SessionId};
use super::messages::TabMessage;
use super::operation::{OperationId, Task};
use super::snapshot::Snapshot;

/// Names a call of the application. Each is settled exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u32);

/// A call of the application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Request {
    /// `getUser`.
    User,
    /// `restoreSession`.
    Restore,
    /// `getAccessToken`: valid for so many seconds, and another than the refused one, named by
    /// its payload and [`Session::tokens`].
    AccessToken { min_validity_secs: f64, refused: Option<(u32, u32)> },
    /// `getIdToken`.
    IdToken,
    /// `startLogin`.
    Login,
    /// `handleLaunch`.
    Launch,
    /// `startLogin` in a popup.
    Popup,
    /// `handleCallback`.
    Callback,
    /// `logout`.
    SignOut,
}

/// An input of the machine.
#[derive(Clone, Debug)]
pub enum Event {
    /// The application called.
    Called { call: CallId, request: Request },
    /// An operation is about to leave the page.
    Leaving { operation: OperationId },
    /// An operation is about to exchange a code for the session of this id.
    Exchanging { operation: OperationId, registration: Registration, id: SessionId },
    /// An operation finished.
    Finished { operation: OperationId, outcome: Outcome },
    /// Another tab posted a message, this many seconds ago as far as it says.
    Message { message: TabMessage, ago_secs: f64 },
    /// The scheduled time has come.
    TimerFired,
    /// The user was active; the wall clock's time in seconds since 1970.
    Active { at_secs: f64 },
    /// The page came into view, got the focus, or came online.
    Woke { is_focus: bool },
    /// The page went out of view.
    Hidden,
    /// The page goes into the back/forward cache.
    PageHide,
    /// The page is restored from there.
    PageShow,
    /// The client was closed.
    Closed,
}

/// Where a failure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A restore.
    Restore,
    /// A login.
    Login,
    /// A session that ended.
    Session,
}

/// A failure, with the driver's handle for the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The driver's handle.
    pub error: u32,
    /// Whether the same call may succeed later; of a callback, with the same URL.
    pub is_retryable: bool,
    /// Whether what came is not to be believed, rather than that nothing came.
    pub is_untrusted: bool,
    /// Whether it ended a launch that this client restarted.
    pub is_launch: bool,
}

/// The outcome of an operation.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A session: signed in, restored, or renewed with a new ID token.
    Session(Box<Session>),
    /// The session was renewed without a new ID token.
    Renewed { expires_in: Option<f64> },
    /// There is no session; of a renewal, the grant is over.
    NoSession,
    /// The page is being left.
    Left,
    /// It is done, and the driver holds what its call settles with.
    Done,
    /// It failed.
    Failed(Failure),
}

/// The value that a call resolves with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The user of a payload, or `null`.
    User(Option<u32>),
    /// The access token of a payload.
    AccessToken(u32),
    /// The ID token of a payload.
    IdToken(u32),
    /// The result that the driver holds for the call.
    Operation,
}

/// An error: what a call rejects with, what shows in the snapshot, what an event reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An error that the driver holds.
    Error(u32),
    /// An error that the driver holds, of a callback whose URL may be tried again.
    Retryable(u32),
    /// `not_signed_in`.
    NotSignedIn,
    /// `not_signed_in`: the sign-in was superseded by a sign-out or by another sign-in.
    Superseded,
    /// `session_expired`.
    SessionExpired,
    /// `renewal_unavailable`: the access token cannot last as long as was asked for.
    RenewalUnavailable,
    /// `renewal_unavailable`, with the error that the driver holds as its cause.
    RenewalFailed(u32),
    /// `user_mismatch`: another user signed in while the access token was renewed.
    UserChanged,
}

/// An event for `onEvent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Report {
    /// `login.succeeded`, with the operation.
    LoginSucceeded(OperationId),
    /// `login.failed`, with the operation and the error.
    LoginFailed(OperationId, Refusal),
    /// `session.restored`.
    Restored(OperationId),
    /// `token.renewed`.
    Renewed(OperationId),
    /// `token.renewal_failed`, with the error.
    RenewalFailed(OperationId, Refusal),
    /// `session.expiring`, in so many seconds.
    Expiring(f64),
    /// `session.expired`.
    Expired,
}

/// An output of the machine: the driver applies them in this order.
#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// Start an operation.
    Start { operation: OperationId, call: Option<CallId>, task: Task },
    /// Abort the requests of an operation whose outcome is not wanted. It finishes all the same.
    Cancel(OperationId),
    /// Settle a call.
    Settle { call: CallId, result: Result<Answer, Refusal> },
    /// Post a message on the registration's channel.
    Post { registration: Option<Registration>, message: TabMessage },
    /// Schedule [`Event::TimerFired`], in so many seconds; a later one replaces an earlier one.
    Schedule(f64),
    /// Publish a snapshot.
    Publish(Snapshot),
    /// Report to `onEvent`.
    Report(Report),
    /// Forget the sign-outs that the gateway had not confirmed when the exchange of this operation began: its sign-in is
    /// newer.
    ForgetSignOuts(OperationId),
}
