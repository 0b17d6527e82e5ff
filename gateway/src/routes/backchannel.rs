//! `POST {base}/backchannel-logout` (OpenID Connect Back-Channel Logout 1.0, 2.5 to 2.8): the provider ends sessions.

use std::time::Duration;

use classlink_spa::protocol::encoding::from_base64url;
use classlink_spa::protocol::json::{self, Object, Value};
use classlink_spa::protocol::user::User;
use hyper::body::Incoming;

use crate::clock;
use crate::config::Settings;
use crate::crypto;
use crate::failure::{Code, Refused};
use crate::gateway::Gateway;
use crate::id_token::CLOCK_TOLERANCE_SECS;
use crate::log::{RequestLog, SessionOutcome};
use crate::request::{GatewayRequest, GatewayResponse};
use crate::routes::read_form;
use crate::store::Store;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How long a logout token without `exp` is valid, in seconds.
const LIFETIME_SECS: f64 = 120.0;

/// The longest time until a logout token's end, in seconds. It is remembered as used until then, and as long as a revocation
/// at most.
const MAX_REMAINING_SECS: f64 = 366.0 * 86_400.0;

/// The claims of a logout token.
#[derive(Debug, PartialEq, Eq)]
pub struct LogoutToken<'a> {
    /// The token's id.
    pub jti: &'a str,
    /// The user whose sessions end, unless a session is named.
    pub subject: Option<&'a str>,
    /// The provider's session that ends.
    pub session: Option<&'a str>,
    /// Seconds until it is over.
    pub remaining_secs: u64,
}

/// Ends the sessions that a logout token names.
///
/// # Errors
/// `logout_token_invalid`, `store_unavailable`.
pub async fn logout(
    gateway: &Gateway,
    request: &GatewayRequest,
    body: Incoming,
    log: &mut RequestLog,
) -> Result<GatewayResponse, Refused> {
    let store = gateway.store.as_ref().ok_or(Code::NotFound)?;
    let form = read_form(request, body, gateway.settings.timeout_ms).await?;
    let token = form.single("logout_token").ok().flatten().filter(|token| !token.is_empty());
    let token = token.filter(|token| has_usual_type(token)).ok_or(Code::LogoutTokenInvalid)?;
    let claims =
        gateway.provider.authentic_claims(token).await.map_err(|refused| match refused.code() {
            Some(Code::IdTokenInvalid) => Code::LogoutTokenInvalid.into(),
            _ => refused,
        })?;
    let logout = check(&claims, &gateway.settings, clock::now_secs());
    let logout = logout.ok_or(Code::LogoutTokenInvalid)?;
    end_sessions(store, &gateway.settings.issuer, &logout).await?;
    gateway.metrics.session_ended("revoked");
    log.session = Some(SessionOutcome::Ended);
    Ok(GatewayResponse::empty(200))
}

/// Revokes what a logout token names, once.
async fn end_sessions(
    store: &Store,
    issuer: &str,
    logout: &LogoutToken<'_>,
) -> Result<(), Refused> {
    if store.is_logout_token_used(issuer, logout.jti).await? {
        return Err(Code::LogoutTokenInvalid.into());
    }
    match (logout.session, logout.subject) {
        (Some(sid), _) => store.revoke_provider_session(issuer, sid).await?,
        (None, Some(subject)) => {
            let mark = crypto::random_text::<16>().ok_or(Code::Internal)?;
            store.revoke_user(&User::id_of(issuer, subject), &mark).await?;
        }
        (None, None) => return Err(Code::LogoutTokenInvalid.into()),
    }
    // Afterwards: a token whose revocation failed counts when the provider sends it again.
    let ttl = Duration::from_secs(logout.remaining_secs);
    store.mark_logout_token_used(issuer, logout.jti, ttl).await?;
    Ok(())
}

/// Returns whether the header's `typ`, if there is one, is that of a JWT or a logout token (2.4).
#[must_use]
pub fn has_usual_type(token: &str) -> bool {
    let header = token.split('.').next().and_then(from_base64url).unwrap_or_default();
    match json::parse_object(&header).as_ref().and_then(|header| header.get("typ")) {
        None => true,
        Some(kind) => {
            let kind = kind.as_str().unwrap_or_default().to_ascii_lowercase();
            let kind = kind.strip_prefix("application/").unwrap_or(&kind);
            matches!(kind, "jwt" | "logout+jwt")
        }
    }
}

