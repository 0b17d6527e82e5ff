//! The command `classlink-gateway`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use tracing::info;

use crate::check::{Status, check_deployment};
use crate::config::{self, Environment, Settings, StoreSettings};
use crate::crypto;
use crate::gateway::Gateway;
use crate::log::LogWriter;
use crate::metrics::Metrics;
use crate::server;
use crate::store::Store;

/// The gateway of classlink-spa: sign-in with ClassLink and sessions for every back end.
#[derive(Parser)]
#[command(name = "classlink-gateway", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM or SIGINT, and finishes the requests that are under way then.
    Serve {
        #[command(flatten)]
        source: Source,
        /// Binds no session to a device, even if the configuration sets `deviceBound`.
        #[arg(long)]
        no_device_bound: bool,
    },
    /// Checks a configuration, then the provider's endpoints and the store by requests.
    Check {
        #[command(flatten)]
        source: Source,
        /// Sends no request to the provider and the store.
        #[arg(long)]
        offline: bool,
    },
    /// Ends a session, or all sessions of a user, on every instance that shares the store. The user may sign in again.
    Revoke {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        target: RevokeTarget,
    },
    /// Prints a new sealing key.
    Keygen,
    /// Prints a new key for assertions: P-256, PEM (PKCS #8).
    AssertionKey,
    /// Requests /health of a running server, for a container's health check.
    Health {
        #[command(flatten)]
        source: Source,
    },
}

#[derive(clap::Args)]
struct Source {
    /// The configuration: TOML, or JSON if the name ends in .json. Environment variables override it.
    #[arg(long, env = "CLASSLINK_GATEWAY_CONFIG")]
    config: Option<PathBuf>,
}

/// Whose sessions end.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct RevokeTarget {
    /// A session's id: the `sid` of an assertion, or the `session_id` of a token response.
    #[arg(long)]
    session_id: Option<String>,
    /// A user's id: `user.id`, which is percent-encoded in `X-ClassLink-User`.
    #[arg(long)]
    user_id: Option<String>,
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
        Command::Revoke { source, target } => {
            source.read().and_then(|settings| runtime()?.block_on(revoke(&settings, &target)))
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
    let checks = check_deployment(&gateway).await;
    for check in &checks {
        println!("{check}");
    }
    match checks.iter().filter(|check| check.status == Status::Problem).count() {
        0 => Ok(()),
        count => Err(format!("The check found {count} problem(s).")),
    }
}

async fn revoke(settings: &Settings, target: &RevokeTarget) -> Result<(), String> {
    if !matches!(settings.store, StoreSettings::Redis { .. }) {
        return Err("store: needed to revoke sessions, shared by all instances (Redis)".to_owned());
    }
    let metrics = Metrics::new().map_err(|error| error.to_string())?;
    let store = Store::new(settings, metrics)?.ok_or("store: missing")?;
    let revoked = match (&target.session_id, &target.user_id) {
        (Some(id), _) => store.revoke_session(id).await,
        (None, id) => {
            let mark = crypto::random_text::<16>().ok_or("The system has no random numbers.")?;
            let id = id.as_deref().unwrap_or_default();
            store.revoke_user(id, &mark).await
        }
    };
    revoked.map_err(|_| "The store cannot be reached: nothing was revoked.".to_owned())?;
    println!("Revoked, on every instance from the next request on.");
    Ok(())
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
