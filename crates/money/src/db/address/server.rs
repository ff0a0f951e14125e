//! The address of a PostgreSQL database, with the meaning that `libpq` gives to it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslMode};

use crate::base::{Error, Result, Secret};

/// Hosts of one address.
const HOSTS_MAX: usize = 16;
/// The port of PostgreSQL where none is named.
const PORT: u16 = 5432;
/// Seconds that a span of an address may have: a day.
const SECS_MAX: u64 = 86_400;
/// What is printed in the place of a password.
const REDACTED: &str = "***";

/// Names that say where the database is and who asks; all may stand in the query of a URL too.
const PLACES: [&str; 6] = ["host", "hostaddr", "port", "dbname", "user", "password"];
/// Names that say how it is spoken to.
const MANNERS: [&str; 11] = [
    "sslmode",
    "sslrootcert",
    "connect_timeout",
    "application_name",
    "options",
    "target_session_attrs",
    "channel_binding",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
];

/// A database on one of several servers.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Server {
    /// In the order in which they are tried; never none.
    pub(in super::super) targets: Vec<Target>,
    pub(in super::super) user: Option<String>,
    pub(in super::super) password: Option<Secret<String>>,
    pub(in super::super) database: Option<String>,
    /// Whether TLS is asked for; `None` where nobody says.
    pub(in super::super) privacy: Option<SslMode>,
    /// File of the authority that signed the server's certificate.
    pub(in super::super) authority: Option<PathBuf>,
    pub(in super::super) connect_span_max: Option<Duration>,
    /// What was written of [`MANNERS`], to be printed.
    manners: BTreeMap<&'static str, String>,
}

/// One server, and the port that it listens on.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Target {
    pub(in super::super) host: Host,
    /// Where the name is not looked up.
    pub(in super::super) address: Option<IpAddr>,
    pub(in super::super) port: u16,
}

/// Who it is.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Host {
    /// A name or a number.
    Name(String),
    /// The folder with its socket.
    Socket(PathBuf),
}

impl Server {
    /// From what stands behind `postgresql://`.
    pub(super) fn from_url(rest: &str) -> Result<Self> {
        let mut said = Said::default();
        said.read_url(rest);
        said.server("postgresql://…")
    }

    /// From keywords with values, `host=… dbname=…`.
    pub(super) fn from_words(text: &str) -> Result<Self> {
        let mut said = Said::default();
        said.read_words(text);
        said.server("host=…")
    }

    /// Settings of the driver that are the same for every host.
    pub(in super::super) fn config(&self) -> Config {
        let mut config = Config::new();
        let said = |name: &str| self.manners.get(name).map(String::as_str);
        let number = |name: &str| said(name).and_then(|text| text.parse::<u64>().ok()).filter(|number| *number != 0);
        if let Some(user) = &self.user {
            config.user(user);
        }
        if let Some(password) = &self.password {
            config.password(password.reveal());
        }
        if let Some(name) = &self.database {
            config.dbname(name);
        }
        if let Some(options) = said("options") {
            config.options(options);
        }
        config.application_name(said("application_name").unwrap_or("aisle"));
        config.channel_binding(match said("channel_binding") {
            Some("disable") => ChannelBinding::Disable,
            Some("require") => ChannelBinding::Require,
            _ => ChannelBinding::Prefer,
        });
        config.keepalives(said("keepalives") != Some("0"));
        if let Some(secs) = number("keepalives_idle") {
            config.keepalives_idle(Duration::from_secs(secs));
        }
        if let Some(secs) = number("keepalives_interval") {
            config.keepalives_interval(Duration::from_secs(secs));
        }
        // Milliseconds, as `libpq` has it.
        if let Some(millis) = number("tcp_user_timeout") {
            config.tcp_user_timeout(Duration::from_millis(millis));
        }
        config
    }

    /// Whether the address says so itself.
    pub(in super::super) fn says(&self, name: &str) -> bool {
        self.manners.contains_key(name)
    }
}

