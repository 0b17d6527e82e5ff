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

fn login_key(state: &str) -> String {
    [LOGIN_PREFIX, state].concat()
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
    let text = storage()?.get_item(&login_key(state)).map_err(unavailable)?;
    Ok(text.as_deref().and_then(PendingLogin::from_stored))
}

/// Stores a pending login under its state.
///
/// # Errors
/// `storage_unavailable`.
pub fn save_login(state: &str, pending: &PendingLogin) -> Result<(), Error> {
    storage()?.set_item(&login_key(state), &pending.to_stored()).map_err(unavailable)
}

/// Removes the pending login of a state.
///
/// # Errors
/// `storage_unavailable`.
pub fn remove_login(state: &str) -> Result<(), Error> {
    storage()?.remove_item(&login_key(state)).map_err(unavailable)
}

/// Removes the pending logins that are too old for a callback, or cannot be read.
///
/// # Errors
/// `storage_unavailable`.
pub fn remove_stale_logins(now: f64) -> Result<(), Error> {
    let storage = storage()?;
    let count = storage.length().map_err(unavailable)?;
    let mut old = Vec::new();
    for index in 0..count {
        if let Some(key) = storage.key(index).map_err(unavailable)?
            && let Some(state) = key.strip_prefix(LOGIN_PREFIX)
            && !pending_login(state)?.is_some_and(|pending| pending.is_unexpired(now))
        {
            old.push(key);
        }
    }
    // After the loop, since removing one key may renumber the others.
    old.iter().try_for_each(|key| storage.remove_item(key).map_err(unavailable))
}

/// Returns whether a launch at this time is a restarted one that came back without its state.
///
/// # Errors
/// `storage_unavailable`.
pub fn is_launch_loop(registration: &str, now: f64) -> Result<bool, Error> {
    let mark = storage()?.get_item(&key(LAUNCH_PREFIX, registration)).map_err(unavailable)?;
    Ok(mark.is_some_and(|mark| pending::is_launch_loop(&mark, now)))
}

/// Stores the marker of a restarted launch.
///
/// # Errors
/// `storage_unavailable`.
pub fn save_launch_marker(registration: &str, state: &str, now: u32) -> Result<(), Error> {
    let mark = pending::launch_marker(state, now);
    storage()?.set_item(&key(LAUNCH_PREFIX, registration), &mark).map_err(unavailable)
}

/// Removes the launch marker, and returns the state of the login that it was for.
///
/// # Errors
/// `storage_unavailable`.
pub fn take_launch_marker(registration: &str) -> Result<Option<String>, Error> {
    let (storage, key) = (storage()?, key(LAUNCH_PREFIX, registration));
    let mark = storage.get_item(&key).map_err(unavailable)?;
    storage.remove_item(&key).map_err(unavailable)?;
    Ok(mark.and_then(|mark| pending::launch_marker_state(&mark)))
}

/// Returns whether this tab may restore a session by redirect now.
///
/// # Errors
/// `storage_unavailable`.
pub fn can_restore_by_redirect(registration: &str, now: f64) -> Result<bool, Error> {
    let mark = storage()?.get_item(&key(RESTORE_PREFIX, registration)).map_err(unavailable)?;
    Ok(pending::can_restore_by_redirect(mark.as_deref(), now))
}

/// Stores that this tab was redirected to restore a session.
///
/// # Errors
/// `storage_unavailable`.
pub fn mark_restore_redirect(registration: &str) -> Result<(), Error> {
    storage()?.set_item(&key(RESTORE_PREFIX, registration), "asked").map_err(unavailable)
}

/// Stores the result of a restore by redirect: `restored_at_secs` if the redirect signed the user in, nothing if another
/// sign-in did.
pub fn record_restore_result(registration: &str, restored_at_secs: Option<u32>) {
    // Without storage there is no marker.
    if let Ok(storage) = storage() {
        let key = key(RESTORE_PREFIX, registration);
        let _ = match restored_at_secs {
            Some(now) => storage.set_item(&key, &ascii::format_u64(now.into())),
            None => storage.remove_item(&key),
        };
    }
}

/// Stores the `state` of a logout at the provider, for when the user comes back. A failure is ignored.
pub fn save_logout_state(registration: &str, state: &str) {
    if let Ok(storage) = storage() {
        let _ = storage.set_item(&key(LOGOUT_PREFIX, registration), state);
    }
}

/// Removes and returns the `state` of a logout at the provider.
#[must_use]
pub fn take_logout_state(registration: &str) -> Option<String> {
    let (storage, key) = (storage().ok()?, key(LOGOUT_PREFIX, registration));
    let state = storage.get_item(&key).ok().flatten();
    let _ = storage.remove_item(&key);
    state
}

/// Returns whether the user signed out in this tab, or their session ended, and no sign-in came since.
#[must_use]
pub fn is_signed_out() -> bool {
    let mark = storage().ok().and_then(|storage| storage.get_item(LOGIN_MARK_KEY).ok().flatten());
    mark.as_deref() == Some("signed-out")
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
        for index in 0..storage.length().unwrap_or_default() {
            if let Ok(Some(key)) = storage.key(index)
                && let Some(name) = key.strip_prefix(SIGN_OUT_PREFIX)
                && name.split_once('.').is_some_and(|(_, of)| of == registration)
            {
                let session_id = storage.get_item(&key).ok().flatten();
                let session_id = session_id.filter(|id| !id.is_empty());
                marks.push(Self { key, session_id });
            }
        }
        marks
    }

    /// Removes the mark.
    pub fn clear(&self) {
        if let Some(storage) = local_storage() {
            let _ = storage.remove_item(&self.key);
        }
    }
}
