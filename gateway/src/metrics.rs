//! The metrics for operations, in Prometheus' text format. No label holds what a request, a provider or a configuration says.

use std::sync::Arc;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use crate::upstream::Endpoint;

/// Bounds of the histograms, in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The metrics of a server.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_duration: HistogramVec,
    provider_requests: IntCounterVec,
    provider_duration: HistogramVec,
    provider_in_flight: IntGauge,
    provider_waiting: IntGauge,
    renewals: IntCounterVec,
    rate_limited: IntCounterVec,
    sessions_begun: IntCounter,
    sessions_ended: IntCounterVec,
    store_operations: IntCounterVec,
}

fn register<T: Collector + Clone + 'static>(
    registry: &Registry,
    metric: prometheus::Result<T>,
) -> prometheus::Result<T> {
    let metric = metric?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(format!("classlink_gateway_{name}"), help)
}

fn histogram(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::from(opts(name, help)).buckets(BUCKETS.to_vec())
}

impl Metrics {
    /// Creates metrics that count from zero.
    ///
    /// # Errors
    /// Two of one name: a defect.
    pub fn new() -> prometheus::Result<Arc<Self>> {
        let registry = Registry::new();
        let counters = |name, help, labels: &[&str]| {
            register(&registry, IntCounterVec::new(opts(name, help), labels))
        };
        let info = IntGaugeVec::new(opts("info", "Which server this is."), &["server"]);
        register(&registry, info)?.with_label_values(&["native"]).set(1);
        let metrics = Self {
            requests: counters(
                "requests_total",
                "Requests by route and outcome.",
                &["route", "outcome"],
            )?,
            request_duration: register(
                &registry,
                HistogramVec::new(
                    histogram("request_duration_seconds", "Time to answer a request."),
                    &["route"],
                ),
            )?,
            provider_requests: counters(
                "provider_requests_total",
                "Requests to the provider by endpoint and outcome.",
                &["endpoint", "outcome"],
            )?,
            provider_duration: register(
                &registry,
                HistogramVec::new(
                    histogram("provider_duration_seconds", "Time of a request to the provider."),
                    &["endpoint"],
                ),
            )?,
            provider_in_flight: register(
                &registry,
                IntGauge::with_opts(opts(
                    "provider_requests_in_flight",
                    "Requests to the provider that are under way.",
                )),
            )?,
            provider_waiting: register(
                &registry,
                IntGauge::with_opts(opts(
                    "provider_requests_waiting",
                    "Requests to the provider that wait for their turn.",
                )),
            )?,
            renewals: counters("renewals_total", "Renewals by outcome.", &["outcome"])?,
            rate_limited: counters(
                "rate_limited_total",
                "Requests refused by a limit.",
                &["limit"],
            )?,
            sessions_begun: register(
                &registry,
                IntCounter::with_opts(opts(
                    "sessions_begun_total",
                    "Sessions that were sealed at a sign-in.",
                )),
            )?,
            sessions_ended: counters(
                "sessions_ended_total",
                "Sessions that were ended, by reason.",
                &["reason"],
            )?,
            store_operations: counters(
                "store_operations_total",
                "Operations of the store by outcome.",
                &["operation", "outcome"],
            )?,
            registry: registry.clone(),
        };
        Ok(Arc::new(metrics))
    }

    /// Returns everything in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        let families = self.registry.gather();
        if TextEncoder::new().encode(&families, &mut text).is_err() {
            text.clear();
        }
        in_documented_order(&String::from_utf8(text).unwrap_or_default())
    }

    /// Counts a request that was handled.
    pub fn count_request(&self, route: &str, outcome: &str, duration: Duration) {
        self.requests.with_label_values(&[route, outcome]).inc();
        self.request_duration.with_label_values(&[route]).observe(duration.as_secs_f64());
    }

    /// Counts a request to the provider.
    pub fn count_provider_request(
        &self,
        endpoint: Endpoint,
        outcome: &str,
        duration: Option<Duration>,
    ) {
        self.provider_requests.with_label_values(&[endpoint.as_str(), outcome]).inc();
        if let Some(duration) = duration {
            let durations = self.provider_duration.with_label_values(&[endpoint.as_str()]);
            durations.observe(duration.as_secs_f64());
        }
    }

    /// Counts a request to the provider as under way, until what it returns is dropped.
    pub fn provider_in_flight(&self) -> impl Drop + use<> {
        InFlight::new(self.provider_in_flight.clone())
    }

    /// Sets how many requests to the provider wait for their turn.
    pub fn provider_waiting(&self, count: usize) {
        self.provider_waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts a renewal.
    pub fn renewed(&self, outcome: &str) {
        self.renewals.with_label_values(&[outcome]).inc();
    }

    /// Counts a request that a limit refused.
    pub fn rate_limited(&self, limit: &str) {
        self.rate_limited.with_label_values(&[limit]).inc();
    }

    /// Counts a session that was sealed at a sign-in.
    pub fn session_begun(&self) {
        self.sessions_begun.inc();
    }

    /// Counts a session that was ended.
    pub fn session_ended(&self, reason: &str) {
        self.sessions_ended.with_label_values(&[reason]).inc();
    }

    /// Counts an operation of the store.
    pub fn count_store_operation(&self, operation: &str, is_ok: bool) {
        let outcome = if is_ok { "ok" } else { "failed" };
        self.store_operations.with_label_values(&[operation, outcome]).inc();
    }
}

/// Writes the route first, as `docs/gateway.md` has it: the library sorts labels by name.
fn in_documented_order(text: &str) -> String {
    let mut ordered = String::with_capacity(text.len());
    for line in text.lines() {
        let swapped = line.split_once("{outcome=").and_then(|(name, rest)| {
            let (outcome, rest) = rest.split_once(",route=")?;
            let (route, value) = rest.split_once('}')?;
            Some(format!("{name}{{route={route},outcome={outcome}}}{value}"))
        });
        ordered.push_str(swapped.as_deref().unwrap_or(line));
        ordered.push('\n');
    }
    ordered
}

struct InFlight(IntGauge);

impl InFlight {
    fn new(gauge: IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_with_the_documented_names_and_labels() {
        let metrics = Metrics::new().unwrap();
        metrics.count_request("token", "ok", Duration::from_millis(3));
        metrics.count_provider_request(Endpoint::MyInfo, "timeout", None);
        drop(metrics.provider_in_flight());
        let text = metrics.render();
        for line in [
            r#"classlink_gateway_info{server="native"} 1"#,
            r#"classlink_gateway_requests_total{route="token",outcome="ok"} 1"#,
            r#"classlink_gateway_request_duration_seconds_bucket{route="token",le="0.005"} 1"#,
            r#"classlink_gateway_provider_requests_total{endpoint="my-info",outcome="timeout"} 1"#,
            "classlink_gateway_provider_requests_in_flight 0",
            "classlink_gateway_sessions_begun_total 0",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }
}
