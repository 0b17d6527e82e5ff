//! `POST` and `DELETE {base}/session`: the sealed session of one registration, and its end.

use std::sync::Arc;

use crate::client_auth::authenticate;
use crate::clock;
use crate::config::Client;
use crate::cookies::RequestCookies;
use crate::failure::{Code, Refused};
use crate::gateway::Gateway;
use crate::log::{RequestLog, SessionOutcome};
use crate::renewal::{Renewals, is_due};
use crate::request::{GatewayRequest, GatewayResponse};
use crate::routes::device::offer;
use crate::routes::token::TokenBody;
use crate::session::{FoundSessions, OpenSession, Session};
use crate::upstream::Endpoint;

/// A session that is asked for again within this time is not sealed again, in seconds.
const RESEAL_SECS: i64 = 60;

/// Returns whether the cookie of a session that is used now can stay as it is.
#[must_use]
pub fn is_sealed_lately(gateway: &Gateway, open: &OpenSession, now: i64) -> bool {
    let age = now.saturating_sub(open.session.last_used_at);
    // A tenth of the idle limit, if that is shorter.
    let limit = gateway.settings.idle_timeout_secs.unwrap_or(i64::MAX);
    !open.is_outdated && (0..RESEAL_SECS).contains(&age) && age.saturating_mul(10) < limit
}

/// Returns whether the store says that a session is over.
///
/// # Errors
/// `store_unavailable`.
pub async fn is_revoked(gateway: &Gateway, open: &OpenSession) -> Result<bool, Refused> {
    let Some(store) = &gateway.store else {
        return Ok(false);
    };
    let user = open.user();
    let user_id = user.text("id").unwrap_or_default();
    let mark = open.session.user_mark.as_deref();
    let is_bound = open.session.device_key.is_some();
    Ok(store.is_revoked(&open.session.id, user_id, &open.claims, mark, is_bound).await?)
}

/// Returns the session's tokens, renewed if they must be, and postpones its idle limit; 204 if there is none, or if the
/// request names another than the one that there is.
///
/// # Errors
/// As the documentation of the contract has it.
pub async fn read(
    gateway: &Arc<Gateway>,
    request: &GatewayRequest,
    log: &mut RequestLog,
) -> Result<GatewayResponse, Refused> {
    let parameters = request.parameters();
    let client = parameters.client(&gateway.settings)?;
    log.district.clone_from(&client.district);
    let named = parameters.session_id()?;
    let now = clock::now_secs();
    let cookies = RequestCookies::parse(&request.cookies());
    let found = gateway.sessions.find(client, &cookies, now);
    if let Some(open) = found.newest()
        && is_revoked(gateway, open).await?
    {
        gateway.metrics.session_ended("revoked");
        log.session = Some(SessionOutcome::Ended);
        return Ok(GatewayResponse::empty(204).with_cookies(found.end(&open.session.id)));
    }
    if found.unproved().is_some() && request.header("secure-session-skipped").is_some() {
        return Err(Refused::from(Code::DeviceUnproved).with_header("Retry-After", "5"));
    }
    let is_meant = |open: &&OpenSession| match named {
        Some(id) => open.session.id == id,
        None => !open.session.is_provisional,
    };
    let Some(open) = found.newest().filter(is_meant) else {
        log.session = Some(SessionOutcome::None);
        let mut lines = found.clear_stale();
        if found.unproved().is_some() {
            // Without its proof the browser asks for a new one.
            lines.extend(found.cookies.clear_proofs(None));
        }
        return Ok(GatewayResponse::empty(204).with_cookies(lines));
    };
    let renewed = match refresh_if_needed(gateway, client, open, &found, request, log).await? {
        Refreshed::Kept => None,
        Refreshed::Renewed(session) => Some(session),
        Refreshed::Over => {
            gateway.metrics.session_ended("grant-over");
            log.session = Some(SessionOutcome::Ended);
            return Ok(GatewayResponse::empty(204).with_cookies(found.end(&open.session.id)));
        }
    };
    let now = clock::now_secs();
    let session = renewed.as_deref().unwrap_or(&open.session);
    let is_renewed = renewed.is_some();
    log.session = Some(if is_renewed { SessionOutcome::Renewed } else { SessionOutcome::Kept });
    let body = TokenBody::at(session, now).to_json();
    let stays = !is_renewed && !session.is_provisional && is_sealed_lately(gateway, open, now);
    if stays {
        return Ok(GatewayResponse::json(200, body).with_cookies(found.clear_stale()));
    }
    let used = Session {
        is_provisional: false,
        last_used_at: now,
        // A renewal that another request began may have been without it.
        device_key: open.session.device_key.clone().or_else(|| session.device_key.clone()),
        ..session.clone()
    };
    let lines = gateway.sessions.seal(client, &used, &found)?;
    let offered = offer(gateway, request, client, &used, now);
    Ok(GatewayResponse::json(200, body).with_cookies(lines).with_registration(offered))
}

