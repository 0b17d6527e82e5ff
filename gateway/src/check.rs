//! `classlink-gateway check`: finds what is wrong with a deployment before it serves. The ids, summaries and remedies are those
//! of the handler's `gateway.check()` (`pkg-template/src/gateway/check.ts`).

use std::fmt;
use std::time::{Duration, SystemTime};

use classlink_spa::protocol::jwks::KeySet;
use classlink_spa::protocol::jws::{Algorithm, DEFAULT_ALGORITHM};

use crate::client_auth::authenticate;
use crate::config::Client;
use crate::crypto;
use crate::failure::{Code, Refused};
use crate::gateway::Gateway;
use crate::metadata::Metadata;
use crate::store::{Store, StoreDown};
use crate::upstream::{Endpoint, ProviderResponse};

/// By how much the clocks of server and provider may differ without a warning, in seconds.
const CLOCK_WARNING_SECS: u128 = 20;
const CLOCK_PROBLEM_SECS: u128 = 60;

/// How long the store keeps what a check writes, if the check cannot delete it.
const STORE_TTL: Duration = Duration::from_secs(10);

/// Rates what a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing is wrong.
    Ok,
    /// Sign-ins may work.
    Warning,
    /// Sign-ins fail.
    Problem,
}

/// The result of one check. It contains no value of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The part that was checked: `metadata`, `keys`, `clock`, `clients[0]`, `store` or `assertions`.
    pub id: String,
    /// The verdict.
    pub status: Status,
    /// The finding.
    pub summary: String,
    /// The remedy, unless nothing is wrong.
    pub remedy: Option<&'static str>,
}

impl Check {
    fn ok(id: &str, summary: &str) -> Self {
        Self { id: id.to_owned(), status: Status::Ok, summary: summary.to_owned(), remedy: None }
    }

    fn warning(id: &str, summary: String, remedy: &'static str) -> Self {
        Self { id: id.to_owned(), status: Status::Warning, summary, remedy: Some(remedy) }
    }

    fn problem(id: &str, summary: String, remedy: &'static str) -> Self {
        Self { id: id.to_owned(), status: Status::Problem, summary, remedy: Some(remedy) }
    }
}

impl fmt::Display for Check {
    /// Writes status, id and summary on one line, and the remedy on the next.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, status, summary, remedy } = self;
        let status = match status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Problem => "problem",
        };
        write!(f, "{status:<7}  {id}: {summary}")?;
        remedy.map_or(Ok(()), |remedy| write!(f, "\n{:9}{remedy}", ""))
    }
}

/// Checks a deployment by requests to the provider and to the store.
pub async fn check_deployment(gateway: &Gateway) -> Vec<Check> {
    let metadata = gateway.provider.metadata().await;
    let mut checks = vec![metadata_verdict(metadata.as_ref().err())];
    if let Ok(metadata) = &metadata {
        let sent_at = SystemTime::now();
        let key_set = request_key_set(gateway, metadata).await;
        checks.push(keys_verdict(&key_set, metadata.algorithms.as_deref()));
        checks.extend(key_set.ok().and_then(|answer| clock_verdict(sent_at, answer.date)));
        for (index, client) in gateway.settings.clients().iter().enumerate() {
            let answer = request_token(gateway, client, metadata).await;
            checks.push(client_verdict(&format!("clients[{index}]"), &answer));
        }
    }
    if let Some(store) = &gateway.store {
        checks.push(store_verdict(try_store(store).await));
    }
    if let Some(assertions) = &gateway.settings.assertions {
        checks.push(assertions_verdict(assertions.can_sign()));
    }
    checks
}

/// Requests the key set, past the cache.
async fn request_key_set(
    gateway: &Gateway,
    metadata: &Metadata,
) -> Result<ProviderResponse, Refused> {
    let url = metadata.jwks.as_deref().ok_or(Code::DiscoveryInvalid)?;
    gateway.upstream.get(Endpoint::Jwks, url, None).await
}

