//! One gateway: what lasts between two requests, and the way of a request through it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::body::Incoming;

use crate::clock;
use crate::config::Settings;
use crate::csrf;
use crate::failure::{Code, Refused};
use crate::limits::AddressLimit;
use crate::log::{Event, LogWriter, RequestLog, SessionOutcome};
use crate::metrics::Metrics;
use crate::provider::Provider;
use crate::renewal::Renewals;
use crate::request::{ERROR_HEADER, GatewayRequest, GatewayResponse, SDK_HEADER};
use crate::routes::{backchannel, device, operations, proxy, session, token, verify};
use crate::session::Sessions;
use crate::store::Store;
use crate::upstream::Upstream;

/// A gateway. Nothing in it is needed for the next request but the settings.
pub struct Gateway {
    /// The configuration.
    pub settings: Settings,
    /// Seals and opens sessions.
    pub sessions: Sessions,
    /// The connections to the provider.
    pub upstream: Arc<Upstream>,
    /// The provider's metadata and keys.
    pub provider: Provider,
    /// Renewals under way, and those of a moment ago.
    pub renewals: Renewals,
    /// The store that several instances share.
    pub store: Option<Store>,
    /// The metrics for operations.
    pub metrics: Arc<Metrics>,
    limit: AddressLimit,
    log: LogWriter,
}

/// The SDK's routes: path, methods and events.
const SDK_ROUTES: [(&str, &[(Method, Event)]); 5] = [
    ("/token", &[(Method::POST, Event::Token)]),
    ("/jwks", &[(Method::GET, Event::Jwks)]),
    ("/userinfo", &[(Method::GET, Event::Userinfo)]),
    ("/my-info", &[(Method::GET, Event::MyInfo)]),
    ("/session", &[(Method::POST, Event::SessionRead), (Method::DELETE, Event::SessionEnd)]),
];

/// A route, by its path.
enum Route {
    Sdk(&'static [(Method, Event)]),
    /// Whether the path goes on after `/verify`.
    Verify(bool),
    Device,
    Health,
    Ready,
    Metrics,
    AssertionKeys,
    BackchannelLogout,
}

/// Returns the value of `Allow` for these methods.
fn allowed(methods: &[(Method, Event)]) -> String {
    let names: Vec<_> = methods.iter().map(|(method, _)| method.as_str()).collect();
    names.join(", ")
}

impl Gateway {
    /// Creates a gateway with these settings.
    ///
    /// # Errors
    /// A message without any value of the settings.
    pub fn new(settings: Settings, log: LogWriter) -> Result<Arc<Self>, String> {
        let metrics = Metrics::new().map_err(|error| error.to_string())?;
        let timeout = Duration::from_millis(settings.timeout_ms);
        let upstream = Arc::new(Upstream::new(timeout, settings.concurrent, metrics.clone()));
        Ok(Arc::new(Self {
            sessions: Sessions::new(&settings).ok_or("sealingKeys: no key can be derived")?,
            provider: Provider::new(&settings, &upstream),
            upstream,
            renewals: Renewals::default(),
            store: Store::new(&settings, metrics.clone())?,
            limit: AddressLimit::new(settings.per_address),
            metrics,
            log,
            settings,
        }))
    }

    /// Handles a request, and logs and counts it.
    pub async fn handle(
        self: Arc<Self>,
        request: GatewayRequest,
        body: Incoming,
    ) -> (GatewayRequest, GatewayResponse) {
        let begun = Instant::now();
        let mut log = RequestLog {
            event: Event::Unknown,
            support_code: request.support_code(),
            request_id: request.request_id(),
            trace_id: request.trace_id(),
            upstream_status: None,
            recovered: None,
            session: None,
            district: None,
        };
        let routed = self.route(&request, body, &mut log).await;
        let (response, refused) = match routed {
            Ok(response) => (response, None),
            Err(refused) => (refusal(&refused), Some(refused)),
        };
        let response = self.complete(&request, response, &log);
        let duration = begun.elapsed();
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.log.write(&log.to_line(refused.as_ref(), response.status, millis));
        let outcome = match (log.code(refused.as_ref()), log.session) {
            (Some(code), _) => code,
            (None, Some(SessionOutcome::None)) => "none",
            (None, _) => "ok",
        };
        self.metrics.count_request(log.event.as_str(), outcome, duration);
        (request, response)
    }

