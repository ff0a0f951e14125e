//! An HTTP server on this machine that answers one call a connection, as a test tells it to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A call as it came.
#[derive(Clone, Debug)]
pub(in crate::payment) struct Call {
    pub(in crate::payment) method: String,
    /// With the query, as sent.
    pub(in crate::payment) target: String,
    pub(in crate::payment) headers: Vec<(String, String)>,
    pub(in crate::payment) body: Vec<u8>,
}

/// What the server does about a call.
pub(in crate::payment) enum Reaction {
    /// It answers.
    Reply(u16, Vec<(String, String)>, Vec<u8>),
    /// It closes the connection without a word.
    HangUp,
}

/// A server that runs until it is dropped.
pub(in crate::payment) struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Call {
    pub(in crate::payment) fn header(&self, name: &str) -> Option<&str> {
        super::super::signature::header(&self.headers, name)
    }

    /// The target without its query.
    pub(in crate::payment) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The pairs of the query.
    pub(in crate::payment) fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }
}

impl Server {
    pub(in crate::payment) fn start(mut answer: impl FnMut(&Call) -> Reaction + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                let mut stream = stream.unwrap();
                if let Some(call) = read(&stream) {
                    write(&mut stream, answer(&call));
                }
            }
        });
        Server { address, stop, thread: Some(thread) }
    }

    pub(in crate::payment) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the thread up.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let outcome = thread.join();
            if !std::thread::panicking() {
                outcome.expect("the server of the test did not fail");
            }
        }
    }
}

fn read(stream: &TcpStream) -> Option<Call> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| 0 < *length)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let length = super::super::signature::header(&headers, "content-length").map_or(0, |value| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Call { method, target, headers, body })
}

fn write(stream: &mut TcpStream, reaction: Reaction) {
    let Reaction::Reply(status, headers, body) = reaction else { return };
    let mut head = format!("HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    // Whoever asked may have gone.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(b"\r\n"))
        .and_then(|()| stream.write_all(&body));
}
