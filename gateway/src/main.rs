//! The native gateway server of `classlink-spa`: see `docs/gateway-native.md`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    classlink_gateway::cli::run()
}
