//! `{base}/ready`, `/metrics` and `/assertion-keys`: for load balancers, monitoring and back ends.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::config::Metrics;
use crate::failure::{Code, Refused};
use crate::gateway::Gateway;
use crate::log::RequestLog;
use crate::request::{ERROR_HEADER, GatewayRequest, GatewayResponse};

/// Says whether a sign-in could succeed now: the provider's metadata and keys are at hand, and the store answers.
///
/// # Errors
/// None; the response says what is not ready.
pub async fn ready(gateway: &Gateway, log: &mut RequestLog) -> Result<GatewayResponse, Refused> {
    let provider = async {
        gateway.provider.metadata().await?;
        gateway.provider.keys().await
    };
    let store = async {
        match &gateway.store {
            Some(store) => Some(store.get("ping").await.is_ok()),
            None => None,
        }
    };
    let (provider, store) = tokio::join!(provider, store);
    let word = |is_ok: bool| if is_ok { "ok" } else { "failed" };
    let is_ready = provider.is_ok() && store != Some(false);
    let mut checks = format!(r#""provider":"{}""#, word(provider.is_ok()));
    if let Some(is_ok) = store {
        checks = format!(r#"{checks},"store":"{}""#, word(is_ok));
    }
    let status = if is_ready { "ready" } else { "unavailable" };
    let body = format!(r#"{{"status":"{status}","checks":{{{checks}}}}}"#);
    if is_ready {
        return Ok(GatewayResponse::json(200, body));
    }
    log.recovered = Some(Code::NotReady.into());
    Ok(GatewayResponse::json(503, body).with_header(ERROR_HEADER, Code::NotReady.as_str()))
}

/// Returns the metrics in Prometheus' text format.
///
/// # Errors
/// `missing_token`; `not_found` if there are none.
pub fn metrics(gateway: &Gateway, request: &GatewayRequest) -> Result<GatewayResponse, Refused> {
    if gateway.settings.metrics == Metrics::Off {
        return Err(Code::NotFound.into());
    }
    if let Metrics::Token(token) = &gateway.settings.metrics {
        let given = request.header("authorization").unwrap_or_default();
        let given =
            given.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let given = given.map_or("", |(_, token)| token.trim());
        if verify_slices_are_equal(given.as_bytes(), token.as_bytes()).is_err() {
            let refused = Refused::from(Code::MissingToken);
            return Err(refused.with_header("WWW-Authenticate", "Bearer"));
        }
    }
    let content_type = Some("text/plain; version=0.0.4; charset=utf-8");
    Ok(GatewayResponse { content_type, ..GatewayResponse::json(200, gateway.metrics.render()) })
}

/// Returns the JWK Set that verifies assertions.
///
/// # Errors
/// `not_found` without assertions.
pub fn assertion_keys(gateway: &Gateway) -> Result<GatewayResponse, Refused> {
    let assertions = gateway.settings.assertions.as_ref().ok_or(Code::NotFound)?;
    let response = GatewayResponse::json(200, assertions.key_set());
    Ok(response.with_header("Cache-Control", "public, max-age=300"))
}
