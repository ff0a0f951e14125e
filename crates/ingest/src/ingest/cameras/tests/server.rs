//! A camera over HTTP in this process: each connection is answered by a function.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

pub(super) const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";

/// A server that answers until it is dropped.
pub(super) struct Server {
    pub(super) port: u16,
    connections: Arc<AtomicUsize>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A connection whose question was read.
pub(super) struct Asked {
    pub(super) stream: TcpStream,
    /// Which of all, from 0.
    pub(super) number: usize,
    /// The question, line by line.
    pub(super) head: Vec<String>,
    closing: Arc<AtomicBool>,
}

impl Server {
    /// Answers every connection, each on a thread of its own.
    pub(super) fn new(answer: impl Fn(Asked) + Send + Sync + 'static) -> Server {
        Server::at(0, answer)
    }

    pub(super) fn at(port: u16, answer: impl Fn(Asked) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, closing) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, ends, answer) = (Arc::clone(&connections), Arc::clone(&closing), Arc::new(answer));
        let thread = std::thread::spawn(move || {
            let mut threads = Vec::new();
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    break;
                }
                let (count, answer, closing) = (Arc::clone(&count), Arc::clone(&answer), Arc::clone(&ends));
                threads.push(std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let lines = std::iter::from_fn(|| {
                        let mut line = String::new();
                        reader.read_line(&mut line).ok()?;
                        Some(line.trim().to_owned()).filter(|line| !line.is_empty())
                    });
                    let head: Vec<String> = lines.collect();
                    // Who only looks whether somebody is there asks nothing.
                    if head.is_empty() {
                        return;
                    }
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    answer(Asked { stream, number, head, closing });
                }));
            }
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        Server { port, connections, closing, thread: Some(thread) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/video", self.port)
    }

    /// How many asked something.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // Wakes it.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Asked {
    /// Writes something as it is; `false` when nobody reads any more, or the server closes.
    pub(super) fn say(&mut self, bytes: &[u8]) -> bool {
        !self.closing.load(Ordering::SeqCst) && self.stream.write_all(bytes).is_ok()
    }

    /// Writes a part of an answer.
    pub(super) fn part(&mut self, picture: &[u8]) -> bool {
        let head = format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.len());
        self.say(&[head.as_bytes(), picture, b"\r\n"].concat())
    }

    /// Waits, as cameras do between two frames.
    pub(super) fn pause(&self, millis: u64) {
        std::thread::sleep(Duration::from_millis(millis));
    }

    /// Says nothing more, until the other side goes or the server closes.
    pub(super) fn hang(self) {
        self.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut byte = [0];
        while !self.closing.load(Ordering::SeqCst) {
            match std::io::Read::read(&mut &self.stream, &mut byte) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                }
                Err(_) => return,
            }
        }
    }

    /// Sends pictures from this number on, until nobody reads any more.
    pub(super) fn play(&mut self, from: u32, millis: u64) {
        for number in from.. {
            if !self.part(&super::jpeg(number)) {
                return;
            }
            self.pause(millis);
        }
    }
}
