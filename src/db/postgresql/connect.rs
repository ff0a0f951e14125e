//! How to reach a server, and what it means when that or a question fails.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::runtime::Runtime;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::{Failure, FailureKind, Options, without_password};
use super::Link;
use crate::base::{Error, Result};

/// The oldest PostgreSQL whose behaviour is known, as it numbers itself.
const VERSION_MIN: u32 = 14_00_00;

/// How long connecting may take, with the name, the certificate and the password, unless the URL has a
/// `connect_timeout`.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// How long the server may take for one statement, beside waiting for others, before it stops it.
const STATEMENT_TIME_MAX: Duration = Duration::from_secs(20);

/// How much later than that no answer is taken for a lost connection.
const ANSWER_TIME_MORE: Duration = Duration::from_secs(5);

/// After how long the server ends a transaction in which nothing happens.
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);

/// How the message of a name that exists already begins, in whatever language the server goes on.
pub(super) const DOUBLE: &str = "it exists already: ";

/// Where a server is and how it is spoken to.
pub(super) struct Server {
    config: Config,
    tls: MakeRustlsConnect,
    /// Its address for messages.
    place: String,
    /// How long a statement waits for other transactions.
    wait: Duration,
}

/// Why there is no connection.
pub(super) enum Refusal {
    /// The driver says so.
    Driver(tokio_postgres::Error),
    /// Nobody answered in time.
    Silence,
    /// It is not a server that can be used.
    Unfit(String),
}

impl Server {
    pub(super) fn new(url: &str, options: &Options) -> Result<Self> {
        let place = without_password(url);
        let (url, authority) = for_driver(url);
        let mut config: Config = url.parse().map_err(|error| {
            let message = format!("`{place}` is not the address of a PostgreSQL server: {}", chain(&error));
            Error::usage(message).hint("write `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`")
        })?;
        let local = |host: &Host| match host {
            Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
            #[cfg(unix)]
            Host::Unix(_) => true,
        };
        if !url.contains("sslmode=") && config.get_hosts().iter().all(local) {
            config.ssl_mode(SslMode::Disable);
        }
        if config.get_application_name().is_none() {
            config.application_name("aisle");
        }
        // A server that only copies another one takes no writes.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIME_MAX);
        }
        config.tcp_user_timeout(STATEMENT_TIME_MAX);
        config.keepalives_idle(STATEMENT_TIME_MAX);
        let wait = Duration::from_nanos(u64::try_from(options.wait_span_max.as_nanos()).unwrap_or(0));
        Ok(Server { config, tls: tls(authority.as_deref())?, place, wait })
    }

    /// A new connection with its settings.
    pub(super) fn connect(&self, runtime: &Runtime) -> Result<Link, Refusal> {
        let connecting = async {
            let (client, connection) = self.config.connect(self.tls.clone()).await?;
            // How a connection ended is told to whoever asks next.
            let task = tokio::spawn(async move { drop(connection.await) });
            let link = Link { client, task, statements: BTreeMap::new(), turns: false };
            let unfit = self.settle(&link.client).await?;
            Ok::<_, tokio_postgres::Error>((link, unfit))
        };
        let connected = runtime.block_on(async { tokio::time::timeout(self.limit(), connecting).await });
        match connected {
            Err(_) => Err(Refusal::Silence),
            Ok(Err(error)) => Err(Refusal::Driver(error)),
            Ok(Ok((_, Some(unfit)))) => Err(Refusal::Unfit(unfit)),
            Ok(Ok((link, None))) => Ok(link),
        }
    }

    fn limit(&self) -> Duration {
        self.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIME_MAX)
    }

    /// Tells the server how it is used, and says why it cannot be.
    async fn settle(&self, client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
        let settings = [
            // Nothing means for ever here.
            ("lock_timeout", self.wait.as_millis().max(1)),
            ("statement_timeout", (self.wait + STATEMENT_TIME_MAX).as_millis()),
            ("idle_in_transaction_session_timeout", IDLE_TIME_MAX.as_millis()),
        ];
        let settings = settings.iter().map(|(name, millis)| format!("SET {name} = {millis};")).collect::<String>();
        // Who waits for copies of the log too, goes on doing so.
        let safe = "SELECT set_config('synchronous_commit', 'on', false) \
            WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')";
        client.batch_execute(&format!("SET client_min_messages = warning; {settings} {safe}")).await?;
        let asked = "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')";
        let answer = client.query_one(asked, &[]).await?;
        Ok(unfit(u32::try_from(answer.get::<_, i32>(0)).unwrap_or(0), answer.get(1)))
    }

    /// Waits for an answer, for a bounded time.
    pub(super) fn ask<T>(
        &self,
        runtime: &Runtime,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let limit = self.wait + STATEMENT_TIME_MAX + ANSWER_TIME_MORE;
        match runtime.block_on(async { tokio::time::timeout(limit, answer).await }) {
            Ok(answer) => answer.map_err(|error| failure(&error)),
            Err(_) => Err(Failure::new(FailureKind::Lost, format!("no answer within {} s", limit.as_secs()))),
        }
    }

    /// A refusal for somebody who wanted to open this database.
    pub(super) fn explain(&self, refusal: Refusal) -> Error {
        let place = &self.place;
        let error = match refusal {
            Refusal::Silence => {
                return Error::unavailable(format!("{place} does not answer within {} s", self.limit().as_secs()))
                    .hint("check host and port, and that nothing between here and there holds the connection up");
            }
            Refusal::Unfit(why) => return Error::input(format!("{place} cannot be used: {why}")),
            Refusal::Driver(error) => error,
        };
        let said = chain(&error);
        let code = error.code().cloned();
        let is = |wanted: &[SqlState]| code.as_ref().is_some_and(|code| wanted.contains(code));
        if is(&[SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION])
            || said.starts_with("authentication error")
            || said.contains("password missing")
        {
            return Error::usage(format!("{place} does not let this user in: {said}"))
                .hint("check user and password, and `pg_hba.conf` on the server");
        }
        if is(&[SqlState::INVALID_CATALOG_NAME]) {
            return Error::usage(format!("there is no such database at {place}: {said}")).hint("`createdb` makes one");
        }
        if said.contains("TLS") {
            return Error::unavailable(format!("cannot speak to {place} in private: {said}"))
                .hint("add `sslrootcert=FILE` with the authority of its certificate, or `sslmode=disable`");
        }
        if code.is_some() {
            return Error::from(failure(&error)).during(place);
        }
        Error::unavailable(format!("cannot reach {place}: {said}"))
            .hint("check host and port, and that the server runs and listens there")
    }
}

