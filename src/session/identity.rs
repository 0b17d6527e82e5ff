//! Who is signed in, as far as that is known.

use super::lifetime::Lifetime;

/// Names one sign-in to the page, its other tabs and the gateway: the driver's handle for the text that is derived from the
/// code verifier. Equal texts have equal handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId(pub u32);

/// Names a user to the other tabs: the driver's handle for a digest, which they can compare and read nothing from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserDigest(pub u32);

/// The driver's name for one registration: its configuration, channel, lock and storage keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The driver's handle.
    pub handle: u32,
    /// Whether a gateway keeps its session in a cookie.
    pub has_gateway: bool,
}

/// Whether the browser keeps the gateway's cookie of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// It does, as far as is known.
    Kept,
    /// This page just got the session inside a frame, where browsers may keep no cookie.
    Unconfirmed,
}

/// A session. The user, the tokens and the registration stay with the driver, under a handle.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// The driver's handle for the user and the tokens.
    pub payload: u32,
    /// Its id; absent if a gateway that knows none restored it.
    pub id: Option<SessionId>,
    /// Whose it is.
    pub user: UserDigest,
    /// The registration that it belongs to, and whose channel it stays on.
    pub registration: Registration,
    /// Whether the browser keeps the gateway's cookie.
    pub cookie: Cookie,
    /// Whether the same user signed in in another tab: the gateway's session is that one.
    pub is_replaced: bool,
    /// Counts its tokens, so that a refused access token can be told from the one after it.
    pub tokens: u32,
    /// Its limits.
    pub lifetime: Lifetime,
}

impl Session {
    /// Whether an id names this session. Without an id it means whichever session there is.
    #[must_use]
    pub fn is_named_by(&self, id: Option<SessionId>) -> bool {
        match (id, self.id) {
            (Some(id), Some(own)) => id == own,
            _ => true,
        }
    }

    /// Whether a token response for this session continued it, rather than another that took its place.
    #[must_use]
    pub fn is_continued_by(&self, next: &Self) -> bool {
        self.user == next.user && self.is_named_by(next.id)
    }
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSession {
    /// None was found.
    NeverSignedIn,
    /// The user signed out, in this tab or another.
    SignedOut,
    /// It expired, or its grant is over.
    Expired,
}

/// Who is signed in. Only a response about the session turns the unknown into no session.
#[derive(Clone, Debug)]
pub enum Identity {
    /// It has not been restored, or the restore failed.
    Unknown,
    /// There is no session.
    NoSession(NoSession),
    /// There is one.
    Session(Box<Session>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::lifetime;

    fn session(id: u32, user: u32) -> Session {
        Session {
            payload: 0,
            id: Some(SessionId(id)),
            user: UserDigest(user),
            registration: Registration { handle: 0, has_gateway: true },
            cookie: Cookie::Kept,
            tokens: 0,
            is_replaced: false,
            lifetime: lifetime::tests::session(),
        }
    }

    #[test]
    fn session_is_continued_by_the_same_user_in_the_same_session_alone() {
        let current = session(1, 1);
        assert!(current.is_continued_by(&session(1, 1)));
        assert!(current.is_continued_by(&Session { id: None, ..session(1, 1) }));
        assert!(!current.is_continued_by(&session(2, 1)), "the user signed in again");
        assert!(!current.is_continued_by(&session(1, 2)), "another user");
    }
}
