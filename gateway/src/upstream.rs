//! Requests to the provider, which end in bounded time and with bounded responses. Redirects are not followed, and do not
//! count as success: a token, a code or a secret goes to the configured endpoint alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use classlink_spa::protocol::json::{self, Object};
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, USER_AGENT};
use hyper::{Method, Request};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;

use crate::failure::{Code, Refused, overloaded};
use crate::metrics::Metrics;

/// At most this much of a provider's response is read: 1 MiB.
const RESPONSE_LIMIT: usize = 1024 * 1024;

/// `ClassLink`'s firewall refuses some HTTP libraries' defaults.
const AGENT: &str = "classlink-spa-gateway (+https://www.npmjs.com/package/classlink-spa)";

/// Requests that wait for their turn.
const MAX_WAITING: usize = 1000;

/// The kind of a request to the provider, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the endpoints")]
pub enum Endpoint {
    Discovery,
    Jwks,
    Token,
    Refresh,
    Userinfo,
    MyInfo,
    Revocation,
}

impl Endpoint {
    /// Returns the endpoint as the metrics have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Token => "token",
            Self::Refresh => "refresh",
            Self::Userinfo => "userinfo",
            Self::MyInfo => "my-info",
            Self::Revocation => "revocation",
        }
    }
}

/// A response of the provider.
pub struct ProviderResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body, empty if it was over 1 MiB.
    pub body: Bytes,
    /// The `Date` header.
    pub date: Option<SystemTime>,
}

impl ProviderResponse {
    /// Returns whether the status is a success.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the body if it is a JSON object, whatever its content type says.
    #[must_use]
    pub fn json(&self) -> Option<Object> {
        json::parse_document(&self.body)
    }

    /// Returns the body as it came, for handing on: numbers in it may be longer than a reader's.
    #[must_use]
    pub fn text(&self) -> String {
        let body = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body);
        String::from_utf8(body.to_vec()).unwrap_or_default()
    }

    /// Returns whether a response that is not a success may be one later.
    #[must_use]
    pub fn failure(&self) -> Refused {
        let is_failure = self.status >= 500 || self.status == 429;
        let code = if is_failure { Code::UpstreamError } else { Code::UpstreamInvalid };
        Refused::from(code).with_upstream_status(self.status)
    }
}

/// The connections to the provider.
pub struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
    turns: Option<Arc<Semaphore>>,
    waiting: AtomicUsize,
    metrics: Arc<Metrics>,
}

impl Upstream {
    /// Creates connections with these limits: a request's time, and requests at a time (`None` for no limit).
    #[must_use]
    pub fn new(timeout: Duration, concurrent: Option<usize>, metrics: Arc<Metrics>) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls =
            rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(timeout));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(TokioTimer::new())
            .build(connector);
        let turns =
            concurrent.map(|most| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))));
        Self { client, timeout, turns, waiting: AtomicUsize::new(0), metrics }
    }

    /// Sends a GET request, with the caller's authorization.
    ///
    /// # Errors
    /// `upstream_unreachable`, `upstream_timeout`, `overloaded`.
    pub async fn get(
        &self,
        endpoint: Endpoint,
        url: &str,
        authorization: Option<&str>,
    ) -> Result<ProviderResponse, Refused> {
        self.send(endpoint, Method::GET, url, authorization, None).await
    }

    /// Posts a form, with the client's authorization.
    ///
    /// # Errors
    /// As [`Upstream::get`].
    pub async fn post(
        &self,
        endpoint: Endpoint,
        url: &str,
        authorization: Option<&str>,
        form: String,
    ) -> Result<ProviderResponse, Refused> {
        self.send(endpoint, Method::POST, url, authorization, Some(form)).await
    }

    async fn send(
        &self,
        endpoint: Endpoint,
        method: Method,
        url: &str,
        authorization: Option<&str>,
        form: Option<String>,
    ) -> Result<ProviderResponse, Refused> {
        let begun = Instant::now();
        let deadline = tokio::time::Instant::now() + self.timeout;
        let turn = match self.turn(deadline).await {
            Ok(turn) => turn,
            Err(refused) => {
                self.metrics.count_provider_request(endpoint, "overloaded", None);
                self.metrics.rate_limited("concurrent");
                return Err(refused);
            }
        };
        // One that got its turn when its time was nearly over says nothing of the provider.
        let had_time = begun.elapsed() < self.timeout / 2;
        let in_flight = self.metrics.provider_in_flight();
        let exchanged = self.exchange(method, url, authorization, form);
        let response = tokio::time::timeout_at(deadline, exchanged).await;
        drop((turn, in_flight));
        let (outcome, response) = match response {
            Err(_) if had_time => ("timeout", Err(Code::UpstreamTimeout.into())),
            Err(_) => ("overloaded", Err(overloaded())),
            Ok(None) => ("unreachable", Err(Code::UpstreamUnreachable.into())),
            Ok(Some(response)) => (
                match response.status {
                    200..300 => "ok",
                    400..500 => "refused",
                    _ => "error",
                },
                Ok(response),
            ),
        };
        self.metrics.count_provider_request(endpoint, outcome, Some(begun.elapsed()));
        response
    }

    /// Waits for a turn, until the deadline.
    async fn turn(
        &self,
        deadline: tokio::time::Instant,
    ) -> Result<Option<tokio::sync::OwnedSemaphorePermit>, Refused> {
        let Some(turns) = &self.turns else {
            return Ok(None);
        };
        if let Ok(turn) = turns.clone().try_acquire_owned() {
            return Ok(Some(turn));
        }
        let waiting = Waiting::new(&self.waiting, &self.metrics);
        if waiting.place > MAX_WAITING {
            return Err(overloaded());
        }
        match tokio::time::timeout_at(deadline, turns.clone().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(Some(turn)),
            _ => Err(overloaded()),
        }
    }

    /// Sends a request; `None` without a complete response.
    async fn exchange(
        &self,
        method: Method,
        url: &str,
        authorization: Option<&str>,
        form: Option<String>,
    ) -> Option<ProviderResponse> {
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, AGENT);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::from(form.unwrap_or_default())).ok()?;
        let (head, body) = self.client.request(request).await.ok()?.into_parts();
        let status = head.status.as_u16();
        let date = head.headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
        let body = match Limited::new(body, RESPONSE_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => Bytes::new(),
            Err(_) => return None,
        };
        Some(ProviderResponse { status, body, date })
    }
}

/// A request that waits for its turn.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    metrics: &'a Metrics,
    place: usize,
}

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize, metrics: &'a Metrics) -> Self {
        let place = count.fetch_add(1, Ordering::Relaxed) + 1;
        metrics.provider_waiting(place);
        Self { count, metrics, place }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let before = self.count.fetch_sub(1, Ordering::Relaxed);
        self.metrics.provider_waiting(before.saturating_sub(1));
    }
}
