//! UserInfo and my-info, and the user that they complete: a line with the response's HTTP status and, for my-info,
//! `my-info`; a line with members of the ID token's claims; then the answer's body.

use classlink_spa::error::ErrorCode;
use classlink_spa::protocol::id_token::VerifiedIdToken;
use classlink_spa::protocol::json;
use classlink_spa::protocol::user::{ProfileResponse, User};
use serde_json::{Map, Value};

use crate::id_token::verified;
use crate::reading::{identifier, line, number, object, text, text_line};

const TENANT_IDS: [&str; 3] = ["classLink_tenant_id_string", "classLink_tenant_id", "TenantId"];
const ROLES: [&str; 5] = ["student", "teacher", "parent", "administrator", "other"];

/// The fields that are text, by the names that they may come under.
const TEXTS: [(&str, [&str; 2]); 7] = [
    ("name", ["name", "DisplayName"]),
    ("givenName", ["given_name", "FirstName"]),
    ("familyName", ["family_name", "LastName"]),
    ("email", ["email", "Email"]),
    ("preferredUsername", ["preferred_username", "preferred_username"]),
    ("picture", ["picture", "ImagePath"]),
    ("locale", ["locale", "Language"]),
];

/// Parses the response for a verified ID token, and makes the user.
pub fn run(mut data: &[u8]) {
    let mut words = text_line(&mut data).split(' ');
    let status = number(words.next(), 200);
    let is_my_info = words.next() == Some("my-info");
    let Some(token) = verified(line(&mut data)) else { return };
    let claims = object(token.claims_text().as_bytes()).unwrap();
    let profile =
        if is_my_info { my_info(status, data, &token) } else { user_info(status, data, &token) };
    let nothing = Map::new();
    let body = object(data);
    let members = body.as_ref().filter(|_| profile.is_some()).unwrap_or(&nothing);
    let user = User::new(&token, profile.as_ref());
    let shown = serde_json::to_value(&user).unwrap();
    identity(&shown, &token);
    fields(&shown, &claims, members);
    tenant(&user, &shown, &claims, members);
}

/// Core 5.3.2 and 5.3.4.
fn user_info(status: u16, body: &[u8], token: &VerifiedIdToken) -> Option<ProfileResponse> {
    let members = object(body);
    let subject = members.as_ref().and_then(|members| members.get("sub")?.as_str());
    let is_theirs = subject == Some(token.subject());
    judged(ProfileResponse::from_userinfo(status, body, token), status, members.as_ref(), is_theirs)
}

/// There both speak in `ClassLink`'s numbers, they are the same user's.
fn my_info(status: u16, body: &[u8], token: &VerifiedIdToken) -> Option<ProfileResponse> {
    let members = object(body);
    let user_id = members.as_ref().and_then(|members| identifier(members, "UserId"));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_theirs = user_id
        .is_none_or(|id| id == token.subject() || !is_number(&id) || !is_number(token.subject()));
    judged(ProfileResponse::from_my_info(status, body, token), status, members.as_ref(), is_theirs)
}

fn judged(
    read: Result<ProfileResponse, classlink_spa::error::Error>,
    status: u16,
    members: Option<&Map<String, Value>>,
    is_theirs: bool,
) -> Option<ProfileResponse> {
    let told = members.is_some_and(|members| members.get("status").is_some_and(Value::is_number));
    let expected = match members {
        _ if !(200..300).contains(&status) => Some(ErrorCode::UserinfoRejected),
        None => Some(ErrorCode::ProviderResponseInvalid),
        Some(_) if told => Some(ErrorCode::UserinfoRejected),
        Some(_) => (!is_theirs).then_some(ErrorCode::UserMismatch),
    };
    assert_eq!(read.as_ref().err().map(|error| error.code), expected);
    read.ok()
}

/// Both parts of a key, so that none of other parts is the same.
fn parts(key: &str, separator: char) -> (String, String) {
    let (first, second) = key.split_once(separator).expect("a key of one part");
    assert!(!second.contains(separator), "a key of three parts");
    let written = format!("%{:X}", u32::from(separator));
    let decode = |part: &str| part.replace(&written, &separator.to_string()).replace("%25", "%");
    (decode(first), decode(second))
}

fn identity(shown: &Value, token: &VerifiedIdToken) {
    assert_eq!(shown["sub"], token.subject());
    let id = shown["id"].as_str().unwrap();
    assert_eq!(parts(id, '|'), (token.issuer().to_owned(), token.subject().to_owned()));
    assert_eq!(shown.get("authTime").and_then(Value::as_f64), token.auth_time());
}

/// Checks that signed claims override the profile, which fills gaps.
fn fields(shown: &Value, claims: &Map<String, Value>, profile: &Map<String, Value>) {
    for (field, names) in TEXTS {
        let places = names.into_iter().flat_map(|name| [text(claims, name), text(profile, name)]);
        assert_eq!(shown.get(field).and_then(Value::as_str), places.flatten().next(), "{field}");
    }
    let verified = |members: &Map<String, Value>| members.get("email_verified")?.as_bool();
    let expected = match text(claims, "email") {
        Some(_) => verified(claims),
        None => verified(claims).or_else(|| verified(profile)),
    };
    assert_eq!(shown.get("emailVerified").and_then(Value::as_bool), expected);
    let role = shown.get("role").map(|role| role.as_str().unwrap());
    assert!(role.is_none_or(|role| ROLES.contains(&role)), "another role");
    let role_name = shown.get("roleName").and_then(Value::as_str);
    assert!(role_name.is_none() || role.is_some());
    if role == Some("administrator") {
        assert!(role_name.unwrap().to_ascii_lowercase().contains("admin"), "an administrator");
    }
}

/// Checks that a signed tenant decides who is allowed.
fn tenant(user: &User, shown: &Value, claims: &Map<String, Value>, profile: &Map<String, Value>) {
    let first = |members| TENANT_IDS.iter().find_map(|name| identifier(members, name));
    let id = first(claims).or_else(|| first(profile));
    let shown_id = shown.get("tenant").map(|tenant| tenant["id"].as_str().unwrap().to_owned());
    assert_eq!(shown_id, id);
    if let Some(roster) = shown.get("rosterId") {
        let (tenant, sourced) = parts(roster.as_str().unwrap(), '/');
        assert_eq!((Some(tenant), shown["sourcedId"].as_str()), (id.clone(), Some(&*sourced)));
    }
    assert!(user.check_tenant(None).is_ok());
    let served = |tenant: &str| json::Value::String(tenant.to_owned());
    assert_eq!(
        user.check_tenant(Some(&[])).map_err(|error| error.code),
        Err(ErrorCode::TenantNotAllowed)
    );
    let is_let_in = user.check_tenant(Some(&[served("2284")])).is_ok();
    assert_eq!(is_let_in, id.as_deref() == Some("2284"));
    if let Some(id) = &id {
        assert!(user.check_tenant(Some(&[served("x"), served(id)])).is_ok());
    }
}