/// Checks the claims of an authentic logout token (2.6). `now` is in seconds since 1970.
#[must_use]
pub fn check<'a>(claims: &'a Object, settings: &Settings, now: i64) -> Option<LogoutToken<'a>> {
    let is_ours =
        |audience: &Value| audience.as_str().is_some_and(|id| settings.client(id).is_some());
    let audience = claims.get("aud")?;
    let is_for_us = match audience.as_array() {
        Some(audiences) => audiences.iter().any(is_ours),
        None => is_ours(audience),
    };
    let events = claims.get("events")?.as_object()?;
    let subject = claims.get_non_empty_str("sub");
    let session = claims.get_non_empty_str("sid");
    // Exact: seconds since 1970 have fewer than 53 bits.
    #[expect(clippy::cast_precision_loss, reason = "exact")]
    let now = now as f64;
    let issued_at = claims.get_f64("iat")?;
    let expires_at = match claims.get("exp") {
        None => issued_at + LIFETIME_SECS,
        Some(exp) => exp.as_f64()?,
    };
    let remaining_secs = expires_at + CLOCK_TOLERANCE_SECS - now;
    // A member that is there is a text with something in it.
    let is_proper = |name| !claims.contains_key(name) || claims.get_non_empty_str(name).is_some();
    let holds = claims.get_str("iss") == Some(&settings.issuer)
        && is_for_us
        && events.get(EVENT)?.as_object().is_some()
        && !claims.contains_key("nonce")
        && (subject.is_some() || session.is_some())
        && remaining_secs > 0.0
        && remaining_secs <= MAX_REMAINING_SECS
        && issued_at - CLOCK_TOLERANCE_SECS <= now
        && is_proper("sub")
        && is_proper("sid");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let remaining_secs = remaining_secs.ceil() as u64;
    let jti = claims.get_non_empty_str("jti")?;
    holds.then_some(LogoutToken { jti, subject, session, remaining_secs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{settings, settings_with};
    use crate::metrics::Metrics;
    use classlink_spa::protocol::encoding::base64url;
    use serde_json::json;

    const NOW: i64 = 1_700_000_000;

    fn claims() -> serde_json::Value {
        json!({
            "iss": "https://op.example", "aud": "client-1", "iat": NOW, "exp": NOW + 120, "jti": "j",
            "sub": "1", "events": { EVENT: {} },
        })
    }

    fn is_valid(claims: &serde_json::Value) -> bool {
        let claims = json::parse_object(claims.to_string().as_bytes()).unwrap();
        check(&claims, &settings(), NOW).is_some()
    }

    #[test]
    fn logout_token_is_valid_with_a_subject_or_a_session() {
        assert!(is_valid(&claims()));
        let mut by_session = claims();
        by_session.as_object_mut().unwrap().remove("sub");
        assert!(!is_valid(&by_session));
        by_session["sid"] = json!("s");
        assert!(is_valid(&by_session));
    }

    #[test]
    fn logout_token_without_an_end_lasts_two_minutes() {
        let mut endless = claims();
        endless.as_object_mut().unwrap().remove("exp");
        assert!(is_valid(&endless));
        endless["iat"] = json!(NOW - 180);
        assert!(!is_valid(&endless));
    }

    #[test]
    fn logout_token_is_remembered_until_it_expires() {
        let longest = MAX_REMAINING_SECS - CLOCK_TOLERANCE_SECS;
        for (lifetime, remembered) in
            [(120.0, 180), (0.5, 61), (30.0 * 86_400.0, 2_592_060), (longest, 31_622_400)]
        {
            let mut lasting = claims();
            #[expect(clippy::cast_precision_loss, reason = "exact")]
            let exp = NOW as f64 + lifetime;
            lasting["exp"] = json!(exp);
            let lasting = json::parse_object(lasting.to_string().as_bytes()).unwrap();
            let logout = check(&lasting, &settings(), NOW).unwrap();
            assert_eq!(logout.remaining_secs, remembered, "{lifetime}");
        }
    }

    #[tokio::test]
    async fn logout_token_counts_once_when_it_is_sent_again_after_the_store_failed() {
        let settings = settings_with(&json!({ "store": { "memory": true } }));
        let store = Store::new(&settings, Metrics::new().unwrap()).unwrap().unwrap();
        let issuer = &settings.issuer;
        let logout =
            LogoutToken { jti: "j", subject: Some("1"), session: None, remaining_secs: 120 };
        let end = async || end_sessions(&store, issuer, &logout).await.map_err(|one| one.code());
        store.fail_once("set", "revoked:");
        assert_eq!(end().await, Err(Some(Code::StoreUnavailable)));
        assert_eq!(end().await, Ok(()));
        assert!(store.user_mark(&User::id_of(issuer, "1")).await.unwrap().is_some());
        assert_eq!(end().await, Err(Some(Code::LogoutTokenInvalid)));
    }

    #[test]
    fn logout_token_has_the_type_of_a_jwt() {
        for (header, holds) in [
            (r#"{"alg":"RS256"}"#, true),
            (r#"{"typ":"JWT"}"#, true),
            (r#"{"typ":"logout+jwt"}"#, true),
            (r#"{"typ":"application/logout+JWT"}"#, true),
            (r#"{"typ":"at+jwt"}"#, false),
            (r#"{"typ":5}"#, false),
        ] {
            assert_eq!(has_usual_type(&format!("{}.e30.", base64url(header))), holds, "{header}");
        }
    }

    #[test]
    fn logout_token_with_a_claim_missing_or_wrong_is_refused() {
        for (name, value) in [
            ("iss", json!("https://other.example")),
            ("aud", json!("client-2")),
            ("aud", json!([])),
            ("iat", json!(NOW + 61)),
            ("exp", json!(NOW - 60)),
            ("exp", json!(null)),
            ("exp", json!(NOW + 366 * 86_400)),
            ("jti", json!("")),
            ("events", json!({})),
            ("events", json!({ EVENT: true })),
            ("nonce", json!("n")),
            ("sub", json!("")),
            ("sid", json!(5)),
        ] {
            let mut changed = claims();
            changed[name] = value;
            assert!(!is_valid(&changed), "{name}");
        }
    }
}
