//! `sessionStorage`: pending logins, the marker of a restarted launch, the result of a restore by redirect and the state
//! of a logout; it reads the mark of a signed-out tab. `localStorage`: the marker of a sign-out that the gateway has not
//! received. Nothing else, and nothing personal.

use wasm_bindgen::JsValue;
use web_sys::Storage;

use super::window;
use crate::error::{Error, ErrorCode};
use crate::protocol::ascii;
use crate::protocol::pending::{self, PendingLogin};

const LOGIN_PREFIX: &str = "classlink-spa.login.";
const LAUNCH_PREFIX: &str = "classlink-spa.launch.";
const RESTORE_PREFIX: &str = "classlink-spa.restore.";
const LOGOUT_PREFIX: &str = "classlink-spa.logout.";
/// The scripts write it: see `pkg-template/src/login-mark.ts`.
const LOGIN_MARK_KEY: &str = "classlink-spa.waits";
const SIGN_OUT_PREFIX: &str = "classlink-spa.sign-out.";

fn unavailable(cause: JsValue) -> Error {
    let message = "sessionStorage is blocked or full: allow storage for this site, or store less in `appState`";
    Error::new(ErrorCode::StorageUnavailable, message).with_cause(cause)
}

fn storage() -> Result<Storage, Error> {
    // The getter itself throws if the page may not store anything (a sandboxed frame).
    let storage = window().session_storage().map_err(unavailable)?;
    storage.ok_or_else(|| unavailable(JsValue::UNDEFINED))
}

fn read(key: &str) -> Result<Option<String>, Error> {
    storage()?.get_item(key).map_err(unavailable)
}

fn write(key: &str, text: &str) -> Result<(), Error> {
    storage()?.set_item(key, text).map_err(unavailable)
}

fn remove(key: &str) -> Result<(), Error> {
    storage()?.remove_item(key).map_err(unavailable)
}

/// Returns the keys that begin with a prefix, all at once: removing one may renumber the others.
fn keys(storage: &Storage, prefix: &str) -> Result<Vec<String>, JsValue> {
    let mut keys = Vec::new();
    for index in 0..storage.length()? {
        keys.extend(storage.key(index)?.filter(|key| key.starts_with(prefix)));
    }
    Ok(keys)
}

fn login_key(state: &str) -> String {
    key(LOGIN_PREFIX, state)
}

/// Two clients on one page share no marker: `registration` names one, as `Config::channel` does.
fn key(prefix: &str, registration: &str) -> String {
    [prefix, registration].concat()
}

/// Reads the pending login of a state without consuming it.
///
/// # Errors
/// `storage_unavailable`.
pub fn pending_login(state: &str) -> Result<Option<PendingLogin>, Error> {
    Ok(read(&login_key(state))?.as_deref().and_then(PendingLogin::from_stored))
}

/// Stores a pending login under its state.
///
/// # Errors
/// `storage_unavailable`.
pub fn save_login(state: &str, pending: &PendingLogin) -> Result<(), Error> {
    write(&login_key(state), &pending.to_stored())
}

/// Removes the pending login of a state.
///
/// # Errors
/// `storage_unavailable`.
pub fn remove_login(state: &str) -> Result<(), Error> {
    remove(&login_key(state))
}

/// Removes the pending logins that are too old for a callback, or cannot be read.
///
/// # Errors
/// `storage_unavailable`.
pub fn remove_stale_logins(now: f64) -> Result<(), Error> {
    for key in keys(&storage()?, LOGIN_PREFIX).map_err(unavailable)? {
        let pending = read(&key)?.as_deref().and_then(PendingLogin::from_stored);
        if !pending.is_some_and(|pending| pending.is_unexpired(now)) {
            remove(&key)?;
        }
    }
    Ok(())
}

/// Returns whether a launch at this time is a restarted one that came back without its state.
///
/// # Errors
/// `storage_unavailable`.
pub fn is_launch_loop(registration: &str, now: f64) -> Result<bool, Error> {
    let mark = read(&key(LAUNCH_PREFIX, registration))?;
    Ok(mark.is_some_and(|mark| pending::is_launch_loop(&mark, now)))
}

/// Stores the marker of a restarted launch.
///
/// # Errors
/// `storage_unavailable`.
pub fn save_launch_marker(registration: &str, state: &str, now: u32) -> Result<(), Error> {
    write(&key(LAUNCH_PREFIX, registration), &pending::launch_marker(state, now))
}

