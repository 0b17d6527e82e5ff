//! How much a stranger may have the provider asked: so many requests per client address and route. Counted in this instance.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;

use crate::failure::{Code, Refused};

/// A whole school may share one address, and a class signs in within a minute: this many at once.
const BURST: f64 = 100.0;

/// Addresses that are counted at a time. The one that was heard of longest ago is forgotten first.
const CAPACITY: NonZeroUsize = match NonZeroUsize::new(10_000) {
    Some(most) => most,
    None => NonZeroUsize::MIN,
};

/// The number of requests that an address may still send to a route, and since when it counts.
#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at_ms: u64,
}

/// Token buckets per client address and route.
pub struct AddressLimit {
    per_second: Option<f64>,
    buckets: Mutex<LruCache<String, Bucket>>,
}

impl AddressLimit {
    /// Creates a limit of so many requests a minute of one address to one route; `None` for no limit.
    #[must_use]
    pub fn new(per_minute: Option<f64>) -> Self {
        Self {
            per_second: per_minute.map(|most| most / 60.0),
            buckets: Mutex::new(LruCache::new(CAPACITY)),
        }
    }

    /// Counts a request that reaches the provider. Requests whose address is not known are not counted.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn count(&self, route: &str, address: Option<&str>, now_ms: u64) -> Result<(), Refused> {
        let (Some(per_second), Some(address)) = (self.per_second, address) else {
            return Ok(());
        };
        let burst = BURST.min((per_second * 60.0).max(1.0));
        let key = format!("{route} {}", address_group(address));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(&key).copied().unwrap_or(Bucket { tokens: burst, at_ms: now_ms });
        #[expect(clippy::cast_precision_loss, reason = "milliseconds between two requests")]
        let elapsed = now_ms.saturating_sub(bucket.at_ms) as f64 / 1000.0;
        let tokens = burst.min(bucket.tokens + elapsed * per_second);
        let is_over = tokens < 1.0;
        let tokens_left = if is_over { tokens } else { tokens - 1.0 };
        buckets.put(key, Bucket { tokens: tokens_left, at_ms: now_ms });
        if is_over {
            let seconds = ((1.0 - tokens) / per_second).ceil();
            return Err(
                Refused::from(Code::RateLimited).with_header("Retry-After", seconds.to_string())
            );
        }
        Ok(())
    }
}

/// Returns the addresses that count as one client: an IPv4 address, or the /64 network of an IPv6 one (RFC 6177).
#[must_use]
pub fn address_group(address: &str) -> String {
    let lower = address.trim().to_ascii_lowercase();
    let bare = without_port(&lower);
    let bare = bare.split('%').next().unwrap_or(bare);
    match bare.parse() {
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.to_string(),
            None => network(address),
        },
        _ => bare.to_owned(),
    }
}

/// Returns an address without the port that some proxies add, which is another one for each connection.
fn without_port(address: &str) -> &str {
    if let Some(bracketed) = address.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or(bracketed);
    }
    match address.split_once(':') {
        Some((host, _)) if host.parse::<Ipv4Addr>().is_ok() => host,
        _ => address,
    }
}

fn network(address: Ipv6Addr) -> String {
    let [a, b, c, d, ..] = address.segments();
    format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_count_as_one_client() {
        for (address, group) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8::1", "2001:db8:0:0::/64"),
            ("[2001:DB8:0:0:ffff::1]", "2001:db8:0:0::/64"),
            ("203.0.113.7:5678", "203.0.113.7"),
            ("[2001:db8::1]:5678", "2001:db8:0:0::/64"),
            ("[::ffff:203.0.113.7]:5678", "203.0.113.7"),
            ("[fe80::1%eth0]:5678", "fe80:0:0:0::/64"),
            ("fe80::1%eth0", "fe80:0:0:0::/64"),
            ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
            ("not an address", "not an address"),
        ] {
            assert_eq!(address_group(address), group, "{address}");
        }
    }

    #[test]
    fn burst_is_served_and_then_one_request_in_each_interval() {
        let limit = AddressLimit::new(Some(60.0));
        let count = |now| limit.count("token", Some("203.0.113.7"), now);
        for _ in 0..60 {
            count(0).unwrap();
        }
        let Err(Refused::Gateway(failure)) = count(0) else { panic!() };
        assert_eq!(
            (failure.code, failure.headers),
            (Code::RateLimited, vec![("Retry-After", "1".to_owned())])
        );
        count(1000).unwrap();
        assert!(count(1000).is_err());
        limit.count("jwks", Some("203.0.113.7"), 1000).unwrap();
        limit.count("token", Some("203.0.113.8"), 1000).unwrap();
        limit.count("token", None, 1000).unwrap();
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let limit = AddressLimit::new(None);
        for _ in 0..1000 {
            limit.count("token", Some("203.0.113.7"), 0).unwrap();
        }
    }
}
