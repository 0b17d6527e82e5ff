//! The server: connections in, responses out, until it is told to stop.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue, SET_COOKIE};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tracing::{error, info, warn};

use crate::gateway::Gateway;
use crate::request::{GatewayRequest, GatewayResponse};

/// How long what is under way may take once the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head of a request that is read.
const HEAD_LIMIT: usize = 64 * 1024;

/// Requests of one HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 100;

/// Serves a gateway until `stop` is ready, and finishes what is under way then.
pub async fn serve(gateway: Arc<Gateway>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_LIMIT)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(64 * 1024);
    let connections = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files: it passes.
                    warn!(kind = ?error.kind(), "A connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let gateway = gateway.clone();
        let address = peer.ip().to_string();
        let service = service_fn(move |request| handle(gateway.clone(), request, address.clone()));
        let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(connection);
    }
    drop(listener);
    info!("Stopping: finishing what is under way");
    if tokio::time::timeout(STOP_TIMEOUT, connections.shutdown()).await.is_err() {
        warn!("Stopped with requests under way");
    }
}

/// Handles one request. It goes on when the client leaves: a renewal or a sign-out is not cut off.
async fn handle(
    gateway: Arc<Gateway>,
    request: hyper::Request<Incoming>,
    address: String,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let request =
        GatewayRequest::new(head.method, &head.uri, head.headers, Some(address), &gateway.settings);
    let handled = tokio::spawn(async move { gateway.handle(request, body).await.1 });
    let response = handled.await.unwrap_or_else(|_| {
        error!("A request ended with a defect of the server");
        GatewayResponse::json(500, r#"{"error":"server_error"}"#)
            .with_header(crate::request::ERROR_HEADER, "internal")
    });
    Ok(write(response))
}

/// Writes a response.
fn write(response: GatewayResponse) -> hyper::Response<Full<Bytes>> {
    let mut written = hyper::Response::new(Full::default());
    *written.status_mut() = response.status.try_into().unwrap_or_default();
    let headers = written.headers_mut();
    headers.insert(DATE, value(&httpdate::fmt_http_date(SystemTime::now())));
    if response.body.is_some() {
        let kind = response.content_type.unwrap_or("application/json");
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, text) in response.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            headers.insert(name, value(&text));
        }
    }
    for line in response.cookies {
        headers.append(SET_COOKIE, value(&line));
    }
    if let Some(body) = response.body {
        *written.body_mut() = Full::from(body);
    }
    written
}

/// Returns a header's value; what cannot be one is left out.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