/// The outcome for a session's tokens.
enum Refreshed {
    Kept,
    Renewed(Arc<Session>),
    /// The provider says that the grant is over.
    Over,
}

/// Renews the tokens if they are about to end. A renewal that fails for another reason than the grant's end does not sign
/// the user out: while the access token lasts, the session stays as it is.
async fn refresh_if_needed(
    gateway: &Arc<Gateway>,
    client: &Arc<Client>,
    open: &OpenSession,
    found: &FoundSessions,
    request: &GatewayRequest,
    log: &mut RequestLog,
) -> Result<Refreshed, Refused> {
    let session = &open.session;
    let refresh_token = match &session.refresh_token {
        Some(refresh_token) if is_due(open, clock::now_secs()) => refresh_token,
        _ => return Ok(Refreshed::Kept),
    };
    let renewed = match gateway.count_upstream(request, log.event).await {
        Ok(()) => {
            let claims = open.claims.clone();
            Renewals::renew(gateway, client, session, claims, refresh_token).await
        }
        Err(refused) => Err(refused),
    };
    let refused = match renewed {
        Ok(renewed) => return Ok(Refreshed::Renewed(renewed)),
        Err(refused) => refused,
    };
    match &refused {
        Refused::Provider(refusal) if refusal.error == "invalid_grant" => {
            log.recovered = Some(refused);
            return Ok(Refreshed::Over);
        }
        Refused::Gateway(failure)
            if matches!(failure.code, Code::IdTokenInvalid | Code::UserMismatch) =>
        {
            return Err(refused.with_cookies(found.end(&session.id)));
        }
        _ => {}
    }
    // The tokens may have expired while the renewal was under way.
    if clock::now_secs() >= open.tokens_end() {
        return Err(refused);
    }
    log.recovered = Some(refused);
    Ok(Refreshed::Kept)
}

/// Ends the session that the request names, or whichever there is, and leaves another's alone: clears its cookies, revokes
/// it in the store and, if the provider can, revokes its token (RFC 7009). The provider's answer changes nothing: a
/// sign-out holds also while the provider is down.
///
/// # Errors
/// As the documentation of the contract has it.
pub async fn end(
    gateway: &Arc<Gateway>,
    request: &GatewayRequest,
    log: &mut RequestLog,
) -> Result<GatewayResponse, Refused> {
    let parameters = request.parameters();
    let client = parameters.client(&gateway.settings)?;
    log.district.clone_from(&client.district);
    let named = parameters.session_id()?;
    let cookies = RequestCookies::parse(&request.cookies());
    let found = gateway.sessions.find(client, &cookies, clock::now_secs());
    let is_meant = |open: &&OpenSession| named.is_none_or(|id| open.session.id == id);
    let ended = found.newest().filter(is_meant);
    log.session = Some(if ended.is_some() { SessionOutcome::Ended } else { SessionOutcome::None });
    if let Some(open) = ended {
        gateway.metrics.session_ended("sign-out");
        // A copy of the cookie is over, too. The sign-out in this browser holds without.
        if let Some(store) = &gateway.store
            && let Err(down) = store.revoke_session(&open.session.id).await
        {
            log.recovered = Some(down.into());
        }
        let session = Renewals::latest(gateway, client, &open.session).await;
        if let Ok(Some(status)) = revoke(gateway, client, &session, request, log).await {
            log.upstream_status = Some(status);
        }
    }
    let lines = match named {
        Some(id) => found.end(id),
        None => found.end_all(clock::now_ms()),
    };
    Ok(GatewayResponse::empty(204).with_cookies(lines))
}

async fn revoke(
    gateway: &Gateway,
    client: &Client,
    session: &Session,
    request: &GatewayRequest,
    log: &RequestLog,
) -> Result<Option<u16>, Refused> {
    let metadata = gateway.provider.metadata().await?;
    let Some(url) = &metadata.revocation else {
        return Ok(None);
    };
    gateway.count_upstream(request, log.event).await?;
    let fields = match &session.refresh_token {
        Some(token) => [("token", token.as_str()), ("token_type_hint", "refresh_token")],
        None => [("token", session.access_token.as_str()), ("token_type_hint", "access_token")],
    };
    let (authorization, form) = authenticate(client, &metadata, &fields)?;
    let answer =
        gateway.upstream.post(Endpoint::Revocation, url, authorization.as_deref(), form).await?;
    Ok(Some(answer.status))
}
