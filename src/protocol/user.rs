//! The signed-in user: fields of the verified ID token and, if they are missing there, of `UserInfo` (`OpenID` Connect Core
//! 1.0, 5.3) or `ClassLink`'s my-info. Also the checks that a profile is about this user, and of the tenant.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::id_token::VerifiedIdToken;
use super::json::{self, Object, Value};
use super::pkce::sha256;
use crate::error::{Error, ErrorCode, Reason};

/// The string fields, with the names of their sources: in the ID token and `UserInfo`, then in my-info.
const STRING_FIELDS: [(&str, &[&str]); 7] = [
    ("name", &["name", "DisplayName"]),
    ("givenName", &["given_name", "FirstName"]),
    ("familyName", &["family_name", "LastName"]),
    ("email", &["email", "Email"]),
    ("preferredUsername", &["preferred_username"]),
    ("picture", &["picture", "ImagePath"]),
    ("locale", &["locale", "Language"]),
];

const TENANT_IDS: [&str; 3] = ["classLink_tenant_id_string", "classLink_tenant_id", "TenantId"];

/// The signed-in user as the application sees it; `User` in the package's types documents each field.
pub struct User {
    fields: Fields,
    tenant: Option<String>,
}

/// Fields with their names.
struct Fields(Vec<(&'static str, Field)>);

enum Field {
    Text(String),
    Bool(bool),
    Time(f64),
    Fields(Fields),
}

impl Serialize for User {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.fields.serialize(to)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (name, field) in &self.0 {
            map.serialize_entry(name, field)?;
        }
        map.end()
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => to.serialize_str(text),
            Self::Bool(truth) => to.serialize_bool(*truth),
            Self::Time(seconds) => to.serialize_f64(*seconds),
            Self::Fields(fields) => fields.serialize(to),
        }
    }
}

impl Fields {
    fn text(&mut self, name: &'static str, text: Option<String>) {
        if let Some(text) = text {
            self.0.push((name, Field::Text(text)));
        }
    }
}

/// A response of a profile endpoint that is about the user of the ID token.
pub struct ProfileResponse(Object);

impl ProfileResponse {
    /// Parses a `UserInfo` response (Core 5.3.2 and 5.3.4).
    ///
    /// # Errors
    /// `userinfo_rejected`, `provider_response_invalid`, or `user_mismatch` if `sub` is not the ID token's.
    pub fn from_userinfo(status: u16, body: &[u8], token: &VerifiedIdToken) -> Result<Self, Error> {
        let members = profile_members(status, body)?;
        match members.get_str("sub") {
            Some(subject) if subject == token.subject() => Ok(Self(members)),
            _ => Err(mismatch("UserInfo's `sub` is not the ID token's")),
        }
    }

    /// Parses a response of `ClassLink`'s `/v2/my/info`. It has no `sub`; if both its `UserId` and the ID token's `sub` are
    /// numbers they must be equal.
    ///
    /// # Errors
    /// As [`ProfileResponse::from_userinfo`].
    pub fn from_my_info(status: u16, body: &[u8], token: &VerifiedIdToken) -> Result<Self, Error> {
        let members = profile_members(status, body)?;
        let user_id = members.get_string_or_integer("UserId");
        let is_number = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
        let subject = token.subject();
        match user_id.as_deref() {
            Some(id) if id != subject && is_number(id) && is_number(subject) => {
                Err(mismatch("my-info's `UserId` is not the ID token's `sub`"))
            }
            _ => Ok(Self(members)),
        }
    }
}

fn mismatch(message: &'static str) -> Error {
    Error::new(ErrorCode::UserMismatch, message)
}

/// Returns the members of a response that is not an error. `ClassLink` also reports errors as HTTP 200 with a numeric
/// `status` in the body.
fn profile_members(status: u16, body: &[u8]) -> Result<Object, Error> {
    let rejected = |status: u16| {
        Error::new(ErrorCode::UserinfoRejected, "the profile endpoint returned an error")
            .with_status(status)
    };
    if !(200..300).contains(&status) {
        return Err(rejected(status));
    }
    let members = json::parse_object(body).ok_or_else(|| {
        let message = "the profile endpoint's response is not a JSON object";
        Error::new(ErrorCode::ProviderResponseInvalid, message).with_status(status)
    })?;
    if members.get_f64("status").is_some() {
        let told = members.get_u32("status").and_then(|told| told.try_into().ok());
        return Err(rejected(told.unwrap_or(status)));
    }
    Ok(members)
}

