//! `GET {base}/jwks`, `/userinfo` and `/my-info`: the provider's, for pages that cannot ask it themselves.

use crate::failure::{Code, Refusal, Refused};
use crate::gateway::Gateway;
use crate::log::{Event, RequestLog};
use crate::request::{GatewayRequest, GatewayResponse};
use crate::upstream::Endpoint;

/// Returns the provider's key set (RFC 7517, 5). A caller who asks past its cache gets it fresh, but not every time.
///
/// # Errors
/// As the documentation of the contract has it.
pub async fn jwks(
    gateway: &Gateway,
    request: &GatewayRequest,
    log: &RequestLog,
) -> Result<GatewayResponse, Refused> {
    let control = request.header("cache-control").unwrap_or_default().to_ascii_lowercase();
    let is_fresh = ["no-cache", "no-store", "max-age=0"].iter().any(|word| control.contains(word));
    let keys = if is_fresh {
        gateway.count_upstream(request, log.event).await?;
        gateway.provider.fresh_keys().await?
    } else {
        gateway.provider.keys().await?
    };
    Ok(GatewayResponse::json(200, keys.body.clone()))
}

/// UserInfo (OpenID Connect Core 1.0, 5.3) or ClassLink's my-info, with the caller's bearer token. An HTTP 200 with a
/// numeric `status` in its body, as ClassLink may send it, is handed on as it is.
///
/// # Errors
/// As the documentation of the contract has it.
pub async fn profile(
    gateway: &Gateway,
    request: &GatewayRequest,
    log: &mut RequestLog,
) -> Result<GatewayResponse, Refused> {
    let authorization = request.header("authorization").unwrap_or_default();
    if !is_bearer(&authorization) {
        let refused = Refused::from(Code::MissingToken);
        return Err(refused.with_header("WWW-Authenticate", "Bearer"));
    }
    gateway.count_upstream(request, log.event).await?;
    let metadata = gateway.provider.metadata().await?;
    let (endpoint, url) = match log.event {
        Event::Userinfo => (Endpoint::Userinfo, metadata.userinfo),
        _ => (Endpoint::MyInfo, metadata.my_info),
    };
    let url = url.ok_or(Code::EndpointUnknown)?;
    let answer = gateway.upstream.get(endpoint, &url, Some(&authorization)).await?;
    log.upstream_status = Some(answer.status);
    if answer.is_ok() && answer.json().is_some() {
        return Ok(GatewayResponse::json(200, answer.text()));
    }
    Err(match answer.status {
        401 => Refusal::new("invalid_token", 401, 401).into(),
        403 => Refusal::new("insufficient_scope", 403, 403).into(),
        _ => answer.failure(),
    })
}

/// RFC 6750, 2.1.
fn is_bearer(authorization: &str) -> bool {
    let Some((scheme, rest)) = authorization.split_once(' ') else {
        return false;
    };
    let token = rest.trim_start_matches(' ').trim_end_matches('=');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_token_has_the_characters_of_rfc_6750() {
        for (authorization, holds) in [
            ("Bearer abc-._~+/09==", true),
            ("bearer   abc", true),
            ("Bearer ", false),
            ("Bearer", false),
            ("Bearer =", false),
            ("Bearer a b", false),
            ("Bearer a=b", false),
            ("Basic abc", false),
            ("", false),
        ] {
            assert_eq!(is_bearer(authorization), holds, "{authorization}");
        }
    }
}
