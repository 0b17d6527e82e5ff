//! The command `classlink-gateway`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use tracing::info;

use crate::config::{self, Environment, Settings};
use crate::crypto;
use crate::gateway::Gateway;
use crate::log::LogWriter;
use crate::server;

/// The gateway of classlink-spa: sign-in with ClassLink and sessions for every back end.
#[derive(Parser)]
#[command(name = "classlink-gateway", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM or SIGINT, and finishes what is under way then.
    Serve {
        #[command(flatten)]
        source: Source,
        /// Binds no session to a device, whatever the configuration says.
        #[arg(long)]
        no_device_bound: bool,
    },
    /// Says what is wrong with a configuration, and asks the provider and the store unless told not to.
    Check {
        #[command(flatten)]
        source: Source,
        /// Sends no request to the provider and the store.
        #[arg(long)]
        offline: bool,
    },
    /// Prints a new sealing key.
    Keygen,
    /// Prints a new key for assertions: P-256, PEM (PKCS #8).
    AssertionKey,
    /// Asks a running server's /health, for a container's health check.
    Health {
        #[command(flatten)]
        source: Source,
    },
}

#[derive(clap::Args)]
struct Source {
    /// The configuration: TOML, or JSON if the name ends in .json. Environment variables win.
    #[arg(long, env = "CLASSLINK_GATEWAY_CONFIG")]
    config: Option<PathBuf>,
}

impl Source {
    fn read(&self) -> Result<Settings, String> {
        let options = config::load(self.config.as_deref(), &Environment::of_process());
        options.and_then(|options| config::read(&options)).map_err(|error| error.to_string())
    }
}

/// Runs the command. Messages go to standard error, log entries to standard output.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    let done = match arguments.command {
        Command::Serve { source, no_device_bound } => source.read().and_then(|mut settings| {
            settings.device_bound &= !no_device_bound;
            runtime()?.block_on(serve(settings))
        }),
        Command::Check { source, offline } => {
            source.read().and_then(|settings| runtime()?.block_on(check(settings, offline)))
        }
        Command::Keygen => print_sealing_key(),
        Command::AssertionKey => print_assertion_key(),
        Command::Health { source } => {
            source.read().and_then(|settings| runtime()?.block_on(health(&settings)))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().map_err(|error| error.to_string())
}

async fn serve(settings: Settings) -> Result<(), String> {
    let address = settings.listen;
    let (log, guard) = LogWriter::to_stdout();
    let gateway = Gateway::new(settings, log)?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("listen: {address} is not available: {}", error.kind()))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let stop = signal()?;
    info!("Listening on http://{address}{}", gateway.settings.base_path);
    server::serve(gateway, listener, stop).await;
    // Writes what is left of the log.
    drop(guard);
    Ok(())
}

/// Is ready at SIGTERM or SIGINT.
fn signal() -> Result<impl Future<Output = ()>, String> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| error.to_string());
        let (mut terminate, mut interrupt) =
            (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}

async fn check(settings: Settings, is_offline: bool) -> Result<(), String> {
    println!("The configuration is valid: {} registration(s).", settings.clients().len());
    if is_offline {
        return Ok(());
    }
    let (log, _guard) = LogWriter::to_stdout();
    let gateway = Gateway::new(settings, log)?;
    let mut problems = Vec::new();
    match gateway.provider.metadata().await {
        Ok(_) => println!("The provider's metadata is known."),
        Err(refused) => problems.push(describe("The provider's metadata", &refused)),
    }
    match gateway.provider.keys().await {
        Ok(_) => println!("The provider's key set can be read."),
        Err(refused) => problems.push(describe("The provider's key set", &refused)),
    }
    if let Some(store) = &gateway.store {
        match store.get("ping").await {
            Ok(_) => println!("The store answers."),
            Err(_) => problems.push("The store does not answer.".to_owned()),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn describe(what: &str, refused: &crate::failure::Refused) -> String {
    let code = refused.code().map_or("provider_refused", crate::failure::Code::as_str);
    format!("{what} cannot be read: {code}.")
}

fn print_sealing_key() -> Result<(), String> {
    let key = crypto::random::<32>().ok_or("The system has no random numbers.")?;
    println!("{}", STANDARD.encode(key));
    Ok(())
}

fn print_assertion_key() -> Result<(), String> {
    let pem = crate::assertion::new_key().ok_or("The system has no random numbers.")?;
    println!("{pem}");
    Ok(())
}

async fn health(settings: &Settings) -> Result<(), String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let asked = async {
        let mut address = settings.listen;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        let path = &settings.base_path;
        let request =
            format!("GET {path}/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut response = Vec::new();
        stream.take(1024).read_to_end(&mut response).await?;
        std::io::Result::Ok(response.starts_with(b"HTTP/1.1 200 "))
    };
    match tokio::time::timeout(Duration::from_secs(5), asked).await {
        Ok(Ok(true)) => Ok(()),
        _ => Err("The server is not healthy.".to_owned()),
    }
}
