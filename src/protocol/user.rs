//! The person who signed in: fields from the verified ID token, and from `UserInfo` (`OpenID` Connect Core 1.0, 5.3) or
//! `ClassLink`'s my-info where they are missing there.

use serde::Serialize;

use super::id_token::VerifiedIdToken;
use super::json::{self, Object};
use crate::error::{Error, ErrorCode, Reason};

/// The person who signed in, as the application sees them; `User` in the package's types says what each field means.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are documented where applications see them")]
pub struct User {
    pub id: String,
    pub sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sourced_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<f64>,
}

/// A hint for the user interface, never authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Role {
    Student,
    Teacher,
    Administrator,
    Parent,
    Other,
}

/// A district.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The answer of a profile endpoint that speaks of the person whom the ID token names.
pub struct ProfileAnswer(Object);

impl ProfileAnswer {
    /// Reads an answer of `UserInfo` (Core 5.3.2 and 5.3.4).
    ///
    /// # Errors
    /// `userinfo_rejected`, `provider_response_invalid`, or `user_mismatch` where `sub` is not the ID token's.
    pub fn from_userinfo(status: u16, body: &[u8], token: &VerifiedIdToken) -> Result<Self, Error> {
        let members = profile_members(status, body)?;
        match json::string(&members, "sub") {
            Some(subject) if subject == token.subject() => Ok(Self(members)),
            _ => Err(mismatch("UserInfo's `sub` is not the ID token's")),
        }
    }

    /// Reads an answer of `ClassLink`'s `/v2/my/info`. It has no `sub`; where both its `UserId` and the ID token's
    /// `sub` are `ClassLink`'s numbers they must be the same.
    ///
    /// # Errors
    /// As [`ProfileAnswer::from_userinfo`].
    pub fn from_my_info(status: u16, body: &[u8], token: &VerifiedIdToken) -> Result<Self, Error> {
        let members = profile_members(status, body)?;
        let user_id = json::identifier(&members, "UserId");
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

/// The members of an answer that tells of no error. `ClassLink` also reports errors as HTTP 200 with a numeric
/// `status` in the body.
fn profile_members(status: u16, body: &[u8]) -> Result<Object, Error> {
    let rejected = |status: u16| {
        Error::new(ErrorCode::UserinfoRejected, "the profile endpoint answered with an error")
            .with_status(status)
    };
    if !(200..300).contains(&status) {
        return Err(rejected(status));
    }
    let members = json::object(body).ok_or_else(|| {
        let message = "the profile endpoint's answer is not a JSON object";
        Error::new(ErrorCode::ProviderResponseInvalid, message).with_status(status)
    })?;
    match members.get("status").filter(|value| value.is_number()) {
        None => Ok(members),
        Some(told) => {
            Err(rejected(told.as_u64().and_then(|told| told.try_into().ok()).unwrap_or(status)))
        }
    }
}

impl User {
    /// The person of a verified ID token. What the provider signed wins over the profile, which fills gaps; a member
    /// of the wrong type, or empty, counts as missing.
    #[must_use]
    pub fn new(token: &VerifiedIdToken, profile: Option<&ProfileAnswer>) -> Self {
        let fields = Fields { claims: token.claims(), profile: profile.map(|answer| &answer.0) };
        let tenant = fields.tenant();
        let sourced_id = fields.identifier(&["classLink_sourcedId", "SourcedId"]);
        let (role, role_name) = fields.role();
        Self {
            id: compound(token.issuer(), '|', token.subject()),
            sub: token.subject().to_owned(),
            name: fields.text(&["name", "DisplayName"]),
            given_name: fields.text(&["given_name", "FirstName"]),
            family_name: fields.text(&["family_name", "LastName"]),
            email: fields.text(&["email", "Email"]),
            email_verified: fields.find(|object| object.get("email_verified")?.as_bool()),
            preferred_username: fields.text(&["preferred_username"]),
            picture: fields.text(&["picture", "ImagePath"]),
            locale: fields.text(&["locale", "Language"]),
            role,
            role_name,
            roster_id: match (&tenant, &sourced_id) {
                (Some(tenant), Some(sourced_id)) => Some(compound(&tenant.id, '/', sourced_id)),
                _ => None,
            },
            tenant,
            sourced_id,
            user_id: fields.identifier(&["UserId"]),
            auth_time: token.auth_time(),
        }
    }

    /// Whether this person's district is served.
    ///
    /// # Errors
    /// `tenant_not_allowed`.
    pub fn check_tenant(&self, allowed: Option<&[String]>) -> Result<(), Error> {
        let reason = match (allowed, &self.tenant) {
            (None, _) => return Ok(()),
            (Some(allowed), Some(tenant)) if allowed.contains(&tenant.id) => return Ok(()),
            (Some(_), Some(_)) => Reason::TenantOther,
            (Some(_), None) => Reason::TenantUnknown,
        };
        let message = match reason {
            Reason::TenantUnknown => {
                "the person's tenant is not known; ask for it with `profile: \"my-info\"` or `\"userinfo\"`"
            }
            _ => "the person's tenant is not in `allowedTenants`",
        };
        Err(Error::new(ErrorCode::TenantNotAllowed, message).with_reason(reason))
    }
}

/// The places where a field may stand.
struct Fields<'a> {
    claims: &'a Object,
    profile: Option<&'a Object>,
}

impl Fields<'_> {
    fn find<T>(&self, read: impl Fn(&Object) -> Option<T>) -> Option<T> {
        read(self.claims).or_else(|| read(self.profile?))
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        names
            .iter()
            .find_map(|name| self.find(|object| json::text(object, name).map(str::to_owned)))
    }