/// Requests tokens for a code that no provider has issued: the error code of the response shows whether client id and secret
/// are right.
async fn request_token(
    gateway: &Gateway,
    client: &Client,
    metadata: &Metadata,
) -> Result<ProviderResponse, Refused> {
    let url = metadata.token.as_deref().ok_or(Code::DiscoveryInvalid)?;
    let (code, verifier) =
        crypto::random_text::<32>().zip(crypto::random_text::<32>()).ok_or(Code::Internal)?;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", client.redirect_uris.first().map_or("", String::as_str)),
        ("code_verifier", verifier.as_str()),
    ];
    let (authorization, form) = authenticate(client, metadata, &fields)?;
    gateway.upstream.post(Endpoint::Token, url, authorization.as_deref(), form).await
}

/// Returns whether each of the store's operations does what it must, on a key of this check's own.
async fn try_store(store: &Store) -> Result<bool, StoreDown> {
    let key = ["check:", &crypto::random_text::<16>().ok_or(StoreDown)?].concat();
    let is_set = store.set_if_absent(&key, "1", STORE_TTL).await?;
    let is_set_again = store.set_if_absent(&key, "2", STORE_TTL).await?;
    let value = store.get(&key).await?;
    store.delete(&key).await?;
    let count = store.increment(&key, STORE_TTL).await?;
    store.delete(&key).await?;
    Ok(is_set && !is_set_again && value.as_deref() == Some("1") && count == 1)
}

fn code_of(refused: &Refused) -> &'static str {
    refused.code().unwrap_or(Code::Internal).as_str()
}

fn metadata_verdict(refused: Option<&Refused>) -> Check {
    let id = "metadata";
    match refused {
        None => Check::ok(id, "The provider's endpoints are known."),
        Some(refused) => Check::problem(
            id,
            format!("The provider's metadata cannot be read ({}).", code_of(refused)),
            "Compare `issuer` with the provider's, exactly; check DNS, firewall and proxy of this server; or give `metadata`.",
        ),
    }
}

fn keys_verdict(
    key_set: &Result<ProviderResponse, Refused>,
    advertised: Option<&[String]>,
) -> Check {
    let id = "keys";
    let answer = match key_set {
        Ok(answer) => answer,
        Err(refused) => {
            return Check::problem(
                id,
                format!("The provider's key set cannot be read ({}).", code_of(refused)),
                "Check DNS, firewall and proxy of this server, and `metadata.jwks_uri`.",
            );
        }
    };
    let is_usable = KeySet::parse(&answer.body).is_ok_and(|keys| {
        let has_key = |name: &str| Algorithm::from_name(name).is_some_and(|one| keys.has_key(one));
        match advertised {
            None | Some([]) => has_key(DEFAULT_ALGORITHM),
            Some(names) => names.iter().any(|name| has_key(name)),
        }
    });
    if answer.is_ok() && is_usable {
        return Check::ok(id, "The provider's key set has a key for ID tokens.");
    }
    Check::problem(
        id,
        format!("The key set has no key for the advertised algorithms (HTTP {}).", answer.status),
        "Check `metadata.jwks_uri` and `id_token_signing_alg_values_supported`.",
    )
}

/// Compares this server's clock when it sent a request with the `Date` of the response; `None` if it has none.
fn clock_verdict(sent_at: SystemTime, date: Option<SystemTime>) -> Option<Check> {
    let id = "clock";
    let date = date?;
    let (offset, side) = match sent_at.duration_since(date) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let seconds = (offset.as_millis() + 500) / 1000;
    if seconds < CLOCK_WARNING_SECS {
        return Some(Check::ok(id, "This server's clock agrees with the provider's."));
    }
    let summary = format!("This server's clock is {seconds} s {side} the provider's.");
    let remedy = "Synchronize it (NTP): ID tokens are refused beyond 60 s.";
    Some(if seconds < CLOCK_PROBLEM_SECS {
        Check::warning(id, summary, remedy)
    } else {
        Check::problem(id, summary, remedy)
    })
}

fn client_verdict(id: &str, token_response: &Result<ProviderResponse, Refused>) -> Check {
    let answer = match token_response {
        Ok(answer) => answer,
        Err(refused) => {
            return Check::problem(
                id,
                format!("The token endpoint cannot be reached ({}).", code_of(refused)),
                "Check DNS, firewall and proxy of this server, and `metadata.token_endpoint`.",
            );
        }
    };
    let body = answer.json();
    match (body.as_ref().and_then(|body| body.get_str("error")), answer.status) {
        (Some("invalid_grant"), _) => {
            Check::ok(id, "The provider knows the client id and its secret.")
        }
        (Some("invalid_client" | "unauthorized_client"), _) | (_, 401) => Check::problem(
            id,
            "The provider refuses the client id or its secret.".to_owned(),
            "Copy both again from the provider's portal, for this environment.",
        ),
        (_, status) => Check::warning(
            id,
            format!("The token endpoint neither confirms nor refuses the client (HTTP {status})."),
            "Sign in once, and look at the log.",
        ),
    }
}

