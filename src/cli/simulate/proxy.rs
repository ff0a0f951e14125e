//! A broker's plug: connections are passed on to the broker and back, until it is pulled. Then they are cut, or no byte
//! moves, or one side is gone without the other hearing of it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::boards::BrokerAddress;
use crate::base::{Error, Result};
use crate::sim::FaultKind;

/// How often a connection on which nothing comes looks whether the plug was pulled.
const LOOK: Duration = Duration::from_millis(50);
/// Connections at one time; more are refused and counted.
const CONNECTIONS_MAX: usize = 64;
const CONNECT: Duration = Duration::from_secs(5);

#[derive(Default)]
struct State {
    fault: Option<FaultKind>,
    /// How often connections were cut, and forgotten by one side: those that are older are.
    cuts: u64,
    halves: u64,
    open: usize,
    refused: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands between a broker and everybody who speaks with it.
pub(super) struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// One connection: what it was born after, and its ends.
#[derive(Clone, Copy)]
struct Born {
    cuts: u64,
    halves: u64,
}

/// What a connection does now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    Frozen,
    Half,
    Cut,
}

impl Proxy {
    /// Listens, and passes everything on to the broker.
    pub(super) fn start(listen: SocketAddr, broker: &BrokerAddress) -> Result<Self> {
        let failed = |error: &std::io::Error| Error::io("listen on", Path::new(&listen.to_string()), error);
        let listener = TcpListener::bind(listen).map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let shared = Arc::new(Shared::default());
        let (theirs, broker) = (shared.clone(), broker.clone());
        let accept = move || {
            for incoming in listener.incoming().flatten() {
                let begun = connection(&theirs, incoming, &broker);
                theirs.lock().refused += u64::from(!begun);
            }
        };
        thread::Builder::new().name("plug".to_owned()).spawn(accept).map_err(|error| failed(&error))?;
        Ok(Proxy { shared, address })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that were not taken: too many, the plug was pulled, or the broker was not there.
    pub(super) fn refused(&self) -> u64 {
        self.shared.lock().refused
    }

    /// Pulls the plug in this way, or puts it back.
    pub(super) fn set(&self, fault: Option<FaultKind>) {
        let mut state = self.shared.lock();
        state.cuts += u64::from(fault == Some(FaultKind::BrokerCut));
        state.halves += u64::from(fault == Some(FaultKind::BrokerHalfOpen));
        state.fault = fault;
        drop(state);
        self.shared.changed.notify_all();
    }
}

/// Begins to pass a connection on; whether that was possible.
fn connection(shared: &Arc<Shared>, client: TcpStream, broker: &BrokerAddress) -> bool {
    let born = {
        let state = shared.lock();
        if state.fault == Some(FaultKind::BrokerCut) || CONNECTIONS_MAX <= state.open {
            return false;
        }
        Born { cuts: state.cuts, halves: state.halves }
    };
    let Some(server) = connect(broker) else { return false };
    let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { return false };
    for stream in [&client, &server] {
        if stream.set_read_timeout(Some(LOOK)).is_err() || stream.set_nodelay(true).is_err() {
            return false;
        }
    }
    shared.lock().open += 1;
    let (up, down) = (shared.clone(), shared.clone());
    let spawn = |run: Box<dyn FnOnce() + Send>| thread::Builder::new().name("pass".to_owned()).spawn(run).is_ok();
    spawn(Box::new(move || {
        pass(&up, born, client, server, true);
        up.lock().open -= 1;
    })) && spawn(Box::new(move || pass(&down, born, server_too, client_too, false)))
}

fn connect(broker: &BrokerAddress) -> Option<TcpStream> {
    use std::net::ToSocketAddrs;
    let addresses = (broker.host.as_str(), broker.port).to_socket_addrs().ok()?;
    addresses.into_iter().find_map(|address| TcpStream::connect_timeout(&address, CONNECT).ok())
}

/// Passes bytes from one end to the other until one of them is over.
fn pass(shared: &Shared, born: Born, mut from: TcpStream, mut to: TcpStream, is_up: bool) {
    let mut bytes = vec![0; 64 << 10];
    loop {
        match way(shared, born) {
            Way::Cut => break,
            Way::Half if !is_up => {
                // The broker hears that it is over; the client does not.
                let _ = from.shutdown(Shutdown::Both);
                return;
            }
            Way::Open | Way::Half | Way::Frozen => {}
        }
        let count = match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        match thawed(shared, born) {
            Way::Cut => break,
            // What is said to somebody who is gone is lost.
            Way::Half => continue,
            Way::Open | Way::Frozen => {}
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn way(shared: &Shared, born: Born) -> Way {
    judge(&shared.lock(), born)
}

fn judge(state: &State, born: Born) -> Way {
    match state.fault {
        _ if born.cuts < state.cuts => Way::Cut,
        _ if born.halves < state.halves => Way::Half,
        Some(FaultKind::BrokerFrozen) => Way::Frozen,
        _ => Way::Open,
    }
}

/// Waits while no byte may move.
fn thawed(shared: &Shared, born: Born) -> Way {
    let mut state = shared.lock();
    loop {
        let way = judge(&state, born);
        if way != Way::Frozen {
            return way;
        }
        state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker that says back what it hears.
    fn echo() -> BrokerAddress {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut bytes = [0; 16];
                    while let Ok(count @ 1..) = stream.read(&mut bytes) {
                        if stream.write_all(&bytes[..count]).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        BrokerAddress { host: "127.0.0.1".to_owned(), port }
    }

    fn client(proxy: &Proxy) -> TcpStream {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn said(stream: &mut TcpStream, word: &[u8]) -> bool {
        let mut heard = vec![0; word.len()];
        stream.write_all(word).is_ok() && stream.read_exact(&mut heard).is_ok() && heard == word
    }

    #[test]
    fn a_plug_is_pulled_in_three_ways_and_put_back() {
        let proxy = Proxy::start("127.0.0.1:0".parse().unwrap(), &echo()).unwrap();
        let mut first = client(&proxy);
        assert!(said(&mut first, b"one"));

        proxy.set(Some(FaultKind::BrokerCut));
        assert_eq!(first.read(&mut [0; 8]).unwrap_or(0), 0, "the connection ends");
        assert_eq!(client(&proxy).read(&mut [0; 8]).unwrap_or(0), 0, "no new one is taken");
        proxy.set(None);
        let mut second = client(&proxy);
        assert!(said(&mut second, b"two"));
        // Connections are taken one after the other, so the one before was counted by now.
        assert!(1 <= proxy.refused());

        proxy.set(Some(FaultKind::BrokerFrozen));
        second.write_all(b"three").unwrap();
        second.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        assert!(second.read(&mut [0; 8]).is_err(), "nothing moves, and nothing ends");
        proxy.set(None);
        second.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut heard = [0; 5];
        second.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"three");

        proxy.set(Some(FaultKind::BrokerHalfOpen));
        let mut third = client(&proxy);
        assert!(said(&mut third, b"four"), "new connections are well");
        second.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        second.write_all(b"five").unwrap();
        let ended = second.read(&mut [0; 8]);
        let is_silent = ended.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        assert!(is_silent, "the old one neither answers nor ends");
        proxy.set(None);
        assert!(said(&mut third, b"six"));
    }
}
