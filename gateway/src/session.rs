//! A user's session, and which of those that a request carries is the session that there is.
//!
//! A browser sends the cookies that it has when a request leaves, and takes an answer's cookies when that arrives: late, or
//! after another's. So each session has a session id, cookies of its own, and an order (milliseconds since 1970, and later
//! than every session that its sign-in saw). Of a registration's sessions the one of the highest order is the session.
//!
//! - A sign-in and a sign-out say since which order sessions count. What they end stays ended when a late response brings its
//!   cookie back, and what a late sign-in brings does not replace a newer one.
//! - A sign-out that names a session whose cookie has not arrived yet marks that one as ended.
//! - A page that names the session id in the token request (`POST token?session_id=…`) gets a provisional session: it
//!   counts once the page has named it in a session request, which it can when the answer has arrived whole. Until then
//!   no page load finds it, and after [`PROVISIONAL_SECS`] it is over: a sign-in whose answer was cut off leaves nothing.
//!   For `/verify` it counts at once, so that the page's first requests are served.

use std::cmp::Reverse;

use classlink_spa::protocol::json::{Object, Value};
use classlink_spa::protocol::user::User;
use serde::Serialize;

use crate::config::{Client, Settings};
use crate::cookies::{self, RegistrationCookies, RequestCookies};
use crate::device::Purpose;
use crate::failure::{Code, Refused};
use crate::seal::SealingKeys;
use crate::sealed_form;

/// The most that a sealed session may take in cookies, in bytes. With the largest ID token 250 bytes are left for the rest.
const SESSION_LIMIT: usize = 6656;

/// How long a session may be provisional, in seconds.
const PROVISIONAL_SECS: i64 = 60;

/// The district of a user, if it had to be fetched because the ID token does not name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tenant {
    /// The tenant's id.
    pub id: String,
    /// The tenant's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A user's sign-in, as it is sealed. Instants are in seconds since 1970.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The session id: base64url, of 32 bytes.
    pub id: String,
    /// The order that decides between two sessions of a registration.
    pub order: u64,
    /// The page has not named the session yet.
    pub is_provisional: bool,
    /// The ID token.
    pub id_token: String,
    /// The access token.
    pub access_token: String,
    /// `token_type`, as the provider writes it.
    pub token_type: String,
    /// The refresh token, if the provider gave one.
    pub refresh_token: Option<String>,
    /// The scope granted, if the provider said it (RFC 6749, 5.1).
    pub scope: Option<String>,
    /// The nonce of the login, which a renewed ID token may repeat.
    pub nonce: String,
    /// When the user signed in.
    pub created_at: i64,
    /// When the session was last asked for.
    pub last_used_at: i64,
    /// When the access token was obtained.
    pub obtained_at: i64,
    /// When the access token ends, if the provider said it.
    pub expires_at: Option<i64>,
    /// The district, if it had to be fetched.
    pub tenant: Option<Tenant>,
    /// The user's value in the store when the session began: a revocation of all of the user's sessions changes it.
    pub user_mark: Option<String>,
    /// The public key of the device that the session is bound to: both coordinates on P-256, in base64url.
    pub device_key: Option<String>,
}

impl Session {
    /// Returns the part of the cookie names under which the session is sealed.
    #[must_use]
    pub fn tag(&self) -> &str {
        let tag = if self.device_key.is_some() { cookies::bound_tag } else { cookies::session_tag };
        tag(&self.id)
    }
}

/// Tokens are in it: nothing is shown.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

/// A session that was opened, with its ID token's claims.
#[derive(Debug)]
pub struct OpenSession {
    /// The session.
    pub session: Session,
    /// The claims of its ID token.
    pub claims: Object,
    /// Whether the key that sealed it is no longer the first.
    pub is_outdated: bool,
}

impl OpenSession {
    /// When the ID token ends, in seconds since 1970.
    #[must_use]
    pub fn id_token_end(&self) -> i64 {
        // Saturates: a token that lasts for ever ends later than any session.
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        self.claims.get_f64("exp").map_or(0, |exp| exp as i64)
    }

    /// When the first of its tokens ends, in seconds since 1970.
    #[must_use]
    pub fn tokens_end(&self) -> i64 {
        self.session.expires_at.unwrap_or(i64::MAX).min(self.id_token_end())
    }

    /// Returns the user whose session it is.
    #[must_use]
    pub fn user(&self) -> User {
        let profile = self.session.tenant.as_ref().map(|tenant| {
            let mut members = Object::default();
            members.insert("TenantId", Value::String(tenant.id.clone()));
            if let Some(name) = &tenant.name {
                members.insert("Tenant", Value::String(name.clone()));
            }
            members
        });
        User::from_sealed(&self.claims, profile.as_ref())
    }
}