impl User {
    /// Makes the user of a verified ID token. Claims override the profile, which fills gaps; a member of the wrong type, or
    /// empty, counts as missing.
    #[must_use]
    pub fn new(token: &VerifiedIdToken, profile: Option<&ProfileResponse>) -> Self {
        let sources = Sources { claims: token.claims(), profile: profile.map(|answer| &answer.0) };
        Self::of(token.issuer(), token.subject(), token.auth_time(), &sources)
    }

    fn of(issuer: &str, subject: &str, auth_time: Option<f64>, sources: &Sources<'_>) -> Self {
        let mut fields = Fields(Vec::new());
        fields.text("id", Some(join_escaped(issuer, '|', subject)));
        fields.text("sub", Some(subject.to_owned()));
        for (name, names) in STRING_FIELDS {
            fields.text(name, sources.text(names));
        }
        // The profile's `email_verified` may be about another address than the token's.
        let verified = |source: &Object| source.get("email_verified")?.as_bool();
        let has_address = sources.claims.get_non_empty_str("email").is_some();
        let verified = if has_address { verified(sources.claims) } else { sources.find(verified) };
        if let Some(verified) = verified {
            fields.0.push(("emailVerified", Field::Bool(verified)));
        }
        let (role, word) = sources.role();
        fields.text("role", role.map(str::to_owned));
        fields.text("roleName", word);
        let sourced_id = sources.identifier(&["classLink_sourcedId", "SourcedId"]);
        // The tenant decides who may sign in: any of its names in the signed claims goes before the profile.
        let tenant = sources.find(|source| first_identifier(source, &TENANT_IDS));
        if let Some(id) = &tenant {
            if let Some(sourced_id) = &sourced_id {
                fields.text("rosterId", Some(join_escaped(id, '/', sourced_id)));
            }
            let mut members = Fields(Vec::new());
            members.text("id", tenant.clone());
            members.text("name", sources.tenant_name());
            fields.0.push(("tenant", Field::Fields(members)));
        }
        fields.text("sourcedId", sourced_id);
        fields.text("userId", sources.identifier(&["UserId"]));
        if let Some(time) = auth_time {
            fields.0.push(("authTime", Field::Time(time)));
        }
        Self { fields, tenant }
    }

    /// Checks that the user's tenant is allowed.
    ///
    /// # Errors
    /// `tenant_not_allowed`.
    pub fn check_tenant(&self, allowed: Option<&[Value]>) -> Result<(), Error> {
        let Some(allowed) = allowed else {
            return Ok(());
        };
        let (reason, message) = match self.tenant.as_deref() {
            None => (
                Reason::TenantUnknown,
                "the user's tenant is unknown; ask for it with `profile: \"my-info\"` or `\"userinfo\"`",
            ),
            Some(id) if allowed.iter().any(|served| served.as_str() == Some(id)) => return Ok(()),
            Some(_) => (Reason::TenantOther, "the user's tenant is not in `allowedTenants`"),
        };
        Err(Error::new(ErrorCode::TenantNotAllowed, message).with_reason(reason))
    }
}

#[cfg(feature = "gateway")]
impl User {
    /// Makes the user of an ID token that was validated before it was sealed. The gateway compared the profile's subject.
    #[must_use]
    pub fn from_sealed(claims: &Object, profile: Option<&Object>) -> Self {
        let text = |name| claims.get_str(name).unwrap_or_default();
        let auth_time = claims.get_f64("auth_time");
        Self::of(text("iss"), text("sub"), auth_time, &Sources { claims, profile })
    }

    /// Returns the id of the user with this subject at this issuer.
    #[must_use]
    pub fn id_of(issuer: &str, subject: &str) -> String {
        join_escaped(issuer, '|', subject)
    }

