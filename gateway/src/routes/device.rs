//! `POST {base}/device`: what the browser itself asks for a device-bound session, first to register a key and then to prove
//! that it has it (W3C, Device Bound Session Credentials, "Server considerations").

use serde_json::json;

use crate::clock;
use crate::config::Client;
use crate::cookies::{self, RequestCookies};
use crate::csrf;
use crate::device::{DeviceProof, PROOF_SECS, Purpose};
use crate::failure::{Code, Refused};
use crate::gateway::Gateway;
use crate::log::{RequestLog, SessionOutcome};
use crate::request::{GatewayRequest, GatewayResponse};
use crate::routes::session::is_revoked;
use crate::session::{FoundSessions, Session};

/// Registers a device's key, or refreshes its proof.
///
/// # Errors
/// As the documentation of the contract has it.
pub async fn bind(
    gateway: &Gateway,
    request: &GatewayRequest,
    log: &mut RequestLog,
) -> Result<GatewayResponse, Refused> {
    if !gateway.settings.device_bound {
        return Err(Code::NotFound.into());
    }
    csrf::check(request, &gateway.settings)?;
    let parameters = request.parameters();
    let key = parameters.single("registration")?.unwrap_or_default();
    let client = gateway.settings.client_of_cookies(key).ok_or(Code::RequestInvalid)?;
    log.district.clone_from(&client.district);
    let now = clock::now_secs();
    let cookies = RequestCookies::parse(&request.cookies());
    let found = gateway.sessions.find(client, &cookies, now);
    let proof = request.header("secure-session-response");
    let proof = proof.as_deref().map(read_string);
    let visit = Visit { gateway, client, found, now };
    match request.header("sec-secure-session-id") {
        None => visit.register(proof, log).await,
        Some(id) => visit.refresh(proof, read_string(&id), log).await,
    }
}

/// Asks the browser to bind a session. Others than pages of the gateway's own origin, and browsers without Fetch Metadata,
/// none of which could, are not asked.
#[must_use]
pub fn offer(
    gateway: &Gateway,
    request: &GatewayRequest,
    client: &Client,
    session: &Session,
    now: i64,
) -> Option<String> {
    let is_offered = gateway.settings.device_bound
        && session.device_key.is_none()
        && !session.is_provisional
        && request.header("sec-fetch-site").as_deref() == Some("same-origin");
    if !is_offered {
        return None;
    }
    let challenge = gateway.sessions.seal_end(Purpose::Challenge, client, &session.id, now)?;
    // The path is relative to this request's, so that a proxy may change what comes before it.
    let key = &client.cookie_key;
    Some(format!(r#"(ES256);path="device?registration={key}";challenge="{challenge}""#))
}

/// A request, and the sessions that it shows.
struct Visit<'a> {
    gateway: &'a Gateway,
    client: &'a Client,
    found: FoundSessions,
    now: i64,
}

impl Visit<'_> {
    async fn register(
        &self,
        proof: Option<&str>,
        log: &mut RequestLog,
    ) -> Result<GatewayResponse, Refused> {
        let open = self
            .found
            .newest()
            .filter(|open| !open.session.is_provisional && open.session.device_key.is_none());
        let (Some(open), Some(proof)) = (open, proof) else {
            return Err(Code::RequestInvalid.into());
        };
        if is_revoked(self.gateway, open).await? {
            return Err(Code::RequestInvalid.into());
        }
        let proof = DeviceProof::parse(proof).ok_or(Code::DeviceProofInvalid)?;
        let key = proof.key().filter(|key| proof.is_signed_by(key));
        let key = key.ok_or(Code::DeviceProofInvalid)?;
        if !self.is_open(&proof, &open.session.id) {
            return Err(Code::DeviceProofInvalid.into());
        }
        log.session = Some(SessionOutcome::Sealed);
        let session = Session { device_key: Some(key), ..open.session.clone() };
        let mut lines = self.gateway.sessions.seal(self.client, &session, &self.found)?;
        lines.push(self.write_proof(&session.id)?);
        Ok(GatewayResponse::json(200, self.instructions(&session.id)).with_cookies(lines))
    }

    async fn refresh(
        &self,
        proof: Option<&str>,
        session_id: &str,
        log: &mut RequestLog,
    ) -> Result<GatewayResponse, Refused> {
        let open = self.found.newest().or_else(|| self.found.unproved());
        let open = open.filter(|open| open.session.id == session_id);
        let bound = open.and_then(|open| Some((open, open.session.device_key.as_deref()?)));
        let bound = match bound {
            Some((open, _)) if is_revoked(self.gateway, open).await? => None,
            bound => bound,
        };
        let Some((_, key)) = bound else {
            log.session = Some(SessionOutcome::None);
            let body = json!({ "session_identifier": session_id, "continue": false });
            let lines = self.found.cookies.clear_proofs(None);
            return Ok(GatewayResponse::json(200, body.to_string()).with_cookies(lines));
        };
        let is_proved = match proof {
            None => false,
            Some(proof) => {
                let proof = DeviceProof::parse(proof).filter(|proof| proof.is_signed_by(key));
                self.is_open(&proof.ok_or(Code::DeviceProofInvalid)?, session_id)
            }
        };
        if !is_proved {
            let sessions = &self.gateway.sessions;
            let challenge = sessions
                .seal_end(Purpose::Challenge, self.client, session_id, self.now)
                .ok_or(Code::Internal)?;
            let header = format!(r#""{challenge}";id="{session_id}""#);
            return Err(Refused::from(Code::DeviceProofRequired)
                .with_header("Secure-Session-Challenge", header));
        }
        // From now on the browser has the bound cookie: copies from before the registration are over.
        if let Some(store) = &self.gateway.store {
            store.require_device(session_id).await?;
        }
        log.session = Some(SessionOutcome::Kept);
        let lines = vec![self.write_proof(session_id)?];
        Ok(GatewayResponse::json(200, self.instructions(session_id)).with_cookies(lines))
    }

    fn is_open(&self, proof: &DeviceProof<'_>, session_id: &str) -> bool {
        let sessions = &self.gateway.sessions;
        sessions.is_open(Purpose::Challenge, self.client, session_id, &proof.challenge, self.now)
    }

    fn write_proof(&self, session_id: &str) -> Result<String, Refused> {
        let sessions = &self.gateway.sessions;
        let proof = sessions.seal_end(Purpose::Proof, self.client, session_id, self.now);
        let proof = proof.ok_or(Code::Internal)?;
        Ok(self.found.cookies.write_proof(cookies::bound_tag(session_id), &proof, PROOF_SECS))
    }

    /// Writes the session instructions: the cookie that every request to this origin needs. The browser refreshes at the
    /// address of this request.
    fn instructions(&self, session_id: &str) -> String {
        let (name, attributes) = self.found.cookies.proof_cookie(cookies::bound_tag(session_id));
        let instructions = json!({
            "session_identifier": session_id,
            "scope": { "include_site": false, "scope_specification": [] },
            "credentials": [{ "type": "cookie", "name": name, "attributes": attributes }],
        });
        instructions.to_string()
    }
}

/// Reads a string of RFC 9651, 3.3.3, or the bare text that Chromium sends; session ids and JWTs need no escapes.
fn read_string(header: &str) -> &str {
    header.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(header)
}
