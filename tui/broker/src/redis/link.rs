//! The connection to Redis: made again whenever it is lost, and what its errors mean.

use crate::address::Address;
use crate::backoff::Backoff;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, ServerErrorKind, TlsCertificates,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use wb_core::error::{Error, ErrorKind as Kind};

/// How long connecting, or an answer, may take.
const ANSWER: Duration = Duration::from_secs(10);

/// A connection that comes back.
pub struct Link {
    address: Address,
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
    away: AtomicBool,
    notify: fn(&str),
}

/// Whether it may work later.
fn passes(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown,
        ) => true,
        _ => error.is_io_error() || error.is_timeout() || error.is_connection_dropped(),
    }
}

impl Link {
    /// Connects; a broker that is away is waited for this long.
    pub async fn connect(
        address: Address,
        patience: Duration,
        notify: fn(&str),
    ) -> Result<Self, Error> {
        let client = client(&address).await?;
        let link = Self {
            address,
            client,
            connection: Mutex::new(None),
            away: AtomicBool::new(false),
            notify,
        };
        let (start, mut backoff) = (Instant::now(), Backoff::default());
        loop {
            match link.open().await {
                Ok(connection) => {
                    *link.connection.lock().await = Some(connection);
                    link.away.store(false, Ordering::Relaxed);
                    return Ok(link);
                }
                Err(error) if passes(&error) => {
                    let wait = backoff.next();
                    let why = error.to_string();
                    if start.elapsed() + wait > patience {
                        return Err(link.address.away(&why));
                    }
                    if !link.away.swap(true, Ordering::Relaxed) {
                        notify(&link.address.waiting(patience, &why));
                    }
                    tokio::time::sleep(wait).await;
                }
                Err(error) => return Err(link.refused("the login", &error)),
            }
        }
    }

    async fn open(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER));
        let client = &self.client;
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        redis::cmd("PING").exec_async(&mut connection).await?;
        Ok(connection)
    }

    fn refused(&self, what: &str, error: &RedisError) -> Error {
        let text = error.to_string();
        let login = error.kind() == ErrorKind::AuthenticationFailed
            || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
        match login {
            true => self.address.not_allowed(&text),
            false => self.address.refused(what, &text),
        }
    }

    /// There is no such queue.
    pub fn no_queue(&self, queue: &str) -> Error {
        self.address.no_queue(queue)
    }

    /// Performs work, and again on a new connection whenever it is lost meanwhile.
    pub async fn run<T, F>(
        &self,
        what: &str,
        work: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, RedisError>> + Send,
    {
        let mut backoff = Backoff::default();
        loop {
            let connection = self.connection.lock().await.clone();
            let result = match connection {
                Some(connection) => work(connection).await,
                None => match self.open().await {
                    Ok(connection) => {
                        *self.connection.lock().await = Some(connection);
                        continue;
                    }
                    Err(error) => Err(error),
                },
            };
            match result {
                Ok(done) => {
                    if self.away.swap(false, Ordering::Relaxed) {
                        (self.notify)(&format!("{} is back", self.address));
                    }
                    return Ok(done);
                }
                Err(error) if passes(&error) => {
                    *self.connection.lock().await = None;
                    let why = self.address.clean(&error.to_string());
                    if !self.away.swap(true, Ordering::Relaxed) {
                        (self.notify)(&format!("{} is away; waiting for it ({why})", self.address));
                    }
                    tokio::time::sleep(backoff.next()).await;
                }
                Err(error) => return Err(self.refused(what, &error)),
            }
        }
    }
}

async fn client(address: &Address) -> Result<Client, Error> {
    let wrong = |error: &RedisError| {
        let text = format!("{address} cannot be used");
        Error::new(Kind::Settings, text).because(address.clean(&error.to_string()))
    };
    let mut url = address.url().clone();
    // Celery's parameters are not the library's.
    url.set_query(None);
    let Some(file) = address.parameter("ssl_ca_certs") else {
        return Client::open(url).map_err(|error| wrong(&error));
    };
    let read = tokio::fs::read(&file).await;
    let root_cert = read
        .map_err(|error| Error::new(Kind::Settings, format!("{file} cannot be read: {error}")))?;
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: Some(root_cert),
    };
    Client::build_with_tls(url, certificates).map_err(|error| wrong(&error))
}
