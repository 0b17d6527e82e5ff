//! The state that the application sees, as a function of the three facts.

use super::identity::Identity;
use super::machine::Machine;
use super::operation::Activity;
use super::step::Refusal;

/// `Status` in the package's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is not known who is signed in.
    Loading,
    /// There is no session.
    SignedOut,
    /// The page is leaving for the provider.
    Redirecting,
    /// A code is being exchanged.
    SigningIn,
    /// There is a session.
    SignedIn,
    /// Something failed, or the session expired.
    Error,
}

impl Status {
    /// The status as the application sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::SignedOut => "signed-out",
            Self::Redirecting => "redirecting",
            Self::SigningIn => "signing-in",
            Self::SignedIn => "signed-in",
            Self::Error => "error",
        }
    }
}

/// A snapshot, with the driver's handles for the user and the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where the client stands.
    pub status: Status,
    /// The payload of the session whose user shows.
    pub payload: Option<u32>,
    /// The error that shows.
    pub error: Option<Refusal>,
}

impl Machine {
    /// Returns the state that the application sees.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let plain = |status| Snapshot { status, payload: None, error: None };
        match (self.activity(), &self.identity, self.last_error()) {
            (Activity::Exchanging, ..) => plain(Status::SigningIn),
            (Activity::Leaving, ..) => plain(Status::Redirecting),
            (_, Identity::Session(session), _) => {
                Snapshot { payload: Some(session.payload), ..plain(Status::SignedIn) }
            }
            (_, _, Some(error)) => Snapshot { error: Some(error), ..plain(Status::Error) },
            (_, Identity::Unknown, None) => plain(Status::Loading),
            (_, Identity::NoSession(_), None) => plain(Status::SignedOut),
        }
    }
}