    /// Returns a field that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.find(name)
    }

    /// Returns the tenant's id.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Returns the tenant's name.
    #[must_use]
    pub fn tenant_name(&self) -> Option<&str> {
        self.fields.0.iter().find_map(|(_, field)| match field {
            Field::Fields(tenant) => tenant.find("name"),
            _ => None,
        })
    }
}

#[cfg(feature = "gateway")]
impl Fields {
    fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(known, field)| match field {
            Field::Text(text) if *known == name => Some(text.as_str()),
            _ => None,
        })
    }
}

/// The sources of a field.
struct Sources<'a> {
    claims: &'a Object,
    profile: Option<&'a Object>,
}

impl Sources<'_> {
    fn find<T>(&self, read: impl Fn(&Object) -> Option<T>) -> Option<T> {
        read(self.claims).or_else(|| read(self.profile?))
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        let find = |name| self.find(|source| source.get_non_empty_str(name).map(str::to_owned));
        names.iter().find_map(|name| find(name))
    }

    fn identifier(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.find(|source| source.get_string_or_integer(name)))
    }

    fn tenant_name(&self) -> Option<String> {
        let locality = |source: &Object| {
            let address = source.get("address")?.as_object()?;
            address.get_non_empty_str("locality").map(str::to_owned)
        };
        self.text(&["Tenant"]).or_else(|| self.find(locality))
    }

    /// Returns the role and the provider's name for it. `ClassLink` puts a role name into `profile`, where Core 5.1 has a
    /// URL.
    fn role(&self) -> (Option<&'static str>, Option<String>) {
        let is_url = |word: &String| word.bytes().any(|byte| matches!(byte, b'/' | b':'));
        let word = self
            .text(&["classLink_role", "Role"])
            .or_else(|| self.text(&["profile"]).filter(|word| !is_url(word)));
        if let Some(word) = word {
            return (Some(role_of(word.trim_ascii())), Some(word));
        }
        let level = |name| self.find(|source| source.get_f64(name));
        let level = level("classLink_role_level").or_else(|| level("Role_Level"));
        // Compared exactly: levels are small integers.
        let role = match level {
            Some(level) if level.to_bits() == 4f64.to_bits() => Some("student"),
            Some(level) if level.to_bits() == 3f64.to_bits() => Some("teacher"),
            _ => None,
        };
        (role, None)
    }
}

fn first_identifier(source: &Object, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| source.get_string_or_integer(name))
}

/// Maps the provider's name of a role to one of `User`'s.
fn role_of(word: &str) -> &'static str {
    const ADMINISTRATOR: &[u8] = b"administrator";
    for (known, role) in [
        ("student", "student"),
        ("teacher", "teacher"),
        ("parent", "parent"),
        ("guardian", "parent"),
        ("admin", "administrator"),
    ] {
        if word.eq_ignore_ascii_case(known) {
            return role;
        }
    }
    let mut within = word.as_bytes().windows(ADMINISTRATOR.len());
    if within.any(|part| part.eq_ignore_ascii_case(ADMINISTRATOR)) {
        "administrator"
    } else {
        "other"
    }
}

/// Joins two parts to a key that no other parts have: in each, `%` and the separator are percent-encoded.
fn join_escaped(first: &str, separator: char, second: &str) -> String {
    let mut key = String::new();
    encode(&mut key, first, separator);
    key.push(separator);
    encode(&mut key, second, separator);
    key
}

fn encode(key: &mut String, part: &str, separator: char) {
    for character in part.chars() {
        match character {
            '%' => key.push_str("%25"),
            '|' if separator == '|' => key.push_str("%7C"),
            '/' if separator == '/' => key.push_str("%2F"),
            _ => key.push(character),
        }
    }
}

/// Digests the issuer and subject, so that the application's tabs can compare users and learn nothing about them.
#[must_use]
pub fn user_digest(issuer: &str, subject: &str) -> String {
    sha256(&["classlink-spa person:", issuer, "|", subject])
}

#[cfg(test)]
mod tests;
