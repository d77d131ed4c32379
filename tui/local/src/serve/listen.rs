//! Accepts connections until shutdown, then lets the requests in progress finish.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::plain::Plain;
use crate::app::SharedApp;
use crate::routes::{self, DropConnection};

/// How long requests in progress may take after shutdown is requested.
const GRACE: Duration = Duration::from_secs(5);
/// Maximum size of request line and headers: a batch of 1000 data hashes fits.
const HEAD_LIMIT: usize = 512 << 10;

pub(super) async fn listen(listener: TcpListener, app: SharedApp, mut stop: watch::Receiver<bool>) {
    let service = TowerToHyperService::new(routes::router(Arc::clone(&app)));
    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            _ = stop.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Mostly out of file handles; others will be closed.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
        };
        app.counters.connection();
        connection(stream, service.clone(), &graceful);
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were still in progress when the server stopped");
    }
}

fn connection(
    stream: TcpStream,
    service: TowerToHyperService<axum::Router>,
    graceful: &GracefulShutdown,
) {
    let _ = stream.set_nodelay(true);
    let answer =
        hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let service = service.clone();
            async move {
                let response = hyper::service::Service::call(&service, request)
                    .await
                    .unwrap_or_else(|never| match never {});
                if response.extensions().get::<DropConnection>().is_some() {
                    return Err(std::io::Error::new(
                        std::io::ErrorKind::ConnectionAborted,
                        "an injected fault",
                    ));
                }
                Ok(response)
            }
        });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(Plain::new(stream)), answer);
    let serving = graceful.watch(serving);
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