/// Removes the launch marker, and returns the state of the login that it was for.
///
/// # Errors
/// `storage_unavailable`.
pub fn take_launch_marker(registration: &str) -> Result<Option<String>, Error> {
    let key = key(LAUNCH_PREFIX, registration);
    let mark = read(&key)?;
    remove(&key)?;
    Ok(mark.and_then(|mark| pending::launch_marker_state(&mark)))
}

/// Returns whether this tab may restore a session by redirect now.
///
/// # Errors
/// `storage_unavailable`.
pub fn can_restore_by_redirect(registration: &str, now: f64) -> Result<bool, Error> {
    let mark = read(&key(RESTORE_PREFIX, registration))?;
    Ok(pending::can_restore_by_redirect(mark.as_deref(), now))
}

/// Stores that this tab was redirected to restore a session.
///
/// # Errors
/// `storage_unavailable`.
pub fn mark_restore_redirect(registration: &str) -> Result<(), Error> {
    write(&key(RESTORE_PREFIX, registration), "asked")
}

/// Stores the result of a restore by redirect: `restored_at_secs` if the redirect signed the user in, nothing if another
/// sign-in did.
pub fn record_restore_result(registration: &str, restored_at_secs: Option<u32>) {
    let key = key(RESTORE_PREFIX, registration);
    // Without storage there is no marker.
    let _ = match restored_at_secs {
        Some(now) => write(&key, &ascii::format_u64(now.into())),
        None => remove(&key),
    };
}

/// Stores the `state` of a logout at the provider, for when the user comes back. A failure is ignored.
pub fn save_logout_state(registration: &str, state: &str) {
    let _ = write(&key(LOGOUT_PREFIX, registration), state);
}

/// Removes and returns the `state` of a logout at the provider.
#[must_use]
pub fn take_logout_state(registration: &str) -> Option<String> {
    let key = key(LOGOUT_PREFIX, registration);
    let state = read(&key).ok().flatten();
    let _ = remove(&key);
    state
}

/// Returns whether the user signed out in this tab, or their session ended, and no sign-in came since.
#[must_use]
pub fn is_signed_out() -> bool {
    read(LOGIN_MARK_KEY).ok().flatten().as_deref() == Some("signed-out")
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// The `localStorage` marker of a sign-out whose request the gateway has not answered. Each has a name of its own: two
/// sign-outs at once keep a marker each. If `localStorage` is unavailable, the request is not sent again.
pub struct UndeliveredSignOut {
    /// Its key in `localStorage`: the prefix, its own name, and the registration.
    key: String,
    /// The session that it ends; without one, whichever there is.
    pub session_id: Option<String>,
}

impl UndeliveredSignOut {
    /// Marks a sign-out of a registration under a name that no other has.
    #[must_use]
    pub fn set(registration: &str, name: &str, session_id: Option<String>) -> Self {
        let mark = Self { key: [SIGN_OUT_PREFIX, name, ".", registration].concat(), session_id };
        if let Some(storage) = local_storage() {
            let _ = storage.set_item(&mark.key, mark.session_id.as_deref().unwrap_or_default());
        }
        mark
    }

    /// Returns the marks of a registration.
    #[must_use]
    pub fn all(registration: &str) -> Vec<Self> {
        let mut marks = Vec::new();
        let Some(storage) = local_storage() else { return marks };
        for key in keys(&storage, SIGN_OUT_PREFIX).unwrap_or_default() {
            let name = key.strip_prefix(SIGN_OUT_PREFIX).unwrap_or_default();
            if ascii::split_once(name, b'.').is_some_and(|(_, of)| of == registration) {
                let session_id = storage.get_item(&key).ok().flatten();
                let session_id = session_id.filter(|id| !id.is_empty());
                marks.push(Self { key, session_id });
            }
        }
        marks
    }

    /// Returns whether it ends the gateway's session of this id; so it does if either has none.
    #[must_use]
    pub fn names(&self, session_id: Option<&str>) -> bool {
        match (self.session_id.as_deref(), session_id) {
            (Some(own), Some(id)) => own == id,
            _ => true,
        }
    }

    /// Removes the mark.
    pub fn clear(&self) {
        if let Some(storage) = local_storage() {
            let _ = storage.remove_item(&self.key);
        }
    }
}