    fn identifier(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.find(|object| json::identifier(object, name)))
    }

    fn tenant(&self) -> Option<Tenant> {
        let ids = ["classLink_tenant_id_string", "classLink_tenant_id", "TenantId"];
        let locality = |object: &Object| {
            let address = object.get("address")?.as_object()?;
            json::text(address, "locality").map(str::to_owned)
        };
        // The id decides who is let in: what the provider signed goes first, whichever of the names it has.
        let id = self.find(|object| ids.iter().find_map(|name| json::identifier(object, name)));
        Some(Tenant { id: id?, name: self.text(&["Tenant"]).or_else(|| self.find(locality)) })
    }

    /// The role and the provider's word for it. `ClassLink` puts a role word where Core 5.1 has the URL of a profile.
    fn role(&self) -> (Option<Role>, Option<String>) {
        let word = self
            .text(&["classLink_role", "Role"])
            .or_else(|| self.text(&["profile"]).filter(|word| !word.contains(['/', ':'])));
        if word.is_some() {
            return (word.as_deref().map(Role::from_word), word);
        }
        let level = |name| self.find(|object| json::number(object, name));
        let level = level("classLink_role_level").or_else(|| level("Role_Level"));
        // Levels are small whole numbers; what differs from them by a fraction is none.
        let role = match level {
            Some(level) if level.to_bits() == 4f64.to_bits() => Some(Role::Student),
            Some(level) if level.to_bits() == 3f64.to_bits() => Some(Role::Teacher),
            _ => None,
        };
        (role, None)
    }
}

impl Role {
    fn from_word(word: &str) -> Self {
        let word = word.trim().to_ascii_lowercase();
        match word.as_str() {
            "student" => Self::Student,
            "teacher" => Self::Teacher,
            "parent" | "guardian" => Self::Parent,
            "admin" => Self::Administrator,
            _ if word.contains("administrator") => Self::Administrator,
            _ => Self::Other,
        }
    }
}

/// A key of two parts that collides with none of other parts: in each, `%` and the separator are percent-encoded.
fn compound(first: &str, separator: char, second: &str) -> String {
    let code = if separator == '|' { "%7C" } else { "%2F" };
    let encode = |part: &str| part.replace('%', "%25").replace(separator, code);
    let mut key = encode(first);
    key.push(separator);
    key.push_str(&encode(second));
    key
}

#[cfg(test)]
mod tests;
