//! The platform's generator (`crypto.getRandomValues`).

use crate::error::{Error, ErrorCode};

/// Returns cryptographically secure random bytes.
///
/// # Errors
/// `environment_unsupported`.
pub fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| {
        let message = "the platform has no random generator (crypto.getRandomValues)";
        Error::new(ErrorCode::EnvironmentUnsupported, message)
    })?;
    Ok(bytes)
}
