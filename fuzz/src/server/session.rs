//! The plain text of a sealed cookie, and what another instance left in the store.

use classlink_gateway::renewal::read_outcome;
use classlink_gateway::seal::SealingKeys;
use classlink_gateway::sealed_form::{pack, unpack};
use classlink_gateway::session::OpenSession;
use classlink_spa::protocol::encoding::from_base64url;

use super::{SESSIONS, SETTINGS, client};
use crate::reading::object;

/// The largest number that is written and read exactly.
const EXACT: u64 = 1 << 53;

/// Unpacks the bytes, and what they are once sealed.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let outcome = read_outcome(&SESSIONS, client("c1"), text);
        assert!(!matches!(outcome, Some(Ok(_))), "a session that was not sealed");
    }
    let unpacked = unpack(data);
    let keys = SealingKeys::derive(&SETTINGS.sealing_keys).unwrap();
    let context = br#"["classlink-spa session 2","https://op.example","c1"]"#;
    let sealed = ["s.", &keys.seal(data, context).unwrap()].concat();
    let outcome = read_outcome(&SESSIONS, client("c1"), &sealed);
    let outcome = outcome.map(|read| read.unwrap_or_else(|_| panic!("a refusal")));
    assert!(outcome.as_ref() == unpacked.as_ref().map(|(session, _)| session));
    assert!(read_outcome(&SESSIONS, client("c2"), &sealed).is_none(), "another registration's");

    let Some((session, claims)) = unpacked else { return };
    let body = session.id_token.split('.').nth(1).and_then(from_base64url).unwrap_or_default();
    let theirs = object(&body).expect("claims that are not those of the ID token");
    // Of a member that comes twice the last counts.
    for (name, _) in claims.strings() {
        assert_eq!(theirs.get(name).and_then(serde_json::Value::as_str), claims.get_str(name));
    }
    let times = [session.created_at, session.last_used_at, session.obtained_at];
    let times = times.into_iter().chain(session.expires_at).map(i64::unsigned_abs);
    let is_exact = times.chain([session.order]).all(|time| time < EXACT);
    let open = OpenSession { session: session.clone(), claims, is_outdated: false };
    let _ = (open.user(), SESSIONS.expiry(&open), open.id_token_end());
    if let Some(packed) = pack(&session)
        && is_exact
    {
        assert!(unpack(&packed).is_some_and(|(again, _)| again == session));
    }
}
