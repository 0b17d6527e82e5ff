//! `sessionStorage`: pending logins and the launch mark, and nothing else.

use wasm_bindgen::JsValue;
use web_sys::Storage;

use super::window;
use crate::error::{Error, ErrorCode};
use crate::protocol::pending::{self, PendingLogin};

const LOGIN_PREFIX: &str = "classlink-spa.login.";
const LAUNCH_KEY: &str = "classlink-spa.launch";

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
pub fn sweep_logins(now: f64) -> Result<(), Error> {
    let storage = storage()?;
    let count = storage.length().map_err(unavailable)?;
    let mut old = Vec::new();
    for index in 0..count {
        if let Some(key) = storage.key(index).map_err(unavailable)?
            && let Some(state) = key.strip_prefix(LOGIN_PREFIX)
            && !pending_login(state)?.is_some_and(|pending| pending.is_fresh(now))
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
    Ok(mark.is_some_and(|mark| pending::tells_of_loop(&mark, now)))
}

/// Marks a launch as restarted.
///
/// # Errors
/// `storage_unavailable`.
pub fn mark_launch(state: &str, now: u32) -> Result<(), Error> {
    let mark = pending::launch_mark(state, now);
    storage()?.set_item(LAUNCH_KEY, &mark).map_err(unavailable)
}

/// Removes the mark.
///
/// # Errors
/// `storage_unavailable`.
pub fn clear_launch_mark() -> Result<(), Error> {
    storage()?.remove_item(LAUNCH_KEY).map_err(unavailable)
}
