//! OAuth 2.0 and `OpenID` Connect as pure functions: no browser, clock, randomness or I/O. Times, in seconds since 1970,
//! and random bytes are arguments.

pub mod ascii;
pub mod authorization;
pub mod callback;
pub mod encoding;
pub mod form;
pub mod gateway;
pub mod id_token;
pub mod json;
pub mod jwks;
pub mod jws;
pub mod metadata;
pub mod pending;
pub mod pkce;
pub mod secret;

pub mod token;
pub mod url;
pub mod user;

/// The issuer of every `ClassLink` district.
pub const CLASSLINK_ISSUER: &str = "https://launchpad.classlink.com";
