//! Where a server listens: a name or a number of this machine, and a port.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::str::FromStr;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::base::{Error, Result};

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;

/// An address as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listen {
    /// Without brackets.
    host: String,
    port: u16,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Listen {
                host: text[..text.len() - port_length(text)].trim_matches(['[', ']']).to_owned(),
                port: address.port(),
            });
        }
        if text.contains("://") {
            return Err("this is a URL; write HOST:PORT".to_owned());
        }
        let bracketed = text.strip_prefix('[').map(|rest| rest.split_once("]:"));
        let (host, port) = match bracketed {
            Some(Some(parts)) => parts,
            Some(None) => return Err("behind `[` come a number of IPv6, `]:` and the port".to_owned()),
            None => match text.rsplit_once(':') {
                Some((host, _)) if host.contains(':') => {
                    return Err("a number of IPv6 stands in brackets, such as [::1]:8080".to_owned());
                }
                Some(parts) => parts,
                None if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => ("", text),
                None => return Err("it has no port; write HOST:PORT, such as localhost:8080".to_owned()),
            },
        };
        if host.is_empty() || host == "*" {
            return Err(format!("it names no host: write localhost:{port} for this machine, 0.0.0.0:{port} for all"));
        }
        if !host.chars().all(|letter| letter.is_alphanumeric() || "-._%:".contains(letter)) {
            return Err("no host has such a name".to_owned());
        }
        let port = port.parse().map_err(|_| "the port is a number up to 65535".to_owned())?;
        Ok(Listen { host: host.to_owned(), port })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Listen {
    /// Listens at the first address that the host has and that can be had; those of IPv4 come first, for they are what
    /// `localhost` means to most.
    pub(super) fn bind(&self, runtime: &Runtime) -> Result<TcpListener> {
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let mut addresses: Vec<SocketAddr> =
            found.map_err(|error| self.refused("find the address of", &error))?.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        addresses.dedup();
        let mut refusals = Vec::new();
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            match runtime.block_on(TcpListener::bind(address)) {
                Ok(listener) => return Ok(listener),
                Err(error) => refusals.push((address, error)),
            }
        }
        let Some((first, error)) = refusals.first() else {
            return Err(self.refused("listen on", &io::Error::other("the name has no address")));
        };
        let refused = match refusals.as_slice() {
            [_] => self.refused("listen on", error),
            [_, others @ ..] => {
                let others: Vec<String> = others.iter().map(|(address, error)| format!("{address}: {error}")).collect();
                self.refused(&format!("listen on {first}"), error).further(&others.join("; "))
            }
            [] => return Err(self.refused("listen on", error)),
        };
        Err(match error.kind() {
            io::ErrorKind::AddrInUse => {
                refused.hint("another program listens there; end it, or name another port with --listen")
            }
            io::ErrorKind::AddrNotAvailable => refused.hint("this machine does not have that address"),
            io::ErrorKind::PermissionDenied => {
                refused.hint("ports below 1024 are for the administrator; name another one")
            }
            _ => refused,
        })
    }

    fn refused(&self, what: &str, error: &io::Error) -> Error {
        Error::io(what, Path::new(&self.to_string()), error)
    }
}

/// Letters of the port and the colon before it.
fn port_length(address: &str) -> usize {
    address.rsplit_once(':').map_or(0, |(_, port)| port.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::Listen;

    #[test]
    fn addresses_are_read() {
        for (text, host, port) in [
            ("127.0.0.1:8080", "127.0.0.1", 8080),
            ("localhost:8080", "localhost", 8080),
            ("till-1.shop.example:0", "till-1.shop.example", 0),
            ("[::1]:0", "::1", 0),
            ("[fe80::1%eth0]:80", "fe80::1%eth0", 80),
        ] {
            let read: Listen = text.parse().unwrap();
            assert_eq!((read.host.as_str(), read.port), (host, port));
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_told_why() {
        for (text, why) in [
            ("", "no port"),
            ("localhost", "no port"),
            ("8080", "names no host"),
            (":8080", "names no host"),
            ("*:8080", "names no host"),
            ("::1:8080", "in brackets"),
            ("[::1]", "`]:` and the port"),
            ("http://localhost:8080", "URL"),
            ("localhost:http", "a number"),
            ("localhost:65536", "a number"),
            ("local host:80", "no host"),
        ] {
            let said = text.parse::<Listen>().unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