fn store_verdict(works: Result<bool, StoreDown>) -> Check {
    let id = "store";
    match works {
        Ok(true) => Check::ok(id, "The store works."),
        // The handler's remedy names stores of the application's own, which this server does not have.
        Ok(false) => Check::problem(
            id,
            "The store returns wrong results.".to_owned(),
            "Use a Redis server that takes writes, and no proxy in front of it.",
        ),
        Err(StoreDown) => Check::problem(
            id,
            "The store cannot be reached.".to_owned(),
            "Check its address, its password and the firewall.",
        ),
    }
}

fn assertions_verdict(can_sign: bool) -> Check {
    let id = "assertions";
    if can_sign {
        return Check::ok(id, "The keys for assertions can be used.");
    }
    Check::problem(
        id,
        "A key for assertions cannot be used.".to_owned(),
        "Make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::settings_with;
    use crate::metrics::Metrics;
    use classlink_spa::protocol::encoding::base64url;
    use serde_json::{Value, json};

    const RSA_KEY_BYTES: usize = 256;

    #[expect(clippy::unnecessary_wraps, reason = "as a request to the provider returns it")]
    fn answer(status: u16, body: &Value) -> Result<ProviderResponse, Refused> {
        Ok(ProviderResponse { status, body: body.to_string().into(), date: None })
    }

    fn unreachable() -> Result<ProviderResponse, Refused> {
        Err(Code::UpstreamUnreachable.into())
    }

    /// Returns the verdict on a clock that differs from the provider's by so many milliseconds; positive if it is ahead.
    fn clock(ahead_ms: i64) -> Check {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let offset = Duration::from_millis(ahead_ms.unsigned_abs());
        let sent_at = if ahead_ms < 0 { date - offset } else { date + offset };
        clock_verdict(sent_at, Some(date)).unwrap()
    }

    #[test]
    fn clock_that_differs_by_20_s_is_a_warning_and_by_60_s_a_problem() {
        for (offset_ms, status) in [
            (0, Status::Ok),
            (19_000, Status::Ok),
            (19_499, Status::Ok),
            (19_500, Status::Warning),
            (20_000, Status::Warning),
            (59_000, Status::Warning),
            (60_000, Status::Problem),
            (86_400_000, Status::Problem),
        ] {
            assert_eq!(clock(offset_ms).status, status, "{offset_ms} ms ahead");
            assert_eq!(clock(-offset_ms).status, status, "{offset_ms} ms behind");
        }
    }

    #[test]
    fn clock_verdict_says_by_how_much_and_to_which_side() {
        assert_eq!(clock(45_000).summary, "This server's clock is 45 s ahead of the provider's.");
        assert_eq!(clock(-90_000).summary, "This server's clock is 90 s behind the provider's.");
        assert_eq!(
            clock(20_000).to_string(),
            "warning  clock: This server's clock is 20 s ahead of the provider's.\n         \
             Synchronize it (NTP): ID tokens are refused beyond 60 s."
        );
    }

    #[test]
    fn clock_is_not_checked_without_a_date() {
        assert_eq!(clock_verdict(SystemTime::now(), None), None);
    }

    #[test]
    fn key_set_must_have_a_key_for_an_advertised_algorithm() {
        let rsa = |kid: Value, bytes: usize| json!({ "kty": "RSA", "kid": kid, "n": base64url(vec![1; bytes]), "e": "AQAB" });
        let usable = rsa("a".into(), RSA_KEY_BYTES);
        let without_kid = rsa(Value::Null, RSA_KEY_BYTES);
        let mut encryption = usable.clone();
        encryption["use"] = "enc".into();
        let weak = rsa("a".into(), RSA_KEY_BYTES - 1);
        let (rs256, es256) = (["RS256".to_owned()], ["ES256".to_owned()]);
        let unknown = ["none".to_owned(), "HS256".to_owned()];
        let both = ["none".to_owned(), "RS256".to_owned()];
        for (keys, advertised, status) in [
            (json!([usable]), Some(&rs256[..]), Status::Ok),
            (json!([usable]), Some(&both[..]), Status::Ok),
            (json!([usable]), Some(&[][..]), Status::Ok),
            (json!([usable]), None, Status::Ok),
            (json!([usable]), Some(&es256[..]), Status::Problem),
            (json!([usable]), Some(&unknown[..]), Status::Problem),
            (json!([encryption]), None, Status::Problem),
            (json!([weak]), None, Status::Problem),
            (json!([without_kid]), None, Status::Ok),
            (json!([without_kid, without_kid]), None, Status::Problem),
            (json!([without_kid, usable]), None, Status::Ok),
            (json!([]), None, Status::Problem),
        ] {
            let found = keys_verdict(&answer(200, &json!({ "keys": keys })), advertised);
            assert_eq!(found.status, status, "{keys} {advertised:?}");
        }
    }

    #[test]
    fn key_set_that_is_not_one_is_a_problem() {
        let keys = json!({ "keys": [
            { "kty": "RSA", "kid": "a", "n": base64url(vec![1; RSA_KEY_BYTES]), "e": "AQAB" },
        ] });
        for (key_set, fact) in [
            (answer(503, &keys), "(HTTP 503)"),
            (answer(200, &json!("<html>")), "(HTTP 200)"),
            (unreachable(), "(upstream_unreachable)"),
        ] {
            let found = keys_verdict(&key_set, None);
            assert_eq!(found.status, Status::Problem);
            assert!(found.summary.contains(fact), "{}", found.summary);
        }
    }

    #[test]
    fn error_of_the_token_endpoint_shows_whether_the_secret_is_right() {
        let error = |error: &str| json!({ "error": error });
        for (response, status) in [
            (answer(400, &error("invalid_grant")), Status::Ok),
            (answer(401, &error("invalid_client")), Status::Problem),
            (answer(400, &error("unauthorized_client")), Status::Problem),
            (answer(401, &json!("<html>")), Status::Problem),
            (answer(503, &json!("<html>")), Status::Warning),
            (answer(400, &error("invalid_request")), Status::Warning),
            (answer(200, &json!({ "access_token": "a" })), Status::Warning),
            (unreachable(), Status::Problem),
        ] {
            let found = client_verdict("clients[0]", &response);
            assert_eq!(found.status, status, "{}", found.summary);
            assert_eq!(found.remedy.is_some(), status != Status::Ok);
        }
    }

    #[tokio::test]
    async fn store_of_one_instance_does_what_it_must() {
        let settings = settings_with(&json!({ "store": { "memory": true } }));
        let store = Store::new(&settings, Metrics::new().unwrap()).unwrap().unwrap();
        assert_eq!(try_store(&store).await, Ok(true));
    }

    #[test]
    fn summaries_and_remedies_are_the_handlers() {
        let handlers = include_str!("../../pkg-template/src/gateway/check.ts");
        let refused = Refused::from(Code::UpstreamTimeout);
        let of_client = |status, error: &str| {
            client_verdict("clients[0]", &answer(status, &json!({ "error": error })))
        };
        for check in [
            metadata_verdict(None),
            metadata_verdict(Some(&refused)),
            keys_verdict(&unreachable(), None),
            keys_verdict(&answer(200, &json!({})), None),
            clock(0),
            clock(20_000),
            of_client(400, "invalid_grant"),
            of_client(401, "invalid_client"),
            of_client(503, ""),
            client_verdict("clients[0]", &unreachable()),
            store_verdict(Ok(true)),
            store_verdict(Err(StoreDown)),
            assertions_verdict(true),
            assertions_verdict(false),
        ] {
            // Up to what differs from run to run.
            let fixed = check.summary.split(['(', '2']).next().unwrap();
            assert!(handlers.contains(fixed), "{fixed}");
            assert!(handlers.contains(check.remedy.unwrap_or_default()), "{:?}", check.remedy);
        }
        let summary = store_verdict(Ok(false)).summary;
        assert!(handlers.contains(&summary), "{summary}");
    }
}