/// As a URL, whatever it was written as.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgresql://")?;
        let mut query: Vec<String> = Vec::new();
        match (&self.user, &self.password) {
            (Some(user), Some(_)) => write!(f, "{}:{REDACTED}@", escaped(user))?,
            (Some(user), None) => write!(f, "{}@", escaped(user))?,
            (None, Some(_)) => query.push(format!("password={REDACTED}")),
            (None, None) => {}
        }
        let hosts: Vec<String> = self.targets.iter().map(Target::to_string).collect();
        f.write_str(&hosts.join(","))?;
        if let Some(name) = &self.database {
            write!(f, "/{}", escaped(name))?;
        }
        if self.targets.iter().any(|target| target.address.is_some()) {
            let addresses = self.targets.iter().filter_map(|target| target.address);
            query.push(format!("hostaddr={}", addresses.map(|ip| ip.to_string()).collect::<Vec<_>>().join(",")));
        }
        query.extend(self.manners.iter().map(|(name, value)| format!("{name}={}", escaped(value))));
        if query.is_empty() { Ok(()) } else { write!(f, "?{}", query.join("&")) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) if name.contains(':') => write!(f, "[{}]", name.replace('%', "%25"))?,
            Host::Name(name) => f.write_str(&escaped(name))?,
            Host::Socket(folder) => f.write_str(&escaped(&folder.to_string_lossy()))?,
        }
        if self.port == PORT { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// What was said by name, and what is wrong with it. No value is ever part of a problem: it may be a secret in the wrong
/// place.
#[derive(Default)]
struct Said {
    values: BTreeMap<&'static str, String>,
    problems: Vec<String>,
}

impl Said {
    fn problem(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.problems.contains(&what) {
            self.problems.push(what);
        }
    }

    /// As `libpq` reads it: a user up to the first `@` unless a `/` comes before, hosts with commas between them up to a
    /// `/` or `?`, the name of the database, parameters.
    fn read_url(&mut self, rest: &str) {
        let (credentials, rest) = match rest.find(['@', '/']) {
            Some(at) if rest[at..].starts_with('@') => (Some(&rest[..at]), &rest[at + 1..]),
            _ => (None, rest),
        };
        if let Some(credentials) = credentials {
            let (user, password) = credentials.split_once(':').map_or((credentials, None), |(user, p)| (user, Some(p)));
            self.take_escaped("user", user);
            password.into_iter().for_each(|password| self.take_escaped("password", password));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        self.read_hosts(&rest[..end]);
        let (name, query) =
            rest[end..].split_once('?').map_or((&rest[end..], None), |(name, query)| (name, Some(query)));
        self.take_escaped("dbname", name.strip_prefix('/').unwrap_or_default());
        for parameter in query.into_iter().flat_map(|query| query.split('&')).filter(|parameter| !parameter.is_empty())
        {
            match parameter.split_once('=') {
                Some((name, value)) => match unescaped(name) {
                    Some(name) => self.take_escaped(&name, value),
                    None => self.problem("the name of a parameter has a `%` without two hexadecimal digits of a sign"),
                },
                None => self.problem("a parameter has no `=`"),
            }
        }
    }

    fn read_hosts(&mut self, list: &str) {
        if list.is_empty() {
            return;
        }
        let (mut hosts, mut ports) = (Vec::new(), Vec::new());
        for host in list.split(',') {
            let (name, port) = match host.strip_prefix('[').map(|host| host.split_once(']')) {
                Some(Some((name, rest))) if rest.is_empty() || rest.starts_with(':') => (name, rest.strip_prefix(':')),
                Some(_) => {
                    self.problem("a `[` of a host has no `]` before its port");
                    continue;
                }
                None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
            };
            hosts.push(name);
            ports.push(port.unwrap_or_default());
        }
        if hosts.iter().any(|host| !host.is_empty()) {
            self.take_escaped("host", &hosts.join(","));
        }
        if ports.iter().any(|port| !port.is_empty()) {
            self.take_escaped("port", &ports.join(","));
        }
    }

    /// As `libpq` reads it: `name = value`, with quotes around a value that holds spaces, and `\` before a quote.
    fn read_words(&mut self, text: &str) {
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let Some((name, after)) = rest.split_once('=') else { return self.problem("a keyword has no `=`") };
            let mut value = String::new();
            let mut letters = after.trim_start().char_indices().peekable();
            let quoted = letters.next_if(|(_, letter)| *letter == '\'').is_some();
            let after = after.trim_start();
            let mut end = None;
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '\'' if quoted => end = Some(at + 1),
                    _ if !quoted && letter.is_whitespace() => end = Some(at),
                    '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                    _ => value.push(letter),
                }
                if end.is_some() {
                    break;
                }
            }
            if quoted && end.is_none() {
                return self.problem("a quote is not closed");
            }
            let name = name.trim_end();
            if name.contains(char::is_whitespace) {
                return self.problem("a keyword has no `=`");
            }
            self.take(name, value);
            rest = after[end.unwrap_or(after.len())..].trim_start();
        }
    }

    fn take_escaped(&mut self, name: &str, value: &str) {
        match unescaped(value) {
            Some(value) => self.take(name, value),
            None if known(name).is_some() => self.problem(format!(
                "`{name}` has a `%` without two hexadecimal digits, or what they stand for is no text"
            )),
            None => self.take(name, String::new()),
        }
    }

    /// The last one counts. What is empty was not said.
    fn take(&mut self, name: &str, value: String) {
        match known(name) {
            Some(name) if value.chars().any(char::is_control) => {
                self.problem(format!("`{name}` holds a control character"));
            }
            Some(name) if value.is_empty() => drop(self.values.remove(name)),
            Some(name) => drop(self.values.insert(name, value)),
            // A name that is none may be a piece of a password.
            None if name.len() <= 32
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte)) =>
            {
                self.problem(format!("`{name}` is a parameter that aisle does not know"));
            }
            None => self.problem("the name of a parameter is none"),
        }
    }

    fn server(mut self, shown: &str) -> Result<Server> {
        let targets = self.targets();
        let privacy = self.choice("sslmode", &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]);
        let privacy = privacy.map(|mode| match mode {
            "disable" => SslMode::Disable,
            "allow" | "prefer" => SslMode::Prefer,
            // A certificate is always checked.
            _ => SslMode::Require,
        });
        self.choice("channel_binding", &["disable", "prefer", "require"]);
        // A book is written to, so that nothing else is of use.
        self.choice("target_session_attrs", &["any", "read-write", "primary"]);
        self.choice("keepalives", &["0", "1"]);
        let connect = self.number("connect_timeout", SECS_MAX).filter(|secs| *secs != 0);
        self.number("keepalives_idle", SECS_MAX);
        self.number("keepalives_interval", SECS_MAX);
        self.number("tcp_user_timeout", SECS_MAX * 1_000);
        if !self.problems.is_empty() {
            let why = self.problems.join("; ");
            let known: Vec<&str> = PLACES.into_iter().chain(MANNERS).collect();
            return Err(Error::usage(format!("`{shown}` is not the address of a PostgreSQL server: {why}")).hint(format!(
                "write `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?NAME=VALUE`, in a password %40 for @, %2F for /, %3A \
                 for :, %25 for %; names are {}",
                known.join(", ")
            )));
        }
        let mut take = |name: &str| self.values.remove(name);
        let (user, password, database) = (take("user"), take("password"), take("dbname"));
        let authority = self.values.get("sslrootcert").map(PathBuf::from);
        let mut manners = self.values;
        manners.retain(|name, _| MANNERS.contains(name));
        let connect_span_max = connect.map(Duration::from_secs);
        let password = password.map(Secret::new);
        Ok(Server { targets, user, password, database, privacy, authority, connect_span_max, manners })
    }

    /// Hosts, addresses and ports, brought together: as many of each, or one port for all.
    fn targets(&mut self) -> Vec<Target> {
        let list = |text: Option<&String>| -> Vec<String> {
            text.map(|text| text.split(',').map(|part| part.trim().to_owned()).collect()).unwrap_or_default()
        };
        let (hosts, addresses, ports) =
            (list(self.values.get("host")), list(self.values.get("hostaddr")), list(self.values.get("port")));
        let count = hosts.len().max(addresses.len()).max(1);
        if HOSTS_MAX < count {
            self.problem(format!("there are more than {HOSTS_MAX} hosts"));
            return Vec::new();
        }
        if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
            self.problem("there are not as many `hostaddr` as hosts");
        }
        if 1 < ports.len() && ports.len() != count {
            self.problem("there are neither as many ports as hosts nor one for all");
        }
        let parsed: Vec<Option<IpAddr>> = addresses.iter().map(|address| address.parse().ok()).collect();
        if parsed.contains(&None) {
            self.problem("a `hostaddr` is no number of a host");
        }
        let mut targets = Vec::new();
        for at in 0..count {
            let port = ports.get(at).or(ports.first()).map_or("", String::as_str);
            let port = if port.is_empty() { Some(PORT) } else { port.parse().ok().filter(|port| *port != 0) };
            if port.is_none() {
                self.problem("a port is no number from 1 to 65535");
            }
            let address = parsed.get(at).copied().flatten();
            let host = match (hosts.get(at).map(String::as_str), address) {
                (None, None) => Some(Host::Socket(default_socket())),
                (None | Some(""), Some(address)) => Some(Host::Name(address.to_string())),
                (Some(name), _) => self.host(name),
            };
            if let (Some(host), Some(port)) = (host, port) {
                targets.push(Target { host, address, port });
            }
        }
        targets
    }

    fn host(&mut self, name: &str) -> Option<Host> {
        if name.starts_with('/') {
            return Some(Host::Socket(PathBuf::from(name)));
        }
        // Anything else is not looked up: it may be the rest of a password, and would go out to a name server.
        let letters = |letter: char| letter.is_alphanumeric() || "-._:%".contains(letter);
        if name.is_empty() || !name.chars().all(letters) || (name.contains([':', '%']) && !is_number(name)) {
            self.problem("a host has no name, or one with signs that no name has");
            return None;
        }
        Some(Host::Name(name.to_owned()))
    }

    fn choice(&mut self, name: &'static str, choices: &[&'static str]) -> Option<&'static str> {
        let value = self.values.get(name)?;
        let found = choices.iter().find(|choice| *choice == value).copied();
        if found.is_none() {
            self.problem(format!("`{name}` is one of {}", choices.join(", ")));
        }
        found
    }

    fn number(&mut self, name: &'static str, most: u64) -> Option<u64> {
        let value = self.values.get(name)?;
        let found = value.parse().ok().filter(|number| *number <= most);
        if found.is_none() {
            self.problem(format!("`{name}` is a whole number from 0 to {most}"));
        }
        found
    }
}

/// Where a server of this machine has its socket: where Debian and Fedora put it if that is there, else where PostgreSQL
/// does by itself.
fn default_socket() -> PathBuf {
    let usual = PathBuf::from("/var/run/postgresql");
    if usual.is_dir() { usual } else { PathBuf::from("/tmp") }
}

/// Whether it is the number of a host, with or without the interface that it is reached by.
fn is_number(name: &str) -> bool {
    name.split('%').next().is_some_and(|number| number.parse::<IpAddr>().is_ok())
}

fn known(name: &str) -> Option<&'static str> {
    PLACES.into_iter().chain(MANNERS).find(|known| *known == name)
}

/// `%41` for `A`; `None` where a `%` has no two digits, or what comes of it is no text.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A text as it stands in a URL.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