    fn find_route(&self, path: &str, method: &Method) -> Option<Route> {
        let path = path.strip_prefix(&self.settings.base_path)?;
        if let Some((_, methods)) = SDK_ROUTES.iter().find(|(known, _)| *known == path) {
            return Some(Route::Sdk(methods));
        }
        Some(match path {
            "/health" if *method == Method::GET || *method == Method::HEAD => Route::Health,
            "/device" => Route::Device,
            "/ready" => Route::Ready,
            "/metrics" => Route::Metrics,
            "/assertion-keys" => Route::AssertionKeys,
            "/backchannel-logout" => Route::BackchannelLogout,
            "/verify" => Route::Verify(false),
            _ if path.starts_with("/verify/") => Route::Verify(true),
            _ => return None,
        })
    }

    async fn route(
        self: &Arc<Self>,
        request: &GatewayRequest,
        body: Incoming,
        log: &mut RequestLog,
    ) -> Result<GatewayResponse, Refused> {
        let Some(route) = self.find_route(&request.path, &request.method) else {
            // RFC 9110, 9.3.6: its target is a host, not a path, and no method is allowed there.
            return Err(if request.method == Method::CONNECT {
                Refused::from(Code::MethodNotAllowed).with_header("Allow", "")
            } else {
                Code::NotFound.into()
            });
        };
        request.host()?;
        let method = &request.method;
        let is_read = *method == Method::GET || *method == Method::HEAD;
        let require = |holds: bool, allow: &'static str| {
            let refuse = || Refused::from(Code::MethodNotAllowed).with_header("Allow", allow);
            if holds { Ok(()) } else { Err(refuse()) }
        };
        match route {
            Route::Sdk(methods) => self.route_sdk(methods, request, body, log).await,
            Route::Verify(goes_on) => {
                // RFC 9110, 9.3.6 and 9.3.8: methods that no route takes.
                let is_usual = !matches!(method.as_str(), "TRACE" | "TRACK" | "CONNECT");
                require(is_usual, "GET, HEAD")?;
                log.event = Event::Verify;
                verify::verify(self, request, goes_on, log).await
            }
            Route::Device => {
                require(*method == Method::POST, "POST")?;
                log.event = Event::Device;
                device::bind(self, request, log).await
            }
            Route::Health => {
                log.event = Event::Health;
                Ok(GatewayResponse::json(200, r#"{"status":"ok"}"#))
            }
            Route::Ready => {
                require(is_read, "GET, HEAD")?;
                log.event = Event::Ready;
                operations::ready(self, log).await
            }
            Route::Metrics => {
                require(is_read, "GET, HEAD")?;
                log.event = Event::Metrics;
                operations::metrics(self, request)
            }
            Route::AssertionKeys => {
                require(is_read, "GET, HEAD")?;
                log.event = Event::AssertionKeys;
                operations::assertion_keys(self)
            }
            Route::BackchannelLogout => {
                require(*method == Method::POST, "POST")?;
                log.event = Event::BackchannelLogout;
                backchannel::logout(self, request, body, log).await
            }
        }
    }

    async fn route_sdk(
        self: &Arc<Self>,
        methods: &'static [(Method, Event)],
        request: &GatewayRequest,
        body: Incoming,
        log: &mut RequestLog,
    ) -> Result<GatewayResponse, Refused> {
        let method = &request.method;
        if *method == Method::OPTIONS && request.header("access-control-request-method").is_some() {
            log.event = Event::Preflight;
            let headers = csrf::preflight_headers(request, &self.settings, &allowed(methods))?;
            return Ok(GatewayResponse { headers, ..GatewayResponse::empty(204) });
        }
        let Some((_, event)) = methods.iter().find(|(known, _)| known == method) else {
            return Err(
                Refused::from(Code::MethodNotAllowed).with_header("Allow", allowed(methods))
            );
        };
        log.event = *event;
        csrf::check(request, &self.settings)?;
        if log.support_code.is_none() {
            return Err(Code::MissingHeader.into());
        }
        match event {
            Event::Token => token::exchange(self, request, body, log).await,
            Event::Jwks => proxy::jwks(self, request, log).await,
            Event::Userinfo | Event::MyInfo => proxy::profile(self, request, log).await,
            Event::SessionRead => session::read(self, request, log).await,
            _ => session::end(self, request, log).await,
        }
    }

    /// Counts a request that is about to reach the provider.
    ///
    /// # Errors
    /// `rate_limited`.
    pub async fn count_upstream(
        &self,
        request: &GatewayRequest,
        event: Event,
    ) -> Result<(), Refused> {
        let (route, address) = (event.as_str(), request.address.as_deref());
        let now = clock::now_ms();
        if let Err(refused) = self.limit.count(route, address, now) {
            self.metrics.rate_limited("address");
            return Err(refused);
        }
        let (Some(store), Some(most), Some(address)) =
            (&self.store, self.settings.per_address, address)
        else {
            return Ok(());
        };
        let (minute, into_minute) = (now / 60_000, now % 60_000);
        let group = crate::limits::address_group(address);
        let hash = crate::request::hashed(&[route, " ", &group].concat());
        let key = format!("rate:{hash}:{minute}");
        // While the store is down, this instance's own limit is what there is.
        let count = store.increment(&key, Duration::from_mins(2)).await.unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "a count of requests in a minute")]
        if count as f64 > most {
            self.metrics.rate_limited("shared");
            let seconds = (60_000 - into_minute).div_ceil(1000);
            return Err(
                Refused::from(Code::RateLimited).with_header("Retry-After", seconds.to_string())
            );
        }
        Ok(())
    }

