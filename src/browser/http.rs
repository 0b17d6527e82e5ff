//! `fetch`, bounded in time and size, without referrer and redirects, and without cookies except to the gateway.

use gloo_net::http::Headers;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, AbortSignal, ReadableStreamDefaultReader, Response};

use super::task::{await_promise, ignore_unhandled_rejection};
use super::{clock, get, navigation, object, window};
use crate::error::{Error, ErrorCode};
use crate::protocol::gateway;
use crate::protocol::secret::Secret;

/// The largest response body that is read.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A request to one endpoint.
pub struct Request<'a> {
    /// The endpoint's name in error messages, such as "the token endpoint".
    pub endpoint_name: &'static str,
    /// Its URL.
    pub url: &'a str,
    /// The method, credentials and body.
    pub kind: RequestKind<'a>,
    /// How it uses the browser's cache: a `RequestCache` value of the Fetch Standard.
    pub cache: &'static str,
    /// The support code, if the endpoint is the application's gateway, which requires one and receives cookies.
    pub support_code: Option<&'a str>,
    /// Aborts at the timeout, or when the operation is cancelled.
    pub deadline: AbortSignal,
    /// Aborted when the request has ended.
    pub ended: AbortController,
}

/// An access token that can be sent in a header.
#[derive(Clone, Copy)]
pub struct Bearer<'a>(&'a Secret);

impl<'a> Bearer<'a> {
    /// Checks that a token is a header's value (RFC 6750, 2.1): the platform throws on any other.
    ///
    /// # Errors
    /// `provider_response_invalid`.
    pub fn new(token: &'a Secret) -> Result<Self, Error> {
        if token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(token));
        }
        let message = "the access token cannot be sent in a header (RFC 6750, 2.1)";
        Err(Error::new(ErrorCode::ProviderResponseInvalid, message))
    }
}

/// The method of a request, with its credentials or body.
#[derive(Clone, Copy)]
pub enum RequestKind<'a> {
    /// `GET`.
    Get,
    /// `GET` with an access token (RFC 6750, 2.1).
    GetWithBearer(Bearer<'a>),
    /// `POST` of a form.
    PostForm(&'a Secret),
    /// `POST` without a body: the gateway's session, renewed if it must be.
    Post,
    /// `DELETE`: ends the gateway's session.
    Delete,
    /// `HEAD`: the response's headers alone.
    Head,
}

/// A response of any status, read whole.
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// When the server sent it, in seconds since 1970; `None` if the page may not read `Date` (CORS).
    pub time: Option<f64>,
}

/// A request that was sent and whose response has not been read. One pointer, since operations pass it on.
pub struct InFlightRequest(Box<InFlight>);

/// Creates an `AbortController`, whose constructor throws in no browser.
#[must_use]
pub fn abort_controller() -> AbortController {
    AbortController::new().unwrap_or_else(JsCast::unchecked_into)
}

/// Removes the listeners of a request's deadline when the request has ended. It does not abort the request: other scripts
/// may read a copy of the response.
struct Ended(AbortController);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct InFlight {
    endpoint_name: &'static str,
    is_gateway: bool,
    /// Aborts at the timeout or when the request is cancelled, and with it the rest of the response.
    deadline: AbortSignal,
    /// Dropped at the end.
    ended: Ended,
    /// Settles to the response.
    response: Promise,
}

impl Request<'_> {
    /// Sends the request.
    #[must_use]
    pub fn start(self) -> InFlightRequest {
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
                headers.set("authorization", &["Bearer ", token.0.expose()].concat());
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
            ("signal", self.deadline.clone().into()),
            ("cache", self.cache.into()),
            ("credentials", credentials.into()),
            ("redirect", "error".into()),
            ("referrerPolicy", "no-referrer".into()),
        ]);
        // gloo's `send` would panic on what a page's patched `fetch` may return.
        let response = window().fetch_with_str_and_init(self.url, options.unchecked_ref());
        let is_gateway = self.support_code.is_some();
        InFlightRequest(Box::new(InFlight {
            endpoint_name: self.endpoint_name,
            is_gateway,
            deadline: self.deadline,
            ended: Ended(self.ended),
            response: ignore_unhandled_rejection(&response),
        }))
    }
}

impl InFlightRequest {
    /// Reads the whole response.
    ///
    /// # Errors
    /// `network`, `timeout`, `provider_response_invalid` if the response is too large, and the gateway's own errors.
    pub async fn response(self) -> Result<Box<HttpResponse>, Error> {
        let InFlight { endpoint_name, is_gateway, deadline, ended: _ended, response } = *self.0;
        let failed = |cause| {
            if deadline.aborted() {
                Error::with_subject(
                    endpoint_name,
                    ErrorCode::Timeout,
                    " did not respond in time (`timeout`)",
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
        let mut answer =
            Box::new(HttpResponse { status: response.status(), body: Vec::new(), time });
        let reader = response.body().map(|stream| ReadableStreamDefaultReader::new(&stream));
        while let Some(reader) = &reader {
            let reader = reader.as_ref().map_err(|cause| failed(cause.clone()))?;
            let step = await_promise(reader.read()).await.map_err(failed)?;
            if get(&step, "done").is_truthy() {
                break;
            }
            let chunk: Uint8Array = get(&step, "value").dyn_into().map_err(failed)?;
            if answer.body.len().saturating_add(chunk.length() as usize) > MAX_BODY_BYTES {
                // The rest is not read, and a failure to cancel it changes nothing.
                let _ = ignore_unhandled_rejection(&reader.cancel());
                let code = ErrorCode::ProviderResponseInvalid;
                return Err(Error::with_subject(endpoint_name, code, " returned more than 1 MiB")
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
                   redirects, or the page's Content Security Policy (connect-src) forbids it";
    Error::with_subject(endpoint_name, ErrorCode::Network, message).with_cause(cause)
}