/// A registration's sessions in one request.
#[derive(Debug)]
pub struct FoundSessions {
    /// The registration's cookies.
    pub cookies: RegistrationCookies,
    /// Every session that could be opened, over or not.
    opened: Vec<OpenSession>,
    /// Which of them is the session that there is.
    newest: Option<usize>,
    /// Whether its device, if it is bound to one, has proved lately that it has the key.
    is_proved: bool,
}

impl FoundSessions {
    /// Returns the session that there is; it may be provisional.
    #[must_use]
    pub fn newest(&self) -> Option<&OpenSession> {
        self.candidate().filter(|_| self.is_proved)
    }

    /// In its place: the session that would be there if its device had proved lately that it has the key.
    #[must_use]
    pub fn unproved(&self) -> Option<&OpenSession> {
        self.candidate().filter(|_| !self.is_proved)
    }

    fn candidate(&self) -> Option<&OpenSession> {
        self.opened.get(self.newest?)
    }

    /// Returns the order of a new session: later than all that the request shows.
    #[must_use]
    pub fn next_order(&self, now_ms: u64) -> u64 {
        let orders = self.opened.iter().map(|open| open.session.order.saturating_add(1));
        orders.chain([now_ms, self.cookies.since()]).max().unwrap_or(now_ms)
    }

    /// Returns `Set-Cookie` values that clear what is over, and leave the session that there is.
    #[must_use]
    pub fn clear_stale(&self) -> Vec<String> {
        self.cookies.clear_all_but(self.candidate().map(|open| open.session.tag()))
    }

    /// Returns `Set-Cookie` values that end a session, and leave a later one.
    #[must_use]
    pub fn end(&self, session_id: &str) -> Vec<String> {
        let tag = cookies::session_tag(session_id);
        let open = self.opened.iter().find(|open| open.session.id == session_id);
        let mut lines = match open {
            Some(open) => self.cookies.write_since(open.session.order.saturating_add(1)),
            None => vec![self.cookies.write_ended(tag)],
        };
        let bound_tag = cookies::bound_tag(session_id);
        lines.extend(self.cookies.clear_session(tag));
        lines.extend(self.cookies.clear_session(bound_tag));
        if self.cookies.proof(bound_tag).is_some() {
            lines.push(cookies::clear(&self.cookies.proof_cookie(bound_tag).0));
        }
        lines
    }

    /// Returns `Set-Cookie` values that end whichever session there is, and one whose sign-in is under way.
    #[must_use]
    pub fn end_all(&self, now_ms: u64) -> Vec<String> {
        let mut lines = self.cookies.write_since(self.next_order(now_ms));
        lines.extend(self.cookies.clear_all_but(None));
        lines
    }
}

/// Seals and opens the sessions of a deployment.
pub struct Sessions {
    keys: SealingKeys,
    issuer: String,
    idle_timeout: Option<i64>,
    max_age: Option<i64>,
    device_bound: bool,
}

impl Sessions {
    /// Derives the keys of these settings; `None` if no key can be derived from them.
    #[must_use]
    pub fn new(settings: &Settings) -> Option<Self> {
        Some(Self {
            keys: SealingKeys::derive(&settings.sealing_keys)?,
            issuer: settings.issuer.clone(),
            idle_timeout: settings.idle_timeout_secs,
            max_age: settings.max_age_secs,
            device_bound: settings.device_bound,
        })
    }

    /// Opens a registration's sessions.
    #[must_use]
    pub fn find(&self, client: &Client, request: &RequestCookies, now: i64) -> FoundSessions {
        self.find_in(client, request.registration(&client.cookie_key), now)
    }

