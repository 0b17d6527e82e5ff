//! Requests: bounded in time and size, without referrer or redirects, and without cookies but to the gateway.

use gloo_net::http::Headers;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, ReadableStreamDefaultReader, Response};

use super::task::{no_orphan, wait};
use super::{clock, get, navigation, object, window};
use crate::error::{Error, ErrorCode};
use crate::protocol::gateway;
use crate::protocol::secret::Secret;

/// The most that is read of an answer, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// A request to one endpoint.
pub struct Request<'a> {
    /// What the endpoint is called in messages, such as "the token endpoint".
    pub to: &'static str,
    /// Its URL.
    pub url: &'a str,
    /// What is asked.
    pub kind: Kind<'a>,
    /// How it uses the browser's cache: a `RequestCache` of the Fetch Standard.
    pub cache: &'static str,
    /// Milliseconds until it is given up.
    pub timeout: u32,
    /// The support code, where the endpoint is the application's own gateway: it demands one, and gets cookies.
    pub gateway: Option<&'a str>,
}

/// What is asked of an endpoint.
#[derive(Clone, Copy)]
pub enum Kind<'a> {
    /// A document.
    Get,
    /// A document that belongs to the bearer of an access token (RFC 6750, 2.1).
    GetWithBearer(&'a Secret),
    /// An answer to a form.
    PostForm(&'a Secret),
    /// The gateway's session, renewed if it must be.
    Post,
    /// The end of the gateway's session.
    Delete,
    /// The headers alone.
    Head,
}

/// An answer, whatever its status.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// When the server sent it, in seconds since 1970, where the page may see that.
    pub time: Option<f64>,
}

/// A request that is under way.
pub struct Sent {
    to: &'static str,
    to_gateway: bool,
    /// Aborts when the time has passed, and with it whatever is still to come of the answer.
    deadline: AbortSignal,
    /// Settles to the response, once it is there.
    response: Promise,
}

impl Request<'_> {
    /// Sends the request and reads the whole answer.
    ///
    /// # Errors
    /// `network`, `timeout`, or `provider_response_invalid` where the answer is too large.
    pub async fn send(&self) -> Result<Answer, Error> {
        self.start()?.answer().await
    }

    /// Sends the request.
    ///
    /// # Errors
    /// `provider_response_invalid` where the access token can't be sent.
    pub fn start(&self) -> Result<Sent, Error> {
        let deadline = AbortSignal::timeout_with_u32(self.timeout);
        let headers = Headers::new();
        headers.set("accept", "application/json");
        let mut method = "GET";
        let mut body = JsValue::UNDEFINED;
        match self.kind {
            Kind::Get => {}
            Kind::Head => method = "HEAD",
            Kind::Post => method = "POST",
            Kind::Delete => method = "DELETE",
            Kind::GetWithBearer(token) => {
                // A token that is no header value (RFC 6750, 2.1) would make the platform throw.
                if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                    let message = "the access token can't be sent in a header (RFC 6750, 2.1)";
                    return Err(Error::new(ErrorCode::ProviderResponseInvalid, message));
                }
                headers.set("authorization", &["Bearer ", token.expose()].concat());
            }
            Kind::PostForm(form) => {
                method = "POST";
                headers.set("content-type", "application/x-www-form-urlencoded");
                body = form.expose().into();
            }
        }
        let mut credentials = "omit";
        if let Some(support_code) = self.gateway {
            headers.set(gateway::SUPPORT_CODE_HEADER, support_code);
            let own = navigation::is_same_origin(self.url);
            credentials = if own { "same-origin" } else { "include" };
        }
        let options = object(&[
            ("method", method.into()),
            ("headers", headers.into_raw().into()),
            ("body", body),
            ("signal", deadline.clone().into()),
            ("cache", self.cache.into()),
            ("credentials", credentials.into()),
            ("redirect", "error".into()),
            ("referrerPolicy", "no-referrer".into()),
        ]);
        // Sent by hand: gloo's own `send` panics on what a page's patched `fetch` may answer.
        let response = window().fetch_with_str_and_init(self.url, options.unchecked_ref());
        let to_gateway = self.gateway.is_some();
        Ok(Sent { to: self.to, to_gateway, deadline, response: no_orphan(&response) })
    }
}

impl Sent {
    /// Reads the whole answer.
    ///
    /// # Errors
    /// `network`, `timeout`, `provider_response_invalid` where the answer is too large, and what the gateway says of its
    /// own.
    pub async fn answer(self) -> Result<Answer, Error> {
        let Self { to, to_gateway, deadline, response } = self;
        let failed = |cause| {
            if deadline.aborted() {
                Error::about(to, ErrorCode::Timeout, " did not answer in time (`timeout`)")
            } else {
                unreachable(to, cause)
            }
        };
        let settled = Array::from(&wait(response).await.map_err(failed)?).get(0);
        let response: Result<Response, _> = get(&settled, "value").dyn_into();
        let response = response.map_err(|_| failed(get(&settled, "reason")))?;
        let headers = Headers::from_raw(response.headers());
        let age = headers.get("age");
        let time = headers.get("date").and_then(|date| clock::of_answer(&date, age.as_deref()));
        let mut answer = Answer { status: response.status(), body: Vec::new(), time };
        let reader = response.body().map(|stream| ReadableStreamDefaultReader::new(&stream));
        while let Some(reader) = &reader {
            let reader = reader.as_ref().map_err(|cause| failed(cause.clone()))?;
            let step = wait(reader.read()).await.map_err(failed)?;
            if get(&step, "done").is_truthy() {
                break;
            }
            let chunk: Uint8Array = get(&step, "value").dyn_into().map_err(failed)?;
            if answer.body.len().saturating_add(chunk.length() as usize) > MAX_BODY {
                // The rest is not wanted; how that ends is of no interest.
                let _ = no_orphan(&reader.cancel());
                let code = ErrorCode::ProviderResponseInvalid;
                return Err(Error::about(to, code, " answered with more than 1 MiB")
                    .with_status(answer.status));
            }
            answer.body.append(&mut chunk.to_vec());
        }
        match headers.get(gateway::ERROR_HEADER) {
            Some(named) if to_gateway => Err(gateway::refusal(&named, answer.status, &answer.body)),
            _ => Ok(answer),
        }
    }
}

fn unreachable(to: &'static str, cause: JsValue) -> Error {
    let message = " could not be reached: the network is down, or it refuses requests from browsers (CORS), \
                   answers with a redirect, or the page's Content Security Policy (connect-src) forbids it";
    Error::about(to, ErrorCode::Network, message).with_cause(cause)
}
