//! How to reach a server, and what it means when that or a question fails.

use std::error::Error as _;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::runtime::Runtime;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::address::{Host, Server, Target};
use super::super::{Failure, FailureKind, Options};
use super::Link;
use crate::base::{Error, Result};

/// The oldest PostgreSQL whose behaviour is known, as it numbers itself.
const VERSION_MIN: u32 = 14_00_00;

/// How long connecting to one server may take, with the name, the certificate and the password, unless the address has a
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

/// Where servers are and how they are spoken to.
pub(super) struct Connector {
    /// In the order in which they are tried.
    targets: Vec<Target>,
    /// What is the same for all of them.
    config: Config,
    /// Whether TLS is asked for; `None` where nobody says.
    privacy: Option<SslMode>,
    tls: MakeRustlsConnect,
    /// The address for messages.
    place: String,
    /// How long connecting to one server may take.
    limit: Duration,
    /// How long a statement waits for other transactions.
    wait: Duration,
}

/// Why one server was not taken.
pub(super) struct Refusal {
    /// Which one.
    target: Target,
    why: Why,
}

/// Why there is no connection.
enum Why {
    /// The driver says so.
    Driver(tokio_postgres::Error),
    /// Its name leads nowhere.
    Unknown(std::io::Error),
    /// Nobody answered in time.
    Silence,
    /// It is not a server that can be used.
    Unfit(String),
}

impl Connector {
    pub(super) fn new(server: &Server, options: &Options) -> Result<Self> {
        let mut config = server.config();
        // A server that only copies another one takes no writes.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if !server.says("tcp_user_timeout") {
            config.tcp_user_timeout(STATEMENT_TIME_MAX);
        }
        if !server.says("keepalives_idle") {
            config.keepalives_idle(STATEMENT_TIME_MAX);
        }
        Ok(Connector {
            targets: server.targets.clone(),
            config,
            privacy: server.privacy,
            tls: tls(server.authority.as_deref())?,
            place: server.to_string(),
            limit: server.connect_span_max.unwrap_or(CONNECT_TIME_MAX),
            wait: Duration::from_nanos(u64::try_from(options.wait_span_max.as_nanos()).unwrap_or(0)),
        })
    }

    /// A new connection, to the first server that takes writes; or why there is none, server by server.
    pub(super) fn connect(&self, runtime: &Runtime) -> Result<Link, Vec<Refusal>> {
        let mut refusals = Vec::new();
        for target in &self.targets {
            for config in self.configs(target, runtime, &mut refusals) {
                match self.connect_to(target, &config, runtime) {
                    Ok(link) => return Ok(link),
                    Err(why) => refusals.push(Refusal { target: target.clone(), why }),
                }
            }
        }
        Err(refusals)
    }

    /// The settings for each of the addresses that a host has. TLS is for wires: a socket of this machine never has it, as
    /// with `libpq`.
    fn configs(&self, target: &Target, runtime: &Runtime, refusals: &mut Vec<Refusal>) -> Vec<Config> {
        let mut config = self.config.clone();
        config.port(target.port);
        let name = match &target.host {
            Host::Socket(folder) => {
                config.host(folder.to_string_lossy()).ssl_mode(SslMode::Disable);
                return vec![config];
            }
            Host::Name(name) => name,
        };
        let found: Result<Vec<IpAddr>, Why> = match target.address {
            Some(address) => Ok(vec![address]),
            None => runtime.block_on(async {
                let looked_up = tokio::net::lookup_host((name.as_str(), target.port));
                let found = tokio::time::timeout(self.limit, looked_up).await.map_err(|_| Why::Silence)?;
                Ok(found.map_err(Why::Unknown)?.map(|address: SocketAddr| address.ip()).collect())
            }),
        };
        let addresses = found.unwrap_or_else(|why| {
            refusals.push(Refusal { target: target.clone(), why });
            Vec::new()
        });
        let of = |address: IpAddr| {
            let usual = if address.is_loopback() { SslMode::Disable } else { SslMode::Prefer };
            let mut config = config.clone();
            config.host(name).hostaddr(address).ssl_mode(self.privacy.unwrap_or(usual));
            config
        };
        addresses.into_iter().map(of).collect()
    }

    fn connect_to(&self, target: &Target, config: &Config, runtime: &Runtime) -> Result<Link, Why> {
        let connecting = async {
            // How a connection ended is told to whoever asks next.
            let (client, task) = match target.host {
                Host::Socket(_) => {
                    let (client, connection) = config.connect(NoTls).await?;
                    (client, tokio::spawn(async move { drop(connection.await) }))
                }
                Host::Name(_) => {
                    let (client, connection) = config.connect(self.tls.clone()).await?;
                    (client, tokio::spawn(async move { drop(connection.await) }))
                }
            };
            let link = Link { client, task, turns: false };
            let unfit = find_unfit(&link.client).await?;
            Ok::<_, tokio_postgres::Error>((link, unfit))
        };
        match runtime.block_on(async { tokio::time::timeout(self.limit, connecting).await }) {
            Err(_) => Err(Why::Silence),
            Ok(Err(error)) => Err(Why::Driver(error)),
            Ok(Ok((_, Some(unfit)))) => Err(Why::Unfit(unfit)),
            Ok(Ok((link, None))) => Ok(link),
        }
    }

    /// What a transaction tells the server before anything else. It is forgotten at its end.
    pub(super) fn settings(&self) -> String {
        let spans = [
            // Nothing means for ever here.
            ("lock_timeout", self.wait.as_millis().max(1)),
            ("statement_timeout", (self.wait + STATEMENT_TIME_MAX).as_millis()),
            ("idle_in_transaction_session_timeout", IDLE_TIME_MAX.as_millis()),
        ];
        let spans = spans.iter().map(|(name, millis)| format!(" SET LOCAL {name} = {millis};")).collect::<String>();
        format!("SET LOCAL client_min_messages = warning;{spans}")
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

    /// Refusals for somebody who wanted to open this database: the first one of a server that answered, else the first
    /// one, and of the others what they said.
    pub(super) fn explain(&self, mut refusals: Vec<Refusal>) -> Error {
        if refusals.is_empty() {
            return Error::unavailable(format!("{} has no address", self.place));
        }
        let telling = refusals.remove(refusals.iter().position(Refusal::is_answer).unwrap_or(0));
        let others: Vec<String> = refusals.iter().map(Refusal::to_string).collect();
        let error = self.explain_one(telling);
        if others.is_empty() { error } else { error.further(&others.join("; ")) }
    }

    fn explain_one(&self, Refusal { target, why }: Refusal) -> Error {
        let several = 1 < self.targets.len();
        let place = &if several { format!("{} of {}", target, self.place) } else { self.place.clone() };
        let error = match why {
            Why::Silence => {
                return Error::unavailable(format!("{place} does not answer within {} s", self.limit.as_secs()))
                    .hint("check host and port, and that nothing between here and there holds the connection up");
            }
            Why::Unfit(why) => return Error::input(format!("{place} cannot be used: {why}")),
            Why::Unknown(error) => {
                return Error::unavailable(format!("cannot reach {place}: its name was not found: {error}"))
                    .hint("check the name of the host, and that this machine has a name server");
            }
            Why::Driver(error) => error,
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
        if said.contains("unsupported startup parameter") {
            return Error::usage(format!("a pooler stands before {place}, and does not pass everything on: {said}"))
                .hint("take `options` out of the address; `ALTER ROLE … SET search_path` says which schema is meant");
        }
        if said.contains("TLS") {
            return Error::unavailable(format!("cannot speak to {place} in private: {said}"))
                .hint("add `sslrootcert=FILE` with the authority of its certificate, or `sslmode=disable`");
        }
        if code.is_some() {
            return Error::from(failure(&error)).during(place);
        }
        let hint = match target.host {
            Host::Name(_) => "check host and port, and that the server runs and listens there",
            Host::Socket(_) => {
                "check that the server runs, and that its socket lies there: `SHOW unix_socket_directories` and `SHOW port`"
            }
        };
        Error::unavailable(format!("cannot reach {place}: {said}")).hint(hint)
    }
}

/// What makes a server unfit, if anything does.
async fn find_unfit(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let asked = "SELECT current_setting('server_version_num'), current_setting('server_encoding')";
    let answers = client.simple_query(asked).await?;
    let found = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some((row.get(0)?.parse().ok()?, row.get(1)?.to_owned())),
        _ => None,
    });
    Ok(match found {
        Some((version, encoding)) => unfit(version, &encoding),
        None => Some("it does not say what it is".to_owned()),
    })
}