    /// Returns the session that there is at each registration that the request has cookies of; the one that began last
    /// comes first.
    #[must_use]
    pub fn find_all<'a>(
        &self,
        settings: &'a Settings,
        request: &RequestCookies,
        now: i64,
    ) -> Vec<(&'a Client, FoundSessions)> {
        let found = request.registrations().iter().filter_map(|cookies| {
            let client = settings.client_of_cookies(&cookies.key)?;
            let found = self.find_in(client, cookies.clone(), now);
            found.newest().is_some().then_some((client.as_ref(), found))
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(_, found)| Reverse(found.newest().map(|open| open.session.order)));
        found
    }

    /// Seals the session of a sign-in: it replaces every earlier one of its registration, and clears the oldest of the
    /// others if all together are over the budget.
    ///
    /// # Errors
    /// `session_too_large`, whose description says what to ask for less of.
    pub fn seal_new(
        &self,
        settings: &Settings,
        client: &Client,
        session: &Session,
        found: &FoundSessions,
        request: &RequestCookies,
        now: i64,
    ) -> Result<Vec<String>, Refused> {
        let mut lines = self.seal(client, session, found)?;
        lines.extend(found.cookies.write_since(session.order));
        if request.size_after(&lines) <= cookies::COOKIE_BUDGET {
            return Ok(lines);
        }
        let others = request.registrations().iter().filter(|one| one.key != found.cookies.key);
        let mut ages: Vec<_> = others
            .map(|cookies| {
                let other = settings.client_of_cookies(&cookies.key);
                let found = other.map(|other| self.find_in(other, cookies.clone(), now));
                let newest = found.as_ref().and_then(FoundSessions::newest);
                (newest.map_or(0, |open| open.session.order), cookies)
            })
            .collect();
        ages.sort_by_key(|(order, _)| *order);
        for (_, cookies) in ages {
            if request.size_after(&lines) <= cookies::COOKIE_BUDGET {
                break;
            }
            lines.extend(cookies.clear_all_but(None));
        }
        Ok(lines)
    }

    /// Seals a session, and clears what else the request has of its registration.
    ///
    /// # Errors
    /// `session_too_large`.
    pub fn seal(
        &self,
        client: &Client,
        session: &Session,
        found: &FoundSessions,
    ) -> Result<Vec<String>, Refused> {
        let content = sealed_form::pack(session).ok_or_else(|| too_large(None, session))?;
        let sealed = self.keys.seal(&content, &self.context(client)).ok_or(Code::Internal)?;
        if sealed.len() > SESSION_LIMIT {
            return Err(too_large(Some(sealed.len()), session));
        }
        let tag = session.tag();
        let mut lines = found.cookies.write_sealed(tag, &sealed);
        lines.extend(found.cookies.clear_all_but(Some(tag)));
        Ok(lines)
    }

    /// Returns a sealed session as the store has it.
    #[must_use]
    pub fn seal_value(&self, client: &Client, session: &Session) -> Option<String> {
        self.keys.seal(&sealed_form::pack(session)?, &self.context(client))
    }

    /// Seals for a session what a purpose needs: its end. `now` is in seconds since 1970.
    #[must_use]
    pub fn seal_end(
        &self,
        purpose: Purpose,
        client: &Client,
        session_id: &str,
        now: i64,
    ) -> Option<String> {
        let end = now.saturating_add(purpose.lifetime_secs()).to_string();
        self.keys.seal(end.as_bytes(), &self.device_context(purpose, client, session_id))
    }

    /// Returns whether a text was sealed for a session and a purpose, and its end has not come.
    #[must_use]
    pub fn is_open(
        &self,
        purpose: Purpose,
        client: &Client,
        session_id: &str,
        sealed: &str,
        now: i64,
    ) -> bool {
        let opened = self.keys.open(sealed, &self.device_context(purpose, client, session_id));
        let end = opened.and_then(|(content, _)| String::from_utf8(content).ok()?.parse().ok());
        end.is_some_and(|end: i64| end > now)
    }

    fn is_proved(
        &self,
        client: &Client,
        session: &Session,
        cookies: &RegistrationCookies,
        now: i64,
    ) -> bool {
        if session.device_key.is_none() || !self.device_bound {
            return true;
        }
        let proof = cookies.proof(cookies::bound_tag(&session.id));
        proof.is_some_and(|proof| self.is_open(Purpose::Proof, client, &session.id, proof, now))
    }

    fn device_context(&self, purpose: Purpose, client: &Client, session_id: &str) -> Vec<u8> {
        let bound = [purpose.as_str(), &self.issuer, &client.id, session_id];
        serde_json::to_vec(&bound).unwrap_or_default()
    }

    /// Opens a sealed session of the store's.
    #[must_use]
    pub fn open_value(&self, client: &Client, sealed: &str) -> Option<Session> {
        let (content, _) = self.keys.open(sealed, &self.context(client))?;
        sealed_form::unpack(&content).map(|(session, _)| session)
    }

    /// When a session ends unless it is used: the idle limit, the absolute one or the ID token, whichever is first.
    #[must_use]
    pub fn expiry(&self, open: &OpenSession) -> i64 {
        self.expiry_if_used(open, open.session.last_used_at)
    }

    /// When a session ends that was used last at this time.
    #[must_use]
    pub fn expiry_if_used(&self, open: &OpenSession, last_used_at: i64) -> i64 {
        let session = &open.session;
        let ends = [
            self.idle_timeout.map(|idle| last_used_at.saturating_add(idle)),
            self.max_age.map(|age| session.created_at.saturating_add(age)),
            session.is_provisional.then(|| session.created_at.saturating_add(PROVISIONAL_SECS)),
        ];
        ends.into_iter().flatten().fold(open.id_token_end(), i64::min)
    }

    fn find_in(&self, client: &Client, cookies: RegistrationCookies, now: i64) -> FoundSessions {
        let context = self.context(client);
        let open = |tag: &str| self.open(tag, &cookies.sealed(tag)?, &context);
        let mut opened: Vec<_> = cookies.tags().filter_map(open).collect();
        let holds = |open: &OpenSession| self.holds(client, open, &cookies, now);
        let valid = opened.iter().enumerate().filter(|(_, open)| holds(open));
        let valid: Vec<_> = valid.map(|(place, _)| place).collect();
        let newest = join_newest(&mut opened, &valid);
        let session = newest.and_then(|place| opened.get(place)).map(|open| &open.session);
        let is_proved =
            session.is_none_or(|session| self.is_proved(client, session, &cookies, now));
        FoundSessions { cookies, opened, newest, is_proved }
    }

    fn open(&self, tag: &str, sealed: &str, bound_to: &[u8]) -> Option<OpenSession> {
        if sealed.len() > SESSION_LIMIT {
            return None;
        }
        let (content, is_outdated) = self.keys.open(sealed, bound_to)?;
        let (session, claims) = sealed_form::unpack(&content)?;
        let is_meant = session.tag() == tag;
        is_meant.then_some(OpenSession { session, claims, is_outdated })
    }

    fn holds(
        &self,
        client: &Client,
        open: &OpenSession,
        cookies: &RegistrationCookies,
        now: i64,
    ) -> bool {
        let session = &open.session;
        let is_over = session.order < cookies.since()
            || cookies.is_ended(cookies::session_tag(&session.id))
            || self.expiry(open) <= now;
        if is_over {
            return false;
        }
        match &client.allowed_tenants {
            None => true,
            Some(allowed) => open.user().tenant_id().is_some_and(|id| allowed.contains(id)),
        }
    }

    /// Returns the facts to which a sealed session is bound: it opens under no other issuer and at no other registration.
    fn context(&self, client: &Client) -> Vec<u8> {
        let bound = ["classlink-spa session 2", &self.issuer, &client.id];
        serde_json::to_vec(&bound).unwrap_or_default()
    }
}

