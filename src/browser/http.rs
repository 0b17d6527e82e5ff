//! Requests: bounded in time and size, without cookies, referrer or redirects.

use gloo_net::http::{Headers, RequestBuilder, Response};
use js_sys::{Array, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, ReferrerPolicy, RequestCache, RequestCredentials,
    RequestRedirect,
};

use super::{clock, window};
use crate::error::{Error, ErrorCode};
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
    /// How it uses the browser's cache.
    pub cache: RequestCache,
    /// Milliseconds until it is given up.
    pub timeout: i32,
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

impl Request<'_> {
    /// Sends the request and reads the whole answer.
    ///
    /// # Errors
    /// `network`, `timeout`, or `provider_response_invalid` where the answer is too large.
    pub async fn send(&self) -> Result<Answer, Error> {
        let abort = AbortController::new().map_err(|cause| self.unreachable(cause))?;
        let deadline = Deadline::new(self.timeout);
        let answer = self.exchange(&abort, &deadline).await;
        if answer.is_err() {
            abort.abort();
        }
        answer
    }

    async fn exchange(
        &self,
        abort: &AbortController,
        deadline: &Deadline,
    ) -> Result<Answer, Error> {
        let request = self.build(abort)?;
        let fetched = window().fetch_with_request(&request);
        let fetched = self.before(deadline, fetched).await?;
        let response: web_sys::Response =
            fetched.dyn_into().map_err(|other| self.unreachable(other))?;
        let response = Response::from(response);
        let body = self.read(&response, deadline).await?;
        let headers = response.headers();
        let time = headers
            .get("date")
            .and_then(|date| clock::of_answer(&date, headers.get("age").as_deref()));
        Ok(Answer { status: response.status(), body, time })
    }

    fn build(&self, abort: &AbortController) -> Result<web_sys::Request, Error> {
        let headers = Headers::new();
        headers.set("accept", "application/json");
        if let Kind::GetWithBearer(token) = self.kind {
            // A token that is no header value (RFC 6750, 2.1) would make the platform throw.
            if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                let message = "the access token can't be sent in a header (RFC 6750, 2.1)";
                return Err(Error::new(ErrorCode::ProviderResponseInvalid, message));
            }
            headers.set("authorization", &["Bearer ", token.expose()].concat());
        }
        let builder = RequestBuilder::new(self.url)
            .headers(headers)
            .cache(self.cache)
            .credentials(RequestCredentials::Omit)
            .redirect(RequestRedirect::Error)
            .referrer_policy(ReferrerPolicy::NoReferrer)
            .abort_signal(Some(&abort.signal()));
        let built = match self.kind {
            Kind::Get | Kind::GetWithBearer(_) => builder.build(),
            Kind::Head => builder.method(gloo_net::http::Method::HEAD).build(),
            Kind::PostForm(form) => builder
                .method(gloo_net::http::Method::POST)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.expose()),
        };
        // Sent by hand: gloo's own `send` panics on what a page's patched `fetch` may answer.
        let request = built.map_err(|_| self.unreachable(JsValue::UNDEFINED))?;
        Ok(request.into())
    }

    async fn read(&self, response: &Response, deadline: &Deadline) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        let Some(stream) = response.body() else {
            return Ok(body);
        };
        let reader =
            ReadableStreamDefaultReader::new(&stream).map_err(|cause| self.unreachable(cause))?;
        loop {
            let step = self.before(deadline, reader.read()).await?;
            let member = |name: &str| Reflect::get(&step, &name.into()).unwrap_or_default();
            if member("done").is_truthy() {
                return Ok(body);
            }
            let chunk: Uint8Array =
                member("value").dyn_into().map_err(|other| self.unreachable(other))?;
            if body.len().saturating_add(chunk.length() as usize) > MAX_BODY {
                let code = ErrorCode::ProviderResponseInvalid;
                return Err(Error::about(self.to, code, " answered with more than 1 MiB")
                    .with_status(response.status()));
            }
            body.extend(chunk.to_vec());
        }
    }

    /// Waits for a step, but no longer than the deadline.
    async fn before(&self, deadline: &Deadline, step: Promise) -> Result<JsValue, Error> {
        let first = Promise::race(&Array::of2(&step, &deadline.passed));
        let value = JsFuture::from(first).await.map_err(|cause| self.unreachable(cause))?;
        if value.is_undefined() {
            let message = " did not answer in time (`timeout`)";
            return Err(Error::about(self.to, ErrorCode::Timeout, message));
        }
        Ok(value)
    }

    fn unreachable(&self, cause: JsValue) -> Error {
        let message = " could not be reached: the network is down, or it refuses requests from browsers (CORS), \
                       answers with a redirect, or the page's Content Security Policy (connect-src) forbids it";
        Error::about(self.to, ErrorCode::Network, message).with_cause(cause)
    }
}

/// A timer that ends with its owner.
struct Deadline {
    /// Resolves, with nothing, when the time has passed.
    passed: Promise,
    timer: Option<i32>,
}

impl Deadline {
    fn new(milliseconds: i32) -> Self {
        let mut timer = None;
        let passed = Promise::new(&mut |resolve, _| {
            let started = window()
                .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
            timer = started.ok();
        });
        Self { passed, timer }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            window().clear_timeout_with_handle(timer);
        }
    }
}
