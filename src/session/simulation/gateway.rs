//! The gateway and the browser's cookie jar. A request carries the jar as it is when sent; the cookies of a response are
//! set when its head arrives.

use std::collections::BTreeMap;

/// A sealed session.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    pub id: u32,
    pub user: u8,
    /// The gateway's count when it was sealed: a higher one is newer.
    pub born: u32,
}

/// The change that a response makes to the cookie jar.
#[derive(Clone, Debug)]
pub enum SetCookie {
    Session(Sealed),
    /// A session ended or was replaced. With the time that it was sealed at, if that is known.
    Ended {
        id: u32,
        born: Option<u32>,
    },
}

/// The cookies: one for each session and one for each ended session, so that no late response overwrites another.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    pub sessions: BTreeMap<u32, Sealed>,
    pub ended: BTreeMap<u32, Option<u32>>,
}

impl Jar {
    pub fn set(&mut self, cookie: &SetCookie) {
        match cookie {
            SetCookie::Session(sealed) => {
                self.sessions.insert(sealed.id, sealed.clone());
            }
            SetCookie::Ended { id, born } => {
                self.ended.insert(*id, *born);
            }
        }
    }

    /// The session that the gateway finds: the newest that neither ended nor is older than one that did.
    pub fn current(&self) -> Option<&Sealed> {
        let ended_at = self.ended.values().flatten().max().copied();
        let lives = |sealed: &&Sealed| {
            !self.ended.contains_key(&sealed.id) && ended_at.is_none_or(|at| sealed.born > at)
        };
        self.sessions.values().filter(lives).max_by_key(|sealed| sealed.born)
    }
}

/// A request that sets or clears cookies.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Token {
        id: u32,
        user: u8,
    },
    Session {
        id: Option<u32>,
    },
    /// With the mark in `localStorage` that its success removes.
    Delete {
        id: Option<u32>,
        mark: u32,
    },
}

/// A response of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Tokens(Sealed),
    NoSession,
    Ended,
    Refused,
}

#[derive(Default)]
pub struct Gateway {
    count: u32,
    /// Sessions whose grant the provider ended.
    pub revoked: Vec<u32>,
}

impl Gateway {
    pub fn answer(&mut self, ask: &Ask, jar: &Jar) -> (Reply, Vec<SetCookie>) {
        self.count += 1;
        let current = jar.current().filter(|sealed| !self.revoked.contains(&sealed.id)).cloned();
        match ask {
            Ask::Token { id, user } => {
                if self.revoked.contains(id) {
                    return (Reply::Refused, Vec::new());
                }
                let sealed = Sealed { id: *id, user: *user, born: self.count };
                let replaced = jar.sessions.values();
                let mut cookies: Vec<_> = replaced
                    .map(|old| SetCookie::Ended { id: old.id, born: Some(old.born) })
                    .collect();
                cookies.push(SetCookie::Session(sealed.clone()));
                (Reply::Tokens(sealed), cookies)
            }
            Ask::Session { id } => {
                let asked = current.filter(|sealed| id.as_ref().is_none_or(|id| *id == sealed.id));
                match asked {
                    Some(sealed) => {
                        (Reply::Tokens(sealed.clone()), vec![SetCookie::Session(sealed)])
                    }
                    None => (Reply::NoSession, Vec::new()),
                }
            }
            Ask::Delete { id, .. } => {
                let ended = |id: &u32| SetCookie::Ended {
                    id: *id,
                    born: jar.sessions.get(id).map(|sealed| sealed.born),
                };
                let cookies = match id {
                    Some(id) => vec![ended(id)],
                    None => jar.sessions.keys().map(ended).collect(),
                };
                (Reply::Ended, cookies)
            }
        }
    }
}
