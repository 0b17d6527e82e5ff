//! The messages between the tabs of a registration. A message names the session that it is about, holds no token, and
//! names a user by a digest.

use super::identity::{SessionId, UserDigest};

/// A message to the other tabs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TabMessage {
    /// A user signed in.
    SignedIn {
        /// The new session.
        session: Option<SessionId>,
        /// The user.
        user: UserDigest,
    },
    /// The user signed out.
    SignedOut {
        /// The session that was ended; without it, whichever there is.
        session: Option<SessionId>,
    },
    /// The session expired, or its grant is over.
    Expired {
        /// The session.
        session: Option<SessionId>,
    },
    /// A tab found the session idle. Another may know of activity.
    Idle {
        /// The session.
        session: Option<SessionId>,
    },
    /// The user was active.
    Active {
        /// The user. The activity counts for every session that the user has on this device.
        user: UserDigest,
        /// When, in seconds since 1970. A tab that sleeps receives it later.
        at_secs: f64,
    },
}

/// A message as it crosses the channel, member by member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WireMessage<'a> {
    /// Which message it is.
    pub kind: &'a str,
    /// The session.
    pub session: Option<SessionId>,
    /// The user.
    pub user: Option<UserDigest>,
    /// The time in seconds since 1970; NaN for none.
    pub at_secs: f64,
}

impl TabMessage {
    /// Writes a message.
    #[must_use]
    pub fn to_wire(self) -> WireMessage<'static> {
        let (kind, session, user, at_secs) = match self {
            Self::SignedIn { session, user } => ("signed-in", session, Some(user), f64::NAN),
            Self::SignedOut { session } => ("signed-out", session, None, f64::NAN),
            Self::Expired { session } => ("expired", session, None, f64::NAN),
            Self::Idle { session } => ("idle", session, None, f64::NAN),
            Self::Active { user, at_secs } => ("active", None, Some(user), at_secs),
        };
        WireMessage { kind, session, user, at_secs }
    }

    /// Reads a message. Any script of the origin may post to the channel, and so may another version of this package.
    #[must_use]
    pub fn from_wire(WireMessage { kind, session, user, at_secs }: WireMessage) -> Option<Self> {
        Some(match kind {
            "signed-in" => Self::SignedIn { session, user: user? },
            "signed-out" => Self::SignedOut { session },
            "expired" => Self::Expired { session },
            "idle" => Self::Idle { session },
            "active" if at_secs.is_finite() => Self::Active { user: user?, at_secs },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tab_message_survives_the_channel() {
        let session = Some(SessionId(1));
        let user = UserDigest(2);
        for message in [
            TabMessage::SignedIn { session, user },
            TabMessage::SignedIn { session: None, user },
            TabMessage::SignedOut { session },
            TabMessage::Expired { session },
            TabMessage::Idle { session },
            TabMessage::Active { user, at_secs: 1_700_000_000.0 },
        ] {
            assert_eq!(TabMessage::from_wire(message.to_wire()), Some(message));
        }
    }

    #[test]
    fn tab_message_of_another_version_or_script_is_ignored() {
        let wire = |kind| WireMessage { kind, session: None, user: None, at_secs: f64::NAN };
        for kind in ["hello", "signed-in", "active"] {
            assert_eq!(TabMessage::from_wire(wire(kind)), None);
        }
        let user = Some(UserDigest(2));
        assert_eq!(TabMessage::from_wire(WireMessage { user, ..wire("active") }), None);
    }
}