impl Refusal {
    /// A refusal while the shop is open: it may end.
    pub(super) fn into_failure(self) -> Failure {
        let message = match &self {
            Refusal::Driver(error) => chain(error),
            Refusal::Silence => "it does not answer in time".to_owned(),
            Refusal::Unfit(why) => why.clone(),
        };
        let kind = match &self {
            Refusal::Driver(error) if error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS) => FailureKind::Busy,
            _ => FailureKind::Lost,
        };
        Failure::new(kind, message)
    }
}

/// Why a server of this version and encoding cannot be used, if so.
pub(super) fn unfit(version: u32, encoding: &str) -> Option<String> {
    if version < VERSION_MIN {
        return Some(format!(
            "it is PostgreSQL {}, the oldest that will do is {}",
            version / 1_00_00,
            VERSION_MIN / 1_00_00
        ));
    }
    (encoding != "UTF8").then(|| format!("its encoding is {encoding}, not UTF8"))
}

/// What a failed question means. Values stand in the details of an error, which are left out.
fn failure(error: &tokio_postgres::Error) -> Failure {
    let Some(refused) = error.as_db_error() else {
        // A wrong value or row was noticed here; anything else is the connection.
        let said = chain(error);
        let ours = ["error serializing", "error deserializing", "invalid column", "expected ", "query returned"];
        let broken = ours.iter().any(|beginning| said.starts_with(beginning));
        return Failure::new(if broken { FailureKind::Broken } else { FailureKind::Lost }, said);
    };
    let double = if *refused.code() == SqlState::UNIQUE_VIOLATION { DOUBLE } else { "" };
    Failure::new(kind(refused.code().code()), format!("{double}{}", refused.message()))
}

/// What an error code (`SQLSTATE`) means.
pub(super) fn kind(code: &str) -> FailureKind {
    match code {
        "40001" | "40P01" => FailureKind::Conflict,
        "53100" => FailureKind::Full,
        // A lock or a statement took too long; no memory or no connection is left at the moment.
        "55P03" | "57014" | "53200" | "53300" => FailureKind::Busy,
        // It shuts down, starts up, became a copy of another one, or dropped the connection; nobody knows how it ended.
        "25006" | "25P03" | "40003" | "58030" => FailureKind::Lost,
        _ if code.starts_with("08") || code.starts_with("57P") => FailureKind::Lost,
        _ if code.starts_with("23") => FailureKind::Refused,
        _ => FailureKind::Broken,
    }
}

/// An error with what led to it.
fn chain(error: &tokio_postgres::Error) -> String {
    if let Some(refused) = error.as_db_error() {
        return refused.message().to_owned();
    }
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// The URL without what only `libpq` knows, and the file of the authority that signed the server's certificate.
/// A certificate is always checked, so the ways of `libpq` to ask for that come to `require`.
fn for_driver(url: &str) -> (String, Option<String>) {
    let Some((base, parameters)) = url.split_once('?') else { return (url.to_owned(), None) };
    let (mut kept, mut authority) = (Vec::new(), None);
    for parameter in parameters.split('&') {
        match parameter.split_once('=') {
            Some(("sslrootcert", _)) => {
                authority = form_urlencoded::parse(parameter.as_bytes()).next().map(|(_, file)| file.into_owned());
            }
            Some(("sslmode", "verify-ca" | "verify-full")) => kept.push("sslmode=require"),
            _ => kept.push(parameter),
        }
    }
    (format!("{base}?{}", kept.join("&")), authority)
}

/// Certificates are checked against the authorities of the web, and the one that is named.
fn tls(authority: Option<&str>) -> Result<MakeRustlsConnect> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = authority {
        let broken = |error: &dyn std::fmt::Display| {
            Error::input(format!("`sslrootcert` cannot be used: {error}")).at_path(Path::new(file))
        };
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| broken(&error))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| broken(&error))?;
            roots.add(certificate).map_err(|error| broken(&error))?;
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::input(format!("cannot set up TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
