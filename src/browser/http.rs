//! Requests: bounded in time and size, without referrer or redirects, and without cookies but to the gateway.

use gloo_net::http::Headers;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, ReadableStreamDefaultReader, Response};

use super::task::{await_promise, ignore_unhandled_rejection};
use super::{clock, get, navigation, object, window};
use crate::error::{Error, ErrorCode};
use crate::protocol::gateway;
use crate::protocol::secret::Secret;

/// The most that is read of an answer, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// A request to one endpoint.
pub struct Request<'a> {
    /// What the endpoint is called in messages, such as "the token endpoint".
    pub endpoint_name: &'static str,
    /// Its URL.
    pub url: &'a str,
    /// What is asked.
    pub kind: RequestKind<'a>,
    /// How it uses the browser's cache: a `RequestCache` of the Fetch Standard.
    pub cache: &'static str,
    /// Milliseconds until it is given up.
    pub timeout: u32,
    /// The support code, where the endpoint is the application's own gateway: it demands one, and gets cookies.
    pub support_code: Option<&'a str>,
}

/// What is asked of an endpoint.
#[derive(Clone, Copy)]
pub enum RequestKind<'a> {
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
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// When the server sent it, in seconds since 1970, where the page may see that.
    pub time: Option<f64>,
}

/// A request that is under way.
pub struct InFlightRequest {
    endpoint_name: &'static str,
    is_gateway: bool,
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
    pub async fn send(&self) -> Result<HttpResponse, Error> {
        self.start()?.response().await
    }

    /// Sends the request.
    ///
    /// # Errors
    /// `provider_response_invalid` where the access token can't be sent.
    pub fn start(&self) -> Result<InFlightRequest, Error> {
        let deadline = AbortSignal::timeout_with_u32(self.timeout);
        let headers = Headers::new();
        headers.set("accept", "application/json");
        let mut method = "GET";
        let mut body = JsValue::UNDEFINED;
        match self.kind {
            RequestKind::Get => {}
            RequestKind::Head => method = "HEAD",
            RequestKind::Post => method = "POST",
            RequestKind::Delete => method = "DELETE",
            RequestKind::GetWithBearer(token) => {
                // A token that is no header value (RFC 6750, 2.1) would make the platform throw.
                if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                    let message = "the access token can't be sent in a header (RFC 6750, 2.1)";
                    return Err(Error::new(ErrorCode::ProviderResponseInvalid, message));
                }
                headers.set("authorization", &["Bearer ", token.expose()].concat());
            }
            RequestKind::PostForm(form) => {
                method = "POST";
                headers.set("content-type", "application/x-www-form-urlencoded");
                body = form.expose().into();
            }
        }
        let mut credentials = "omit";
        if let Some(support_code) = self.support_code {
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
        // gloo's `send` would panic on what a page's patched `fetch` may return.
        let response = window().fetch_with_str_and_init(self.url, options.unchecked_ref());
        let is_gateway = self.support_code.is_some();
        Ok(InFlightRequest {
            endpoint_name: self.endpoint_name,
            is_gateway,
            deadline,
            response: ignore_unhandled_rejection(&response),
        })
    }
}

impl InFlightRequest {
    /// Reads the whole answer.
    ///
    /// # Errors
    /// `network`, `timeout`, `provider_response_invalid` where the answer is too large, and what the gateway says of its
    /// own.
    pub async fn response(self) -> Result<HttpResponse, Error> {
        let Self { endpoint_name, is_gateway, deadline, response } = self;
        let failed = |cause| {
            if deadline.aborted() {
                Error::with_subject(
                    endpoint_name,
                    ErrorCode::Timeout,
                    " did not answer in time (`timeout`)",
                )
            } else {
                network_error(endpoint_name, cause)
            }
        };
        let settled = Array::from(&await_promise(response).await.map_err(failed)?).get(0);
        let response: Result<Response, _> = get(&settled, "value").dyn_into();
        let response = response.map_err(|_| failed(get(&settled, "reason")))?;
        let headers = Headers::from_raw(response.headers());
        let age = headers.get("age");
        let time = headers.get("date").and_then(|date| clock::server_time(&date, age.as_deref()));
        let mut answer = HttpResponse { status: response.status(), body: Vec::new(), time };
        let reader = response.body().map(|stream| ReadableStreamDefaultReader::new(&stream));
        while let Some(reader) = &reader {
            let reader = reader.as_ref().map_err(|cause| failed(cause.clone()))?;
            let step = await_promise(reader.read()).await.map_err(failed)?;
            if get(&step, "done").is_truthy() {
                break;
            }
            let chunk: Uint8Array = get(&step, "value").dyn_into().map_err(failed)?;
            if answer.body.len().saturating_add(chunk.length() as usize) > MAX_BODY {
                // The rest is not wanted; how that ends is of no interest.
                let _ = ignore_unhandled_rejection(&reader.cancel());
                let code = ErrorCode::ProviderResponseInvalid;
                return Err(Error::with_subject(
                    endpoint_name,
                    code,
                    " answered with more than 1 MiB",
                )
                .with_status(answer.status));
            }
            answer.body.append(&mut chunk.to_vec());
        }
        match headers.get(gateway::ERROR_HEADER) {
            Some(named) if is_gateway => {
                Err(gateway::gateway_error(&named, answer.status, &answer.body))
            }
            _ => Ok(answer),
        }
    }
}

fn network_error(endpoint_name: &'static str, cause: JsValue) -> Error {
    let message = " could not be reached: the network is down, or it refuses requests from browsers (CORS), \
                   answers with a redirect, or the page's Content Security Policy (connect-src) forbids it";
    Error::with_subject(endpoint_name, ErrorCode::Network, message).with_cause(cause)
}
