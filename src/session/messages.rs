//! What the tabs of a registration tell each other. A message names the session that it is about, holds no token, and
//! names a user by a digest.

use super::identity::{SessionId, UserDigest};

/// A message to the other tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        at_secs: u32,
    },
}

/// A message as it crosses the channel, member by member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireMessage {
    /// Which message it is.
    pub kind: String,
    /// The session's id.
    pub session: Option<String>,
    /// The user's digest.
    pub person: Option<String>,
    /// The time, in decimal digits.
    pub at: Option<String>,
}

impl TabMessage {
    /// Writes a message.
    #[must_use]
    pub fn to_wire(&self) -> WireMessage {
        let id = |session: &Option<SessionId>| session.as_ref().map(|id| id.0.clone());
        let (kind, session, person, at) = match self {
            Self::SignedIn { session, user } => {
                ("signed-in", id(session), Some(user.0.clone()), None)
            }
            Self::SignedOut { session } => ("signed-out", id(session), None, None),
            Self::Expired { session } => ("expired", id(session), None, None),
            Self::Idle { session } => ("idle", id(session), None, None),
            Self::Active { user, at_secs } => {
                let at = crate::protocol::ascii::format_u64((*at_secs).into());
                ("active", None, Some(user.0.clone()), Some(at))
            }
        };
        WireMessage { kind: kind.to_owned(), session, person, at }
    }

    /// Reads a message. Any script of the origin may post to the channel, and so may another version of this package.
    #[must_use]
    pub fn from_wire(wire: WireMessage) -> Option<Self> {
        let session = wire.session.map(SessionId);
        let user = wire.person.map(UserDigest);
        Some(match wire.kind.as_str() {
            "signed-in" => Self::SignedIn { session, user: user? },
            "signed-out" => Self::SignedOut { session },
            "expired" => Self::Expired { session },
            "idle" => Self::Idle { session },
            "active" => {
                let at_secs = crate::protocol::ascii::parse_u32(wire.at?.as_bytes())?;
                Self::Active { user: user?, at_secs }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tab_message_survives_the_channel() {
        let session = Some(SessionId("s".to_owned()));
        let user = UserDigest("u".to_owned());
        for message in [
            TabMessage::SignedIn { session: session.clone(), user: user.clone() },
            TabMessage::SignedIn { session: None, user: user.clone() },
            TabMessage::SignedOut { session: session.clone() },
            TabMessage::Expired { session: session.clone() },
            TabMessage::Idle { session },
            TabMessage::Active { user, at_secs: 1_700_000_000 },
        ] {
            assert_eq!(TabMessage::from_wire(message.to_wire()), Some(message));
        }
    }

    #[test]
    fn tab_message_of_another_version_or_script_is_ignored() {
        let kind = |kind: &str| WireMessage { kind: kind.to_owned(), ..WireMessage::default() };
        for kind in [kind("hello"), kind("signed-in"), kind("active")] {
            assert_eq!(TabMessage::from_wire(kind), None);
        }
        let wire = WireMessage {
            at: Some("soon".to_owned()),
            person: Some("u".to_owned()),
            ..kind("active")
        };
        assert_eq!(TabMessage::from_wire(wire), None);
    }
}
