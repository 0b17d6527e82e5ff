//! The command `classlink-gateway`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use tracing::info;

use crate::client_auth::authenticate;
use crate::config::{self, Client, Environment, Settings, StoreSettings};
use crate::crypto;
use crate::failure::{Code, Refused};
use crate::gateway::Gateway;
use crate::log::LogWriter;
use crate::metadata::Metadata;
use crate::metrics::Metrics;
use crate::server;
use crate::store::Store;
use crate::upstream::Endpoint;

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
    /// Ends a session, or all that a user has, on every instance that shares the store. The user may sign in again.
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

/// Whose sessions end.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct RevokeTarget {
    /// A session's id: the `sid` of an assertion, or the `session_id` of a token response.
    #[arg(long)]
    session_id: Option<String>,
    /// A user's id: `user.id`, which `X-ClassLink-User` has percent-encoded.
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
    let mut problems = Vec::new();
    let metadata = gateway.provider.metadata().await;
    match &metadata {
        Ok(_) => println!("The provider's metadata is known."),
        Err(refused) => problems.push(describe("The provider's metadata", refused)),
    }
    match gateway.provider.keys().await {
        Ok(_) => println!("The provider's key set can be read."),
        Err(refused) => problems.push(describe("The provider's key set", &refused)),
    }
    if let Ok(metadata) = metadata {
        for (index, client) in gateway.settings.clients().iter().enumerate() {
            match check_client(&gateway, client, &metadata).await {
                Ok(verdict) => println!("clients[{index}]: {verdict}"),
                Err(problem) => problems.push(format!("clients[{index}]: {problem}")),
            }
        }
    }
    if let Some(store) = &gateway.store {
        match store.get("ping").await {
            Ok(_) => println!("The store answers."),
            Err(_) => problems.push("The store does not answer.".to_owned()),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// Tries a code that no provider has issued: which error comes says whether client id and secret are right.
async fn check_client(
    gateway: &Gateway,
    client: &Client,
    metadata: &Metadata,
) -> Result<&'static str, String> {
    let url = metadata.token.as_deref().ok_or("The token endpoint is not known.")?;
    let random = || crypto::random::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    let (code, verifier) = random().zip(random()).ok_or("The system has no random numbers.")?;
    let redirect_uri = client.redirect_uris.first().map_or("", String::as_str);
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier.as_str()),
    ];
    let describe = |refused| describe("The token endpoint", &refused);
    let (authorization, form) = authenticate(client, metadata, &fields).map_err(describe)?;
    let asked = gateway.upstream.post(Endpoint::Token, url, authorization.as_deref(), form).await;
    let answer = asked.map_err(describe)?;
    let body = answer.json();
    match (body.as_ref().and_then(|body| body.get_str("error")), answer.status) {
        (Some("invalid_grant"), _) => Ok("The provider knows the client id and its secret."),
        (Some("invalid_client" | "unauthorized_client"), _) | (_, 401) => Err(
            "The provider refuses the client id or its secret: copy both again from its portal, for this environment."
                .to_owned(),
        ),
        _ => Ok("The token endpoint neither confirms nor refuses the client: sign in once, and look at the log."),
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
            let mark = crypto::random::<16>().ok_or("The system has no random numbers.")?;
            let id = id.as_deref().unwrap_or_default();
            store.revoke_user(id, &URL_SAFE_NO_PAD.encode(mark)).await
        }
    };
    revoked.map_err(|_| "The store does not answer: nothing is revoked.".to_owned())?;
    println!("Revoked, on every instance from the next request on.");
    Ok(())
}

fn describe(what: &str, refused: &Refused) -> String {
    let code = refused.code().map_or("provider_refused", Code::as_str);
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
