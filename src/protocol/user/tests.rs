//! The signed-in user: which claims and members make which fields, which profiles are accepted, and which tenants.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::protocol::id_token::tests::verified;
use crate::protocol::json::Value as Member;

fn bytes(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

fn user_info(body: &Value, token: &VerifiedIdToken) -> Result<ProfileResponse, Error> {
    ProfileResponse::from_userinfo(200, &bytes(body), token)
}

fn my_info(body: &Value, token: &VerifiedIdToken) -> Result<ProfileResponse, Error> {
    ProfileResponse::from_my_info(200, &bytes(body), token)
}

/// Returns the user as the application sees it, of an ID token and a my-info response.
fn user(claims: Value, my_info_answer: Option<Value>) -> Value {
    let token = verified(claims);
    let profile = my_info_answer.map(|answer| my_info(&answer, &token).unwrap());
    serde_json::to_value(User::new(&token, profile.as_ref())).unwrap()
}

/// Returns a user's fields without those that every user has.
fn fields(claims: Value, my_info_answer: Option<Value>) -> Value {
    let mut user = user(claims, my_info_answer);
    let members = user.as_object_mut().unwrap();
    members.remove("id");
    members.remove("sub");
    user
}

/// The gateway also makes users: the same vectors test both implementations.
#[test]
fn users_have_the_same_fields_as_by_the_gateway() {
    let vectors = include_str!("../../../tests/vectors/users.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    assert!(vectors.len() > 50);
    for mut vector in vectors {
        let name = vector["name"].take();
        let mut claims = vector["claims"].take();
        claims["iss"] = vector["issuer"].take();
        claims["sub"] = vector["expected"]["sub"].clone();
        let token = verified(claims);
        // These are about fields; other tests are about the user that a profile belongs to.
        let profile = match (vector["userInfo"].take(), vector["myInfo"].take()) {
            (Value::Null, Value::Null) => None,
            (Value::Object(members), Value::Null) | (Value::Null, Value::Object(members)) => {
                json::parse_object(&bytes(&Value::Object(members))).map(ProfileResponse)
            }
            _ => panic!("{name}: a profile is one object from one place"),
        };
        let user = serde_json::to_value(User::new(&token, profile.as_ref())).unwrap();
        // 5 and 5.0 are one number to JavaScript.
        let mut expected = vector["expected"].take();
        if let Some(time) = expected.get_mut("authTime") {
            *time = time.as_f64().into();
        }
        assert_eq!(user, expected, "{name}");
    }
}

#[test]
fn user_with_required_claims_alone_has_id_and_sub() {
    let expected = json!({ "id": "https://op.example|8708718", "sub": "8708718" });
    assert_eq!(user(json!({}), None), expected);
    assert_eq!(user(json!({}), Some(json!({}))), expected);
}

#[test]
fn classlinks_id_token_fills_its_fields() {
    let claims = json!({
        "iss": "https://launchpad.classlink.com",
        "auth_time": 1_699_999_900,
        "login_hint": "ana",
        "email": "ana@school.example",
        "email_verified": false,
        "name": "Ana Ruiz",
        "given_name": "Ana",
        "family_name": "Ruiz",
        "profile": "Teacher",
        "address": { "locality": "Springfield Public Schools", "region": "IL" },
    });
    let expected = json!({
        "id": "https://launchpad.classlink.com|8708718",
        "sub": "8708718",
        "name": "Ana Ruiz",
        "givenName": "Ana",
        "familyName": "Ruiz",
        "email": "ana@school.example",
        "emailVerified": false,
        "role": "teacher",
        "roleName": "Teacher",
        "authTime": 1_699_999_900.0,
    });
    assert_eq!(user(claims, None), expected);
}

#[test]
fn every_standard_claim_fills_its_field() {
    let claims = json!({
        "preferred_username": "aruiz",
        "picture": "https://img.example/a.png",
        "locale": "es",
        "email_verified": true,
        "classLink_tenant_id": 2284,
        "classLink_role": "Student",
        "classLink_sourcedId": "5678_T5678-0005",
        "UserId": 8_708_718,
        "Tenant": "Springfield",
    });
    let expected = json!({
        "preferredUsername": "aruiz",
        "picture": "https://img.example/a.png",
        "locale": "es",
        "emailVerified": true,
        "role": "student",
        "roleName": "Student",
        "tenant": { "id": "2284", "name": "Springfield" },
        "sourcedId": "5678_T5678-0005",
        "rosterId": "2284/5678_T5678-0005",
        "userId": "8708718",
    });
    assert_eq!(fields(claims, None), expected);
}

#[test]
fn my_info_fills_fields_under_its_own_names() {
    let answer = json!({
        "UserId": 8_708_718,
        "TenantId": "2284",
        "Tenant": "Springfield",
        "SourcedId": "0005",
        "Role": "Tenant Administrator",
        "Role_Level": 3,
        "LoginId": "aruiz",
        "Email": "ana@school.example",
        "DisplayName": "Ana Ruiz",
        "FirstName": "Ana",
        "LastName": "Ruiz",
        "ImagePath": "https://img.example/a.png",
        "Language": "es",
        "OrgId": "",
        "Profile": "Teachers",
        "SomethingNew": [1, { "a": null }],
    });
    let expected = json!({
        "name": "Ana Ruiz",
        "givenName": "Ana",
        "familyName": "Ruiz",
        "email": "ana@school.example",
        "picture": "https://img.example/a.png",
        "locale": "es",
        "role": "administrator",
        "roleName": "Tenant Administrator",
        "tenant": { "id": "2284", "name": "Springfield" },
        "sourcedId": "0005",
        "rosterId": "2284/0005",
        "userId": "8708718",
    });
    assert_eq!(fields(json!({}), Some(answer)), expected);
}

#[test]
fn claims_override_the_profile_which_fills_gaps() {
    let claims = json!({
        "name": "Ana Ruiz",
        "email_verified": false,
        "classLink_role": "Student",
        "classLink_sourcedId": "0005",
        "TenantId": 2284,
    });
    let answer = json!({
        "name": "Somebody Else",
        "DisplayName": "Somebody Else",
        "email_verified": true,
        "Email": "ana@school.example",
        "classLink_role": "Teacher",
        "Role": "Teacher",
        "SourcedId": "0006",
        "classLink_tenant_id_string": "666",
        "classLink_tenant_id": 666,
        "TenantId": 666,
        "Tenant": "Springfield",
    });
    let expected = json!({
        "name": "Ana Ruiz",
        "email": "ana@school.example",
        "emailVerified": false,
        "role": "student",
        "roleName": "Student",
        "tenant": { "id": "2284", "name": "Springfield" },
        "sourcedId": "0005",
        "rosterId": "2284/0005",
    });
    assert_eq!(fields(claims, Some(answer)), expected);
}

#[test]
fn members_that_are_empty_or_of_the_wrong_type_count_as_missing() {
    let names = [
        "name",
        "given_name",
        "family_name",
        "email",
        "email_verified",
        "preferred_username",
        "picture",
        "locale",
        "profile",
        "address",
        "classLink_role",
        "classLink_role_level",
        "classLink_tenant_id",
        "classLink_tenant_id_string",
        "classLink_sourcedId",
        "UserId",
        "auth_time",
        "DisplayName",
        "FirstName",
        "LastName",
        "Email",
        "ImagePath",
        "Language",
        "Role",
        "Role_Level",
        "TenantId",
        "Tenant",
        "SourcedId",
    ];
    for wrong in
        [json!(null), json!(""), json!([]), json!(["a"]), json!({}), json!({ "a": 1 }), json!(-1.5)]
    {
        for name in names {
            if name == "auth_time" && wrong.is_number() {
                continue;
            }
            let one = json!({ name: wrong });
            assert_eq!(fields(one.clone(), None), json!({}), "{one}");
            assert_eq!(fields(json!({}), Some(one.clone())), json!({}), "{one}");
        }
    }
    for (name, wrong) in
        [("email_verified", json!("true")), ("name", json!(5)), ("auth_time", json!("5"))]
    {
        assert_eq!(fields(json!({ name: wrong }), None), json!({}), "{name}");
    }
}

#[test]
fn empty_claim_leaves_the_field_to_the_profile() {
    let claims = json!({ "name": "", "classLink_sourcedId": "", "email_verified": "no" });
    let answer = json!({ "DisplayName": "Ana", "SourcedId": "0005", "email_verified": true });
    let expected = json!({ "name": "Ana", "sourcedId": "0005", "emailVerified": true });
    assert_eq!(fields(claims, Some(answer)), expected);
}

#[test]
fn auth_time_is_never_the_profiles() {
    assert_eq!(fields(json!({}), Some(json!({ "auth_time": 5 }))), json!({}));
}

/// A district without OneRoster sends an empty `SourcedId`.
#[test]
fn roster_id_needs_tenant_and_sourced_id() {
    let only_tenant = json!({ "TenantId": 2284, "SourcedId": "" });
    assert_eq!(fields(json!({}), Some(only_tenant)), json!({ "tenant": { "id": "2284" } }));
    let only_sourced_id = json!({ "SourcedId": "0005" });
    assert_eq!(fields(json!({}), Some(only_sourced_id)), json!({ "sourcedId": "0005" }));
}

#[test]
fn tenant_id_may_be_a_string_or_a_number_and_prefers_the_string() {
    for (claims, id) in [
        (
            json!({ "classLink_tenant_id_string": "a", "classLink_tenant_id": 2, "TenantId": 3 }),
            "a",
        ),
        (json!({ "classLink_tenant_id_string": "", "classLink_tenant_id": 2, "TenantId": 3 }), "2"),
        (json!({ "classLink_tenant_id": "2" }), "2"),
        (json!({ "TenantId": 3 }), "3"),
        (json!({ "TenantId": 0 }), "0"),
    ] {
        assert_eq!(fields(claims.clone(), None), json!({ "tenant": { "id": id } }), "{claims}");
    }
    let rounded = json!({ "TenantId": 9_007_199_254_740_993_u64 });
    assert_eq!(fields(rounded, None), json!({}));
}

#[test]
fn tenant_name_is_tenant_or_the_locality_of_address() {
    let address = json!({ "locality": "Springfield Public Schools" });
    let with =
        |tenant: Option<&str>| json!({ "TenantId": 1, "Tenant": tenant, "address": address });
    for (tenant, name) in
        [(Some("Springfield"), "Springfield"), (None, "Springfield Public Schools")]
    {
        let expected = json!({ "tenant": { "id": "1", "name": name } });
        assert_eq!(fields(with(tenant), None), expected);
        assert_eq!(fields(json!({}), Some(with(tenant))), expected);
    }
    for address in [json!("Springfield"), json!({ "locality": 5 }), json!({ "locality": "" })] {
        let claims = json!({ "TenantId": 1, "address": address });
        assert_eq!(fields(claims, None), json!({ "tenant": { "id": "1" } }));
    }
}

#[test]
fn role_name_is_mapped_to_one_of_five_roles() {
    for (word, role) in [
        ("Student", "student"),
        ("student", "student"),
        (" TEACHER ", "teacher"),
        ("Parent", "parent"),
        ("Guardian", "parent"),
        ("Admin", "administrator"),
        ("Administrator", "administrator"),
        ("Tenant Administrator", "administrator"),
        ("district administrators", "administrator"),
        ("Student Teacher", "other"),
        ("Staff", "other"),
        ("badminton", "other"),
    ] {
        let expected = json!({ "role": role, "roleName": word });
        for name in ["classLink_role", "Role", "profile"] {
            assert_eq!(fields(json!({ name: word }), None), expected, "{name}: {word}");
        }
    }
}

#[test]
fn role_claim_overrides_profile_and_a_name_overrides_a_level() {
    let claims =
        json!({ "classLink_role": "Parent", "profile": "Teacher", "classLink_role_level": 4 });
    assert_eq!(fields(claims, None), json!({ "role": "parent", "roleName": "Parent" }));
    let claims = json!({ "profile": "Teacher", "classLink_role_level": 4 });
    assert_eq!(fields(claims, None), json!({ "role": "teacher", "roleName": "Teacher" }));
}

/// Core 1.0, 5.1 has the URL of a profile page there.
#[test]
fn profile_that_is_a_url_is_not_a_role() {
    for url in ["https://social.example/ana", "mailto:ana", "/ana", "social.example/ana"] {
        assert_eq!(fields(json!({ "profile": url }), None), json!({}), "{url}");
    }
}

#[test]
fn role_level_gives_the_role_when_there_is_no_name() {
    for (level, role) in [(json!(4), "student"), (json!(4.0), "student"), (json!(3), "teacher")] {
        for name in ["classLink_role_level", "Role_Level"] {
            assert_eq!(fields(json!({ name: level }), None), json!({ "role": role }), "{level}");
        }
    }
    for level in [json!(0), json!(1), json!(2), json!(5), json!(3.5), json!("4")] {
        assert_eq!(fields(json!({ "Role_Level": level }), None), json!({}), "{level}");
    }
    let both = json!({ "classLink_role_level": 3, "Role_Level": 4 });
    assert_eq!(fields(both, None), json!({ "role": "teacher" }));
}

#[test]
fn userinfo_of_another_sub_is_refused() {
    let token = verified(json!({}));
    let answer = user_info(&json!({ "sub": "8708718", "name": "Ana" }), &token).unwrap();
    let user = serde_json::to_value(User::new(&token, Some(&answer))).unwrap();
    assert_eq!(user["name"], "Ana");
    for body in [
        json!({ "sub": "8708719" }),
        json!({ "sub": "" }),
        json!({ "sub": 8_708_718 }),
        json!({ "sub": null }),
        json!({ "name": "Ana", "UserId": 8_708_718 }),
        json!({}),
    ] {
        let error = user_info(&body, &token).err().unwrap();
        assert_eq!(error.code, ErrorCode::UserMismatch, "{body}");
    }
}

#[test]
fn my_info_of_another_user_id_is_refused() {
    let token = verified(json!({}));
    for user_id in [
        json!("8708718"),
        json!(8_708_718),
        json!(null),
        json!(""),
        json!("ana"),
        json!("8708719x"),
        json!(-5),
    ] {
        assert!(my_info(&json!({ "UserId": user_id }), &token).is_ok(), "{user_id}");
    }
    for user_id in [json!("8708719"), json!(8_708_719), json!(0)] {
        let error = my_info(&json!({ "UserId": user_id }), &token).err().unwrap();
        assert_eq!(error.code, ErrorCode::UserMismatch, "{user_id}");
    }
    // A subject that is not one of ClassLink's numbers cannot be compared.
    let token = verified(json!({ "sub": "ana" }));
    assert!(my_info(&json!({ "UserId": 5 }), &token).is_ok());
}

#[test]
fn profile_error_is_userinfo_rejected_with_its_status() {
    let token = verified(json!({}));
    let whole = json!({ "sub": "8708718" });
    let told = |status: Value| json!({ "sub": "8708718", "status": status, "message": "Ana: no" });
    for (status, body, seen, retryable) in [
        (401, json!({ "message": "Unauthorized" }), 401, false),
        (302, whole.clone(), 302, false),
        (300, whole.clone(), 300, false),
        (199, whole.clone(), 199, false),
        (403, whole.clone(), 403, false),
        (429, whole.clone(), 429, true),
        (500, whole.clone(), 500, true),
        (200, told(json!(401)), 401, false),
        (200, told(json!(503)), 503, true),
        (200, told(json!(0)), 0, false),
        (200, told(json!(-1)), 200, false),
        (200, told(json!(70_000)), 200, false),
        (200, told(json!(400.5)), 200, false),
    ] {
        for read in [ProfileResponse::from_userinfo, ProfileResponse::from_my_info] {
            let error = read(status, &bytes(&body), &token).err().unwrap();
            assert_eq!(error.code, ErrorCode::UserinfoRejected, "{status} {body}");
            assert_eq!((error.status, error.retryable), (Some(seen), retryable), "{status} {body}");
            assert!(!format!("{error:?}").contains("Ana"));
        }
    }
    let error = ProfileResponse::from_userinfo(500, b"<html>", &token).err().unwrap();
    assert_eq!(error.code, ErrorCode::UserinfoRejected);
}

#[test]
fn status_that_is_not_a_number_is_an_ordinary_member() {
    let token = verified(json!({}));
    for status in [json!("active"), json!("401"), json!(null), json!(true)] {
        assert!(user_info(&json!({ "sub": "8708718", "status": status }), &token).is_ok());
    }
    assert!(ProfileResponse::from_userinfo(299, br#"{"sub":"8708718"}"#, &token).is_ok());
}

#[test]
fn profile_that_is_not_a_json_object_is_invalid() {
    let token = verified(json!({}));
    for body in ["<html>", "", "[]", "null", r#"{"sub":"87087"#] {
        for read in [ProfileResponse::from_userinfo, ProfileResponse::from_my_info] {
            let error = read(200, body.as_bytes(), &token).err().unwrap();
            assert_eq!(error.code, ErrorCode::ProviderResponseInvalid, "{body}");
            assert_eq!(error.status, Some(200));
        }
    }
}

#[test]
fn tenants_that_are_not_allowed_are_refused() {
    let of_tenant = |claims| User::new(&verified(claims), None);
    let ours = of_tenant(json!({ "TenantId": 2284 }));
    let unknown = of_tenant(json!({}));
    let tenant = |id: &str| Member::String(id.to_owned());
    let allowed = ["1", "2284"].map(tenant);
    let reason = |user: &User, allowed: &[Member]| {
        let error = user.check_tenant(Some(allowed)).err()?;
        assert_eq!(error.code, ErrorCode::TenantNotAllowed);
        error.reason
    };
    assert_eq!(reason(&ours, &allowed), None);
    assert_eq!(reason(&ours, &allowed[..1]), Some(Reason::TenantOther));
    assert_eq!(reason(&ours, &[]), Some(Reason::TenantOther));
    assert_eq!(reason(&ours, &[tenant("02284")]), Some(Reason::TenantOther));
    assert_eq!(reason(&unknown, &allowed), Some(Reason::TenantUnknown));
    assert_eq!(reason(&unknown, &[tenant("")]), Some(Reason::TenantUnknown));
    assert!(ours.check_tenant(None).is_ok());
    assert!(unknown.check_tenant(None).is_ok());
    // Each message says what to do about its own reason.
    let message = |user: &User| user.check_tenant(Some(&[])).unwrap_err().message;
    assert!(message(&ours).contains("allowedTenants"));
    assert!(message(&unknown).contains("my-info"));
}

#[test]
fn join_escaped_escapes_percent_and_the_separator() {
    assert_eq!(join_escaped("https://op.example", '|', "1"), "https://op.example|1");
    assert_eq!(join_escaped("a|b%", '|', "c/|%"), "a%7Cb%25|c/%7C%25");
    assert_eq!(join_escaped("a/b%", '/', "c|/%"), "a%2Fb%25/c|%2F%25");
    let claims = json!({ "sub": "a|b%", "TenantId": "1/2", "SourcedId": "3%/" });
    let user = user(claims, None);
    assert_eq!(user["id"], "https://op.example|a%7Cb%25");
    assert_eq!(user["rosterId"], "1%2F2/3%25%2F");
}

/// Of one alphabet that is all traps, so that collisions would be likely.
const PART: &str = "[a|/%7C2F5]{0,5}";

proptest! {
    #[test]
    fn join_escaped_never_collides(
        separator in proptest::sample::select(vec!['|', '/']),
        one in (PART, PART),
        other in (PART, PART),
        swapped in 0..10usize,
    ) {
        let key = |pair: &(String, String)| join_escaped(&pair.0, separator, &pair.1);
        prop_assert_eq!(key(&one) == key(&other), one == other);
        // The same text, parted in another place.
        let joined = [one.0.as_str(), &separator.to_string(), &one.1].concat();
        if let Some((first, second)) = joined.split_at_checked(swapped) {
            let parted = (first.to_owned(), second.to_owned());
            prop_assert_ne!(key(&parted), key(&one));
        }
    }

    #[test]
    fn join_escaped_can_be_reversed(first in ".{0,9}", second in ".{0,9}") {
        for (separator, code) in [('|', "%7C"), ('/', "%2F")] {
            let key = join_escaped(&first, separator, &second);
            let parts: Vec<_> = key.split(separator).collect();
            let decode = |part: &str| part.replace(code, &separator.to_string()).replace("%25", "%");
            prop_assert_eq!(parts.len(), 2);
            prop_assert_eq!([decode(parts[0]), decode(parts[1])], [first.clone(), second.clone()]);
        }
    }

    #[test]
    fn profile_responses_never_panic(status: u16, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let token = verified(json!({}));
        let _ = ProfileResponse::from_userinfo(status, &body, &token);
        let _ = ProfileResponse::from_my_info(status, &body, &token);
    }
}

#[test]
fn user_digest_differs_for_each_issuer_and_subject_and_contains_neither() {
    let digest = user_digest("https://op.example", "8708718");
    assert_eq!(digest, user_digest("https://op.example", "8708718"));
    assert_ne!(digest, user_digest("https://op.example", "8708719"));
    assert_ne!(digest, user_digest("https://other.example", "8708718"));
    assert_eq!(digest.len(), 43);
}
