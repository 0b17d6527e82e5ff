//! `POST {base}/token`: the authorization code for tokens (RFC 6749, 4.1.3; RFC 7636, 4.5). The ID token, its nonce and its
//! tenant are verified before anything is answered or sealed: the nonce is derived from the posted verifier, so a code that
//! this browser did not ask for is worthless here even if the provider ignores PKCE.

use std::sync::Arc;

use classlink_spa::protocol::id_token::VerifiedIdToken;
use classlink_spa::protocol::json::Object;
use classlink_spa::protocol::pkce::CodeVerifier;
use classlink_spa::protocol::token::TokenResponse;
use classlink_spa::protocol::user::User;
use hyper::body::Incoming;
use serde::Serialize;

use crate::client_auth::authenticate;
use crate::clock;
use crate::config::Client;
use crate::cookies::RequestCookies;
use crate::failure::{Code, Refused};
use crate::gateway::Gateway;
use crate::id_token::Expectations;
use crate::log::{RequestLog, SessionOutcome};
use crate::renewal::read_token_response;
use crate::request::{GatewayRequest, GatewayResponse, Parameters};
use crate::routes::device::offer;
use crate::routes::read_form;
use crate::session::{Session, Tenant};
use crate::upstream::Endpoint;

const PARAMETERS: [&str; 5] = ["grant_type", "code", "redirect_uri", "client_id", "code_verifier"];

/// The form that the SDK posts for a code.
pub struct TokenRequest {
    code: String,
    redirect_uri: String,
    verifier: CodeVerifier,
}

impl TokenRequest {
    /// Checks a form: each parameter once and no other (RFC 6749, 3.2), the redirect URI byte for byte (RFC 9700, 2.1).
    ///
    /// # Errors
    /// `request_invalid`, `unsupported_grant_type`, `unknown_redirect_uri`.
    pub fn check(form: &Parameters, client: &Client) -> Result<Self, Refused> {
        let given = |name| form.given(name).ok_or(Code::RequestInvalid);
        if form.count() != PARAMETERS.len() {
            return Err(Code::RequestInvalid.into());
        }
        for name in PARAMETERS {
            given(name)?;
        }
        let verifier = given("code_verifier")?;
        // RFC 7636, 4.1.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(is_plain) {
            return Err(Code::RequestInvalid.into());
        }
        if given("grant_type")? != "authorization_code" {
            return Err(Code::UnsupportedGrantType.into());
        }
        let redirect_uri = given("redirect_uri")?;
        if !client.redirect_uris.contains(redirect_uri) {
            return Err(Code::UnknownRedirectUri.into());
        }
        Ok(Self {
            code: given("code")?.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            verifier: CodeVerifier::from_stored(verifier),
        })
    }
}

/// Exchanges a code, verifies what came of it, seals the session and hands the tokens on.
///
/// # Errors
/// As the documentation of the contract has it.
pub async fn exchange(
    gateway: &Arc<Gateway>,
    request: &GatewayRequest,
    body: Incoming,
    log: &mut RequestLog,
) -> Result<GatewayResponse, Refused> {
    let received_at = clock::now_ms();
    let parameters = request.parameters();
    let named = parameters.session_id()?;
    let settings = &gateway.settings;
    let form = read_form(request, body, settings.timeout_ms).await?;
    let client = form.client(settings)?;
    log.district.clone_from(&client.district);
    let posted = TokenRequest::check(&form, client)?;
    let id = posted.verifier.session_id();
    if named.is_some_and(|named| named != id) {
        return Err(Code::RequestInvalid.into());
    }
    // Before the code is used up.
    if let Some(store) = &gateway.store {
        store.get("ping").await?;
    }
    gateway.count_upstream(request, log.event).await?;

    let grant = exchange_code(gateway, client, &posted, log).await?;
    let upstream_status = log.upstream_status.unwrap_or_default();
    let Some(id_token) = &grant.id_token else {
        return Err(Refused::from(Code::UpstreamInvalid).with_upstream_status(upstream_status));
    };
    let now = clock::now_secs();
    let nonce = posted.verifier.nonce();
    let expected = Expectations {
        issuer: &settings.issuer,
        client_id: &client.id,
        access_token: &grant.access_token,
        nonce: &nonce,
        renews: None,
    };
    let verified = gateway.provider.verify_id_token(id_token.expose(), &expected, now).await?;
    let tenant = check_tenant(gateway, client, &verified, grant.access_token.expose()).await?;
    let user_mark = match &gateway.store {
        Some(store) => store.user_mark(&User::id_of(verified.issuer(), verified.subject())).await?,
        None => None,
    };

    let cookies = RequestCookies::parse(&request.cookies());
    let found = gateway.sessions.find(client, &cookies, now);
    let session = Session {
        order: found.next_order(received_at),
        is_provisional: named.is_some(),
        id_token: id_token.expose().to_owned(),
        access_token: grant.access_token.expose().to_owned(),
        token_type: grant.token_type.clone(),
        refresh_token: grant.refresh_token.as_ref().map(|token| token.expose().to_owned()),
        scope: grant.scope.clone(),
        expires_at: grant.expires_in.map(|seconds| clock::after(now, seconds)),
        tenant,
        user_mark,
        device_key: None,
        nonce,
        created_at: now,
        last_used_at: now,
        obtained_at: now,
        id,
    };
    let lines = gateway.sessions.seal_new(settings, client, &session, &found, &cookies, now)?;
    gateway.metrics.session_begun();
    log.session = Some(SessionOutcome::Sealed);
    let body = TokenBody {
        response_type: grant.response_type.as_deref(),
        expires_in: grant.expires_in.map(Seconds),
        ..TokenBody::of(&session)
    };
    let offered = offer(gateway, request, client, &session, now);
    Ok(GatewayResponse::json(200, body.to_json()).with_cookies(lines).with_registration(offered))
}

