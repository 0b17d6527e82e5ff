//! The stored pending login and the marks beside it: a line with the time, then what is stored.

use classlink_spa::protocol::pending::{
    PendingLogin, can_restore_by_redirect, is_launch_loop, launch_marker, launch_marker_state,
};
use serde_json::Value;

use crate::login::{CREATED_AT, pending, verifier};
use crate::reading::{number, object, text_line};
use crate::url::endpoint;

/// Reads what may have been tampered with, then stores the same text within a good login and reads that.
pub fn run(mut data: &[u8]) {
    let now = number(Some(text_line(&mut data)), f64::from(CREATED_AT));
    let Ok(text) = std::str::from_utf8(data) else { return };
    stored(text, now);
    kept(text);
    marks(text, now);
}

fn stored(text: &str, now: f64) {
    let Some(login) = PendingLogin::from_stored(text) else { return };
    let members = object(text.as_bytes()).expect("it is no JSON object");
    let string = |name: &str| members.get(name).and_then(Value::as_str);
    for (name, read) in [
        ("verifier", login.verifier.expose()),
        ("client_id", login.client_id()),
        ("redirect_uri", login.redirect_uri()),
        ("issuer", login.issuer()),
        ("scope", login.scope()),
        ("return_to", login.return_to()),
        ("support_code", login.support_code()),
        ("token_endpoint", login.provider().token_endpoint()),
        ("jwks_uri", login.provider().jwks_uri()),
        ("algorithms", login.provider().algorithms()),
    ] {
        assert_eq!(string(name), Some(read), "{name}");
    }
    for (name, read) in [
        ("app_state", login.app_state()),
        ("district", login.district()),
        ("profile_endpoint", login.provider().profile_endpoint()),
        ("end_session_endpoint", login.provider().end_session_endpoint()),
        ("revocation_endpoint", login.provider().revocation_endpoint()),
    ] {
        assert_eq!(string(name), read, "{name}");
        if name.ends_with("_endpoint") {
            read.into_iter().for_each(endpoint);
        }
    }
    endpoint(login.provider().token_endpoint());
    endpoint(login.provider().jwks_uri());
    let max_age = string("max_age").map(|seconds| seconds.parse().unwrap_or(0));
    // The standard library takes a sign, too.
    assert!(login.max_age() == max_age || login.max_age() == Some(0));
    let created_at = string("created_at").and_then(|at| at.parse::<u32>().ok()).unwrap_or(0);
    assert!(login.created_at() <= f64::from(created_at), "begun later than was stored");
    assert!(
        !login.is_unexpired(f64::NAN)
            && (!login.is_unexpired(now) || now - 3600.0 <= login.created_at())
    );

    let again = PendingLogin::from_stored(&login.to_stored());
    let is_plain = members.values().all(Value::is_string);
    // A member of another type is not stored again: if it was required, or hid another, that shows.
    match again {
        Some(again) => assert_eq!(again.to_stored(), login.to_stored()),
        None => assert!(!is_plain, "what was stored can't be read"),
    }
}

/// Whatever the application and the provider give comes back as it was.
fn kept(text: &str) {
    let login =
        pending(&[("app_state", Some(text)), ("district", Some(text)), ("max_age", Some("0"))]);
    let again = PendingLogin::from_stored(&login.to_stored()).expect("it can't be read");
    assert_eq!(again.verifier.expose(), verifier().expose());
    assert_eq!((again.app_state(), again.district()), (Some(text), Some(text)));
    assert_eq!(again.max_age(), Some(0));
    assert_eq!(again.to_stored(), login.to_stored());
}

fn marks(text: &str, now: f64) {
    let mark = launch_marker(text, CREATED_AT);
    assert_eq!(launch_marker_state(&mark).as_deref(), Some(text));
    assert_eq!(is_launch_loop(&mark, now), now - f64::from(CREATED_AT) <= 60.0);
    if let Some(state) = launch_marker_state(text) {
        let members = object(text.as_bytes()).unwrap();
        assert_eq!(members["state"].as_str(), Some(state.as_str()));
    }
    if is_launch_loop(text, now) {
        assert!(object(text.as_bytes()).is_some());
    }
    if can_restore_by_redirect(Some(text), now) {
        let found: f64 = text.parse().expect("a mark that is no time");
        assert!(!(0.0..10.0).contains(&(now - found)), "it goes round in circles");
    }
}
