//! ID tokens, verified in full by the code that the browser runs (`classlink_spa::protocol::id_token`), with keys that the
//! provider's cache has or fetches.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use classlink_spa::error::Reason;
use classlink_spa::protocol::id_token::{
    ExpectedClaims, IssuedFor, SignatureVerifiedIdToken, TimeContext, VerifiedIdToken,
};
use classlink_spa::protocol::json::Object;
use classlink_spa::protocol::jwks::KeySet;
use classlink_spa::protocol::jws::Jws;
use classlink_spa::protocol::secret::Secret;

use crate::crypto::Native;
use crate::failure::{Code, Refused};

/// Seconds by which the provider's clock and this server's may differ.
pub const CLOCK_TOLERANCE_SECS: f64 = 60.0;

/// The largest ID token that is read, in bytes, as `classlink_spa::protocol::jws` has it.
const TOKEN_LIMIT: usize = 6 * 1024;

/// The facts against which an ID token is verified.
pub struct Expectations<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The registration's client id.
    pub client_id: &'a str,
    /// The access token that came beside the ID token, for `at_hash`.
    pub access_token: &'a Secret,
    /// The login's nonce.
    pub nonce: &'a str,
    /// The claims of the token that this one renews (`OpenID` Connect Core 1.0, 12.2).
    pub renews: Option<&'a Object>,
}

/// Returns the output of a future that is ready at once, as all of the verification is: cryptography is at hand.
fn now_or_never<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// An ID token that was taken apart, whose signature is not checked.
pub struct UnverifiedIdToken(Box<Jws>);

/// An ID token that no key at hand verifies.
pub struct NotVerified {
    /// The token, to be tried with other keys.
    pub token: UnverifiedIdToken,
    /// Why not.
    pub reason: Reason,
}

impl UnverifiedIdToken {
    /// Takes a token apart. `advertised` are the provider's algorithms, separated by spaces.
    ///
    /// # Errors
    /// `id_token_invalid`.
    pub fn parse(token: &str, advertised: &str) -> Result<Self, Refused> {
        let size = token.chars().count();
        Jws::parse(token, advertised).map(Self).map_err(|reason| {
            let refused = Refused::id_token(reason.as_str());
            if token.len() <= TOKEN_LIMIT {
                return refused;
            }
            refused.with_description(format!(
                "The ID token has {size} characters, more than the {TOKEN_LIMIT} that are read: ask for fewer scopes or claims."
            ))
        })
    }

    /// Checks the signature with these keys. `None` would be a defect: cryptography that waits.
    ///
    /// # Errors
    /// [`NotVerified`].
    #[must_use]
    pub fn authenticate(self, keys: &KeySet) -> Option<Result<Authentic, NotVerified>> {
        let subject = self.0.claims.get_non_empty_str("sub");
        let has_subject = subject.is_some_and(|subject| subject.chars().count() <= 255);
        Some(match now_or_never(SignatureVerifiedIdToken::verify(self.0, keys, &Native))? {
            Ok(token) => Ok(Authentic { token, has_subject }),
            Err((reason, jws)) => Err(NotVerified { token: Self(jws), reason }),
        })
    }
}

/// An ID token whose signature is the provider's.
pub struct Authentic {
    token: SignatureVerifiedIdToken,
    has_subject: bool,
}

impl Authentic {
    /// Returns its claims, of which only the signature was checked.
    #[must_use]
    pub fn into_claims(self) -> Object {
        self.token.into_claims()
    }

    /// Checks the claims. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// `id_token_invalid` with its reason; `user_mismatch` if a renewed token has another subject.
    pub fn check(self, expected: &Expectations<'_>, now: i64) -> Result<VerifiedIdToken, Refused> {
        let issued_for = match expected.renews {
            Some(claims) => IssuedFor::Sealed(claims, expected.nonce),
            None => IssuedFor::Login(expected.nonce),
        };
        let is_renewal = expected.renews.is_some();
        let expected = ExpectedClaims {
            issuer: expected.issuer,
            client_id: expected.client_id,
            issued_for,
            access_token: expected.access_token,
        };
        let refuse = |reason: Reason| match reason {
            Reason::Subject if is_renewal && self.has_subject => Refused::from(Code::UserMismatch),
            reason => Refused::id_token(reason.as_str()),
        };
        let checked = now_or_never(self.token.validate_claims(&expected, &Native));
        let checked = checked.ok_or(Code::Internal)?.map_err(refuse)?;
        // Exact: seconds since 1970 have fewer than 53 bits.
        #[expect(clippy::cast_precision_loss, reason = "exact")]
        let clock = TimeContext { now: now as f64, tolerance: CLOCK_TOLERANCE_SECS, max_age: None };
        checked.validate_times(clock).map_err(|untimely| refuse(untimely.reason))
    }
}