/// Returns the newest of these sessions. One that is there in two copies, one of which is not bound, was brought back by
/// the late response of a request from before the registration: what was sealed last counts, and the session stays bound.
fn join_newest(opened: &mut [OpenSession], valid: &[usize]) -> Option<usize> {
    let session = |place: &usize| opened.get(*place).map(|open| &open.session);
    // Of two with the same order the first is taken.
    let first = valid.iter().rev().max_by_key(|place| session(place).map(|one| one.order))?;
    let id = &session(first)?.id;
    let copies = || valid.iter().filter(|place| session(place).is_some_and(|one| one.id == *id));
    let device_key = copies().find_map(|place| session(place)?.device_key.clone());
    let sealed_at = |place: &&usize| session(place).map(|one| (one.obtained_at, one.last_used_at));
    let latest = *copies().rev().max_by_key(sealed_at)?;
    let open = opened.get_mut(latest)?;
    if open.session.device_key.is_none() && device_key.is_some() {
        open.session.device_key = device_key;
        open.is_outdated = true;
    }
    Some(latest)
}

fn too_large(size: Option<usize>, session: &Session) -> Refused {
    let refresh_token = session.refresh_token.as_deref().map_or(0, str::len);
    let parts = [
        ("ID token", session.id_token.len(), "ask for fewer scopes or claims"),
        (
            "access token",
            session.access_token.len(),
            "ask for fewer scopes, or have the provider issue opaque access tokens",
        ),
        ("refresh token", refresh_token, "do not ask for offline access"),
    ];
    // Of two that are as large the first is named.
    let largest = parts.into_iter().rev().max_by_key(|(_, length, _)| *length);
    let (part, length, remedy) = largest.unwrap_or_default();
    let size = size.map_or_else(|| "far".to_owned(), |size| format!("{size} bytes,"));
    Refused::from(Code::SessionTooLarge).with_description(format!(
        "The sealed session takes {size} more than the {SESSION_LIMIT} that fit into cookies. The largest part is the {part} with {length} bytes: {remedy}."
    ))
}
