//! `{base}/verify`: forward authentication for any back end (nginx `auth_request`, Traefik and Caddy `forward_auth`, Envoy
//! `ext_authz`). It answers who is asking in headers, and says with 401 that no user is signed in.

use crate::clock;
use crate::config::Client;
use crate::cookies::RequestCookies;
use crate::failure::{Code, Refused};
use crate::gateway::Gateway;
use crate::log::{RequestLog, SessionOutcome};
use crate::request::{GatewayRequest, GatewayResponse, Parameters};
use crate::routes::session::{is_revoked, is_sealed_lately};
use crate::session::{FoundSessions, OpenSession, Session};

/// Answers who is asking: 204 at the path itself, and 200 below it, which is what Envoy takes. Below it path and query are
/// those of the request that Envoy asks about.
///
/// # Errors
/// `not_signed_in`, `unknown_client`, `request_invalid`, `store_unavailable`.
pub async fn verify(
    gateway: &Gateway,
    request: &GatewayRequest,
    is_below: bool,
    log: &mut RequestLog,
) -> Result<GatewayResponse, Refused> {
    let parameters = if is_below { Parameters::of_form("") } else { request.parameters() };
    let client_id = parameters.single("client_id")?;
    let is_activity = parameters.single("activity")? == Some("1");
    let now = clock::now_secs();
    let cookies = RequestCookies::parse(&request.cookies());
    let all = match client_id {
        Some(id) => {
            let client = gateway.settings.client(id).ok_or(Code::UnknownClient)?;
            vec![(client.as_ref(), gateway.sessions.find(client, &cookies, now))]
        }
        None => gateway.sessions.find_all(&gateway.settings, &cookies, now),
    };
    log.session = Some(SessionOutcome::None);
    let Some((client, found, open)) = first_that_holds(gateway, &all).await? else {
        return Err(Refused::from(Code::NotSignedIn).with_header("WWW-Authenticate", "ClassLink"));
    };
    log.district.clone_from(&client.district);
    log.session = Some(SessionOutcome::Kept);
    let mut response = GatewayResponse::empty(if is_below { 200 } else { 204 });
    let mut expiry = gateway.sessions.expiry(open);
    if is_activity && !is_sealed_lately(gateway, open, now) {
        let used = Session { last_used_at: now, ..open.session.clone() };
        response.cookies = gateway.sessions.seal(client, &used, found)?;
        expiry = gateway.sessions.expiry_if_used(open, now);
    }
    let user = open.user();
    let encoded = |text: Option<&str>| text.map(percent_encode);
    let headers = [
        ("X-ClassLink-User", encoded(user.text("id"))),
        ("X-ClassLink-Role", user.text("role").map(str::to_owned)),
        ("X-ClassLink-Tenant", encoded(user.tenant_id())),
        ("X-ClassLink-Roster-Id", encoded(user.text("rosterId"))),
        ("X-ClassLink-Session-Expires", Some(expiry.to_string())),
    ];
    for (name, value) in headers {
        response.headers.extend(value.map(|value| (name, value)));
    }
    if let Some(assertions) = &gateway.settings.assertions {
        let assertion = assertions.sign(open, &client.id, expiry, now).ok_or(Code::Internal)?;
        response.headers.push(("X-ClassLink-Assertion", assertion));
    }
    Ok(response)
}

/// Returns the first session that the store does not say is over.
async fn first_that_holds<'a>(
    gateway: &Gateway,
    all: &'a [(&'a Client, FoundSessions)],
) -> Result<Option<(&'a Client, &'a FoundSessions, &'a OpenSession)>, Refused> {
    for (client, found) in all {
        if let Some(open) = found.newest()
            && !is_revoked(gateway, open).await?
        {
            return Ok(Some((client, found, open)));
        }
    }
    Ok(None)
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(digit.into(), 16).unwrap_or_default();
                encoded.push(digit.to_ascii_uppercase());
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_plain_ascii() {
        let encoded = percent_encode("https://op.example|é\r\nX: 1~._-");
        assert_eq!(encoded, "https%3A%2F%2Fop.example%7C%C3%A9%0D%0AX%3A%201~._-");
    }
}