async fn exchange_code(
    gateway: &Arc<Gateway>,
    client: &Client,
    posted: &TokenRequest,
    log: &mut RequestLog,
) -> Result<TokenResponse, Refused> {
    let metadata = gateway.provider.metadata().await?;
    let url = metadata.token.clone().ok_or(Code::DiscoveryInvalid)?;
    // The key set is fetched beside the exchange, not after it. Its failure is met when the keys are needed.
    let prefetch = gateway.clone();
    tokio::spawn(async move { prefetch.provider.keys().await.map(drop) });
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &posted.code),
        ("redirect_uri", &posted.redirect_uri),
        ("code_verifier", posted.verifier.expose()),
    ];
    let (authorization, form) = authenticate(client, &metadata, &fields)?;
    let answer =
        gateway.upstream.post(Endpoint::Token, &url, authorization.as_deref(), form).await?;
    let grant = read_token_response(&answer)?;
    log.upstream_status = Some(answer.status);
    Ok(grant)
}

/// Refuses tenants that this registration does not serve. If the ID token does not name the tenant the provider is asked:
/// UserInfo first, then my-info, which came with the very access token that the ID token came with. Returns the tenant if
/// it had to be asked for.
async fn check_tenant(
    gateway: &Gateway,
    client: &Client,
    token: &VerifiedIdToken,
    access_token: &str,
) -> Result<Option<Tenant>, Refused> {
    let Some(allowed) = &client.allowed_tenants else {
        return Ok(None);
    };
    let claims = token.claims();
    let mut user = User::from_sealed(claims, None);
    let mut fetched = None;
    let metadata = gateway.provider.metadata().await?;
    if user.tenant_id().is_none()
        && let Some(url) = &metadata.userinfo
    {
        let info = fetch_profile(gateway, Endpoint::Userinfo, url, access_token).await?;
        // OpenID Connect Core 1.0, 5.3.2.
        if info.get_str("sub") != Some(token.subject()) {
            return Err(Code::UserMismatch.into());
        }
        user = User::from_sealed(claims, Some(&info));
        fetched = tenant_of(&user);
    }
    if user.tenant_id().is_none()
        && let Some(url) = &metadata.my_info
    {
        let info = fetch_profile(gateway, Endpoint::MyInfo, url, access_token).await?;
        user = User::from_sealed(claims, Some(&info));
        let user_id = user.text("userId").unwrap_or_default();
        // my-info has no `sub`; if that and its UserId are both ClassLink's numbers, they are the same.
        let is_number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        if is_number(user_id) && is_number(token.subject()) && user_id != token.subject() {
            return Err(Code::UserMismatch.into());
        }
        fetched = tenant_of(&user);
    }
    let refused = Refused::from(Code::TenantNotAllowed);
    match user.tenant_id() {
        None => Err(refused.with_reason("tenant_unknown")),
        Some(id) if allowed.contains(id) => Ok(fetched),
        Some(_) => Err(refused.with_reason("tenant_other")),
    }
}

fn tenant_of(user: &User) -> Option<Tenant> {
    let id = user.tenant_id()?.to_owned();
    Some(Tenant { id, name: user.tenant_name().map(str::to_owned) })
}

async fn fetch_profile(
    gateway: &Gateway,
    endpoint: Endpoint,
    url: &str,
    access_token: &str,
) -> Result<Object, Refused> {
    let authorization = ["Bearer ", access_token].concat();
    let answer = gateway.upstream.get(endpoint, url, Some(&authorization)).await?;
    // ClassLink may report an error as HTTP 200 with a numeric `status` in the body.
    let members = answer.json().filter(|members| members.get_f64("status").is_none());
    members
        .filter(|_| answer.is_ok())
        .ok_or_else(|| Refused::from(Code::UpstreamInvalid).with_upstream_status(answer.status))
}

/// A token response for the SDK. There is no refresh token in it: that stays in the sealed session.
#[derive(Serialize)]
pub struct TokenBody<'a> {
    session_id: &'a str,
    access_token: &'a str,
    token_type: &'a str,
    id_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_type: Option<&'a str>,
}

/// A duration, written in digits if it is whole.
struct Seconds(f64);

impl Serialize for Seconds {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() < 9e15 {
            #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
            return to.serialize_i64(self.0 as i64);
        }
        to.serialize_f64(self.0)
    }
}

impl<'a> TokenBody<'a> {
    /// Returns the tokens of a session.
    #[must_use]
    pub fn of(session: &'a Session) -> Self {
        Self {
            session_id: &session.id,
            access_token: &session.access_token,
            token_type: &session.token_type,
            id_token: &session.id_token,
            scope: session.scope.as_deref(),
            expires_in: None,
            response_type: None,
        }
    }

    /// Returns the tokens of a session, with what remains of the access token's life.
    #[must_use]
    pub fn at(session: &'a Session, now: i64) -> Self {
        // Exact: a session lasts for fewer than 2^53 seconds.
        #[expect(clippy::cast_precision_loss, reason = "exact")]
        let left = |end: i64| Seconds(end.saturating_sub(now).max(0) as f64);
        Self { expires_in: session.expires_at.map(left), ..Self::of(session) }
    }

    /// Returns the response's body.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
