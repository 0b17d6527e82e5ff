//! Makes the glue of the package's WebAssembly with wasm-bindgen's library: `Cargo.lock` pins it to the version of the
//! crate that the package uses, and there is nothing to install. The library's own command line would bring an HTTP
//! server and an HTTP client, and take three times as long to compile.
//!
//!     wasm-bindgen-runner <compiled.wasm> <folder>

use std::process::ExitCode;

use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [input, folder] = arguments.as_slice() else {
        eprintln!("wasm-bindgen-runner <compiled.wasm> <folder>");
        return ExitCode::FAILURE;
    };
    let mut bindgen = Bindgen::new();
    let made = bindgen.web(true).and_then(|bindgen| {
        bindgen
            .input_path(input)
            .typescript(true)
            // `index.js` and `inline.js` say where the WebAssembly is.
            .omit_default_module_path(true)
            // After a panic, the next call begins with a new instance.
            .reset_state_function(true)
            .encode_into(EncodeInto::Always)
            .remove_producers_section(true)
            .generate(folder)
    });
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-bindgen: {error:?}");
            ExitCode::FAILURE
        }
    }
}
