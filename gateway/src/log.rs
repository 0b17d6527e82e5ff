//! The log entry of a request: stable words and numbers, no user's data and no secret. `docs/gateway.md` says what
//! each member means.

use std::io::Write;

use serde::Serialize;

use crate::failure::{Code, Refused};

/// The route of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the paths")]
pub enum Event {
    Token,
    Jwks,
    Userinfo,
    MyInfo,
    SessionRead,
    SessionEnd,
    Preflight,
    Health,
    Ready,
    Metrics,
    Verify,
    Device,
    AssertionKeys,
    BackchannelLogout,
    Unknown,
}

impl Event {
    /// Returns the event as the log has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Jwks => "jwks",
            Self::Userinfo => "userinfo",
            Self::MyInfo => "my-info",
            Self::SessionRead => "session.read",
            Self::SessionEnd => "session.end",
            Self::Preflight => "preflight",
            Self::Health => "health",
            Self::Ready => "ready",
            Self::Metrics => "metrics",
            Self::Verify => "verify",
            Self::Device => "device",
            Self::AssertionKeys => "assertion-keys",
            Self::BackchannelLogout => "backchannel-logout",
            Self::Unknown => "unknown",
        }
    }
}

/// The outcome for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the log")]
pub enum SessionOutcome {
    Sealed,
    Renewed,
    Kept,
    None,
    Ended,
}

impl SessionOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Renewed => "renewed",
            Self::Kept => "kept",
            Self::None => "none",
            Self::Ended => "ended",
        }
    }
}

/// The facts about a request that are gathered while it is handled.
#[derive(Clone, Debug)]
pub struct RequestLog {
    /// The route.
    pub event: Event,
    /// The eight characters that the user can read out.
    pub support_code: Option<String>,
    /// The id of the request.
    pub request_id: String,
    /// The trace that the request belongs to.
    pub trace_id: Option<String>,
    /// The status of the provider's response, if that decided.
    pub upstream_status: Option<u16>,
    /// Errors that did not fail the request.
    pub recovered: Option<Refused>,
    /// The outcome for the session.
    pub session: Option<SessionOutcome>,
    /// The registration's `district`.
    pub district: Option<String>,
}

/// One request, as it may go to any log or monitoring service.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    event: &'a str,
    level: &'a str,
    status: u16,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    district: Option<&'a str>,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
}

impl RequestLog {
    /// Returns the code of an entry: the gateway's own, or `provider_refused`.
    #[must_use]
    pub fn code(&self, refused: Option<&Refused>) -> Option<&'static str> {
        let refused = refused.or(self.recovered.as_ref())?;
        // Without a session, `/verify` did what it is for.
        if refused.code() == Some(Code::NotSignedIn) {
            return None;
        }
        Some(refused.code().map_or("provider_refused", Code::as_str))
    }

    /// Returns the entry as a line of JSON.
    #[must_use]
    pub fn to_line(&self, refused: Option<&Refused>, status: u16, duration_ms: u64) -> Vec<u8> {
        let refused = refused.or(self.recovered.as_ref());
        let code = self.code(refused);
        let (reason, refusal, own_status) = match refused {
            Some(Refused::Gateway(failure)) => (failure.reason, None, failure.upstream_status),
            Some(Refused::Provider(refusal)) => (None, Some(refusal), None),
            None => (None, None, None),
        };
        // These two say that the registration or the secret is wrong, whatever the status.
        let is_misconfigured = refusal.is_some_and(|refusal| {
            matches!(refusal.error, "invalid_client" | "unauthorized_client")
        });
        let level = match code {
            _ if status >= 500 || is_misconfigured => "error",
            Some(_) => "warn",
            None => "info",
        };
        let entry = Entry {
            event: self.event.as_str(),
            level,
            status,
            duration_ms,
            support_code: self.support_code.as_deref(),
            code,
            reason,
            provider_error: refusal.map(|refusal| refusal.error),
            upstream_status: refusal
                .map(|refusal| refusal.upstream_status)
                .or(own_status)
                .or(self.upstream_status),
            session: self.session.map(SessionOutcome::as_str),
            district: self.district.as_deref(),
            request_id: &self.request_id,
            trace_id: self.trace_id.as_deref(),
        };
        let mut line = serde_json::to_vec(&entry).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// Where entries go: standard output, by a thread of its own. When that hangs, entries are dropped and no request waits.
#[derive(Clone)]
pub struct LogWriter(tracing_appender::non_blocking::NonBlocking);

impl LogWriter {
    /// Returns a writer to standard output. What it returns beside it writes what is left when it is dropped.
    pub fn to_stdout() -> (Self, tracing_appender::non_blocking::WorkerGuard) {
        let (writer, guard) = tracing_appender::non_blocking(std::io::stdout());
        (Self(writer), guard)
    }

    /// Writes a line.
    pub fn write(&self, line: &[u8]) {
        // A sign-in does not fail because its log does.
        let _ = self.0.clone().write_all(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Refusal;

    fn entry() -> RequestLog {
        RequestLog {
            event: Event::Token,
            support_code: Some("7KQ2M9ZX".to_owned()),
            request_id: "0123456789abcdef".to_owned(),
            trace_id: None,
            upstream_status: Some(200),
            recovered: None,
            session: None,
            district: None,
        }
    }

    fn line(entry: &RequestLog, refused: Option<Refused>, status: u16) -> String {
        String::from_utf8(entry.to_line(refused.as_ref(), status, 41)).unwrap()
    }

    #[test]
    fn refusal_is_a_warning_with_its_code_and_reason() {
        assert_eq!(
            line(&entry(), Some(Refused::id_token("nonce")), 400),
            concat!(
                r#"{"event":"token","level":"warn","status":400,"durationMs":41,"supportCode":"7KQ2M9ZX","#,
                r#""code":"id_token_invalid","reason":"nonce","upstreamStatus":200,"requestId":"0123456789abcdef"}"#,
                "\n",
            )
        );
    }

    #[test]
    fn wrong_secret_is_an_error_whatever_the_status() {
        let refused = Refusal::of_token_endpoint("invalid_client", 401).into();
        let line = line(&entry(), Some(refused), 400);
        for member in [
            r#""level":"error""#,
            r#""code":"provider_refused""#,
            r#""providerError":"invalid_client""#,
            r#""upstreamStatus":401"#,
        ] {
            assert!(line.contains(member), "{line}");
        }
    }

    #[test]
    fn renewal_that_failed_is_named_though_the_session_goes_on() {
        let mut kept = entry();
        kept.recovered = Some(Code::UpstreamTimeout.into());
        kept.session = Some(SessionOutcome::Kept);
        let line = line(&kept, None, 200);
        assert!(line.contains(r#""level":"warn""#) && line.contains("upstream_timeout"), "{line}");
    }

    #[test]
    fn verify_without_a_session_is_logged_as_info_without_a_code() {
        let mut asked = entry();
        asked.event = Event::Verify;
        asked.session = Some(SessionOutcome::None);
        let line = line(&asked, Some(Code::NotSignedIn.into()), 401);
        assert!(line.contains(r#""level":"info""#) && !line.contains("code\":\"not"), "{line}");
    }
}
