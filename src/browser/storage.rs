//! `sessionStorage`: pending logins, and the marks of redirects that the client began by itself. `localStorage`: the
//! mark of a sign-out that the gateway has not heard of. Nothing else, and nothing personal.

use wasm_bindgen::JsValue;
use web_sys::Storage;

use super::window;
use crate::error::{Error, ErrorCode};
use crate::protocol::ascii;
use crate::protocol::pending::{self, PendingLogin};

const LOGIN_PREFIX: &str = "classlink-spa.login.";
const LAUNCH_KEY: &str = "classlink-spa.launch";
const RESTORE_KEY: &str = "classlink-spa.restore";
const LOGOUT_KEY: &str = "classlink-spa.logout";
const SIGN_OUT_PREFIX: &str = "classlink-spa.sign-out.";

fn unavailable(cause: JsValue) -> Error {
    let message = "sessionStorage is blocked or full: allow storage for this site, or store less in `appState`";
    Error::new(ErrorCode::StorageUnavailable, message).with_cause(cause)
}

fn storage() -> Result<Storage, Error> {
    // The getter itself throws where the page may not store anything (a sandboxed frame).
    let storage = window().session_storage().map_err(unavailable)?;
    storage.ok_or_else(|| unavailable(JsValue::UNDEFINED))
}

fn login_key(state: &str) -> String {
    [LOGIN_PREFIX, state].concat()
}

/// Looks at the pending login of a state without consuming it.
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

/// Removes the pending logins that are too old to be answered, or can't be read.
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
    // Only now, since removing one may move the others.
    old.iter().try_for_each(|key| storage.remove_item(key).map_err(unavailable))
}

/// Whether a launch that comes now is a restarted one coming back.
///
/// # Errors
/// `storage_unavailable`.
pub fn is_launch_loop(now: f64) -> Result<bool, Error> {
    let mark = storage()?.get_item(LAUNCH_KEY).map_err(unavailable)?;
    Ok(mark.is_some_and(|mark| pending::is_launch_loop(&mark, now)))
}

/// Marks a launch as restarted.
///
/// # Errors
/// `storage_unavailable`.
pub fn save_launch_marker(state: &str, now: u32) -> Result<(), Error> {
    let mark = pending::launch_marker(state, now);
    storage()?.set_item(LAUNCH_KEY, &mark).map_err(unavailable)
}

/// Removes the mark, and answers with the state of the restarted launch that it was for.
///
/// # Errors
/// `storage_unavailable`.
pub fn take_launch_marker() -> Result<Option<String>, Error> {
    let storage = storage()?;
    let mark = storage.get_item(LAUNCH_KEY).map_err(unavailable)?;
    storage.remove_item(LAUNCH_KEY).map_err(unavailable)?;
    Ok(mark.and_then(|mark| pending::launch_marker_state(&mark)))
}

/// Whether this tab may be redirected to find a session again.
///
/// # Errors
/// `storage_unavailable`.
pub fn can_restore_by_redirect(now: f64) -> Result<bool, Error> {
    let mark = storage()?.get_item(RESTORE_KEY).map_err(unavailable)?;
    Ok(pending::can_restore_by_redirect(mark.as_deref(), now))
}

/// Marks this tab as redirected.
///
/// # Errors
/// `storage_unavailable`.
pub fn mark_restore_redirect() -> Result<(), Error> {
    storage()?.set_item(RESTORE_KEY, "asked").map_err(unavailable)
}

/// Somebody signed in: removes that mark or, where it was by that redirect, keeps the time, in seconds since 1970.
pub fn record_restore_result(found: Option<u32>) {
    // Where storage can't be had there is no mark.
    if let Ok(storage) = storage() {
        let _ = match found {
            Some(now) => storage.set_item(RESTORE_KEY, &ascii::format_u64(now.into())),
            None => storage.remove_item(RESTORE_KEY),
        };
    }
}

/// Keeps the state of a sign-out at the provider, for when the person comes back. Without it nothing is lost.
pub fn save_logout_state(state: &str) {
    if let Ok(storage) = storage() {
        let _ = storage.set_item(LOGOUT_KEY, state);
    }
}

/// Takes that state.
#[must_use]
pub fn take_logout_state() -> Option<String> {
    let storage = storage().ok()?;
    let state = storage.get_item(LOGOUT_KEY).ok().flatten();
    let _ = storage.remove_item(LOGOUT_KEY);
    state
}

/// The mark of a sign-out that the gateway has yet to hear of. Where `localStorage` can't be had, there is none: the
/// request alone must do.
pub struct UndeliveredSignOut {
    key: String,
    storage: Option<Storage>,
}

impl UndeliveredSignOut {
    /// The mark of one registration.
    #[must_use]
    pub fn of(client_id: &str) -> Self {
        let storage = window().local_storage().ok().flatten();
        Self { key: [SIGN_OUT_PREFIX, client_id].concat(), storage }
    }

    /// Whether it is there.
    #[must_use]
    pub fn is_set(&self) -> bool {
        let found = self.storage.as_ref().and_then(|storage| storage.get_item(&self.key).ok());
        found.flatten().is_some()
    }

    /// Sets it.
    pub fn set(&self) {
        if let Some(storage) = &self.storage {
            let _ = storage.set_item(&self.key, "1");
        }
    }

    /// Removes it.
    pub fn clear(&self) {
        if let Some(storage) = &self.storage {
            let _ = storage.remove_item(&self.key);
        }
    }
}
