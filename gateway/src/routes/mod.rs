//! The handlers, one module for each path.

pub mod backchannel;
pub mod device;
pub mod operations;
pub mod proxy;
pub mod session;
pub mod token;
pub mod verify;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use crate::failure::{Code, Refused};
use crate::request::{GatewayRequest, Parameters};

/// A code, a verifier and three identifiers take far less.
const BODY_LIMIT: usize = 8 * 1024;

/// Reads the form of a request.
///
/// # Errors
/// `unsupported_media_type`, `body_too_large`, or `request_invalid` for one that is not whole in time.
async fn read_form(
    request: &GatewayRequest,
    body: Incoming,
    timeout_ms: u64,
) -> Result<Parameters, Refused> {
    let content_type = request.header("content-type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim_end();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Code::UnsupportedMediaType.into());
    }
    let whole = Limited::new(body, BODY_LIMIT).collect();
    let bytes = match tokio::time::timeout(Duration::from_millis(timeout_ms), whole).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(Code::BodyTooLarge.into());
        }
        _ => return Err(Code::RequestInvalid.into()),
    };
    Ok(parse_form(&bytes))
}

/// Reads a form; one that is not UTF-8 has no parameters.
#[must_use]
pub fn parse_form(bytes: &Bytes) -> Parameters {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    Parameters::of_form(std::str::from_utf8(bytes).unwrap_or_default())
}
