//! The gateway of `classlink-spa` as a native server: the same contract as the package's handler (`docs/gateway.md`), for
//! back ends in any language.
//!
//! The modules that decide are pure and have no I/O: [`config`], [`cookies`], [`csrf`], [`device`], [`failure`], [`id_token`],
//! [`limits`], [`metadata`], [`request`], [`seal`], [`sealed_form`], [`secure_url`] and [`session`], over the crate that the
//! browser runs (`classlink_spa::protocol`). Around it: [`upstream`], [`provider`], [`renewal`] and [`store`] ask others, [`routes`]
//! answer the paths, [`gateway`] joins them, and [`server`] faces the network.

#![forbid(unsafe_code)]

pub mod assertion;
pub mod cache;
pub mod check;
pub mod cli;
pub mod client_auth;
pub mod clock;
pub mod config;
pub mod cookies;
pub mod crypto;
pub mod csrf;
pub mod device;
pub mod failure;
pub mod gateway;
pub mod id_token;
pub mod limits;
pub mod log;
pub mod metadata;
pub mod metrics;
pub mod provider;
pub mod renewal;
pub mod request;
pub mod routes;
pub mod seal;
pub mod sealed_form;
pub mod secure_url;
pub mod server;
pub mod session;
pub mod store;
pub mod upstream;
#[cfg(test)]
mod vectors;