    /// Adds what every response has.
    fn complete(
        &self,
        request: &GatewayRequest,
        mut response: GatewayResponse,
        log: &RequestLog,
    ) -> GatewayResponse {
        let is_sdks = !matches!(
            log.event,
            Event::Verify
                | Event::Device
                | Event::Ready
                | Event::Metrics
                | Event::AssertionKeys
                | Event::BackchannelLogout
        );
        let given = std::mem::take(&mut response.headers);
        let mut headers = vec![
            ("Cache-Control", "no-store".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
            ("X-Request-Id", log.request_id.clone()),
        ];
        if let Some(code) = &log.support_code {
            headers.push((SDK_HEADER, code.clone()));
        }
        if is_sdks {
            headers.extend(csrf::cors_headers(request, &self.settings));
        }
        headers.extend(given);
        response.headers = headers;
        if request.method == Method::HEAD {
            response.body = None;
        }
        response
    }
}

/// Returns the response to what was refused: the provider's refusal as its code alone, everything else under the gateway's
/// code.
fn refusal(refused: &Refused) -> GatewayResponse {
    match refused {
        Refused::Provider(refusal) => {
            GatewayResponse::json(refusal.status, format!(r#"{{"error":"{}"}}"#, refusal.error))
        }
        Refused::Gateway(failure) => {
            let (status, _, _) = failure.code.response();
            let mut headers = failure.headers.clone();
            headers.push((ERROR_HEADER, failure.code.as_str().to_owned()));
            GatewayResponse { headers, ..GatewayResponse::json(status, failure.body()) }
                .with_cookies(failure.cookies.clone())
        }
    }
}