/// Refusals while the shop is open: they may end.
pub(super) fn into_failure(refusals: Vec<Refusal>) -> Failure {
    let full = |refusal: &Refusal| matches!(&refusal.why, Why::Driver(error) if error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS));
    let kind = if refusals.iter().any(full) { FailureKind::Busy } else { FailureKind::Lost };
    let said: Vec<String> = refusals.iter().map(Refusal::to_string).collect();
    Failure::new(kind, said.join("; "))
}

impl Refusal {
    /// Whether somebody was there who said it.
    fn is_answer(&self) -> bool {
        match &self.why {
            Why::Driver(error) => !chain(error).starts_with("error connecting to server"),
            Why::Unfit(_) => true,
            Why::Unknown(_) | Why::Silence => false,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.target)?;
        match &self.why {
            Why::Driver(error) => f.write_str(&chain(error)),
            Why::Unknown(error) => write!(f, "its name was not found: {error}"),
            Why::Silence => f.write_str("it does not answer in time"),
            Why::Unfit(why) => f.write_str(why),
        }
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
    // It says so as if the connection had broken, but another one will not be better.
    if refused.message().contains("statement pooling mode") {
        let why = format!("the pooler before it must pool by transaction or session: {}", refused.message());
        return Failure::new(FailureKind::Broken, why);
    }
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
        // Also a value of another type than its column.
        "42804" => FailureKind::Refused,
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

/// Certificates are checked against the authorities of the web, and the one that is named.
fn tls(authority: Option<&Path>) -> Result<MakeRustlsConnect> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(file) = authority {
        let broken = |error: &dyn std::fmt::Display| {
            Error::input(format!("`sslrootcert` cannot be used: {error}")).at_path(file)
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
