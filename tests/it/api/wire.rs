//! The server over real connections: what is no request, what never comes to its end, and who is answered meanwhile.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use aisle::api::{Role, serve};
use aisle::base::limits::{NOTICE_BODY_BYTES_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEADERS_MAX};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{DESCRIPTION, World};

/// How long a test waits for an answer before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A world that listens.
pub(super) struct Open {
    pub(super) world: World,
    address: SocketAddr,
    pub(super) stop: Option<oneshot::Sender<()>>,
    pub(super) ended: Option<tokio::task::JoinHandle<()>>,
}

/// An answer as it came over the wire.
#[derive(Debug)]
struct Heard {
    status: u16,
    head: String,
    body: String,
}

impl Open {
    fn new() -> Self {
        Open::of(World::new())
    }

    pub(super) fn of(world: World) -> Self {
        let listener = world.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        let ended = world.runtime.spawn(serve(listener, world.router.clone(), stopped));
        Open { world, address, stop: Some(stop), ended: Some(ended) }
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Everything that is said until the server ends the connection.
    fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // It may be refused before all of it is said.
        let _ = stream.write_all(bytes);
        rest(stream)
    }

    fn ask(&self, bytes: &[u8]) -> Heard {
        heard(&self.say(bytes))
    }

    /// A gate asks over a connection that it keeps.
    fn gate(&self, stream: &mut TcpStream, key: &str) -> u16 {
        let body = "{\"gate_token\":\"nobody-has-this-code\",\"gate\":\"front\"}";
        let head = format!(
            "POST /v1/entries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n",
            self.world.secret(Role::Gate),
            body.len()
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = [0; 4_096];
        let count = stream.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
        assert!(answer.contains("\"shut\""), "{answer}");
        heard(&answer).status
    }
}

fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&answer)),
    }
    String::from_utf8(answer).unwrap()
}

fn heard(answer: &str) -> Heard {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
    Heard { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

impl Heard {
    /// Which sort of problem it is, if the answer is a whole problem document.
    fn sort(&self) -> String {
        assert!(self.head.contains("content-type: application/problem+json"), "{self:?}");
        let length = self.head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), self.body.len(), "{self:?}");
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status, "{self:?}");
        assert!(self.head.contains(problem["instance"].as_str().unwrap()), "{self:?}");
        assert!(self.head.contains("cache-control: no-store"), "{self:?}");
        let entry = problem["type"].as_str().unwrap().strip_prefix("/openapi.json#").unwrap();
        assert_eq!(DESCRIPTION.pointer(entry).unwrap()["status"], self.status, "{self:?}");
        entry.rsplit('/').next().unwrap().to_owned()
    }
}

#[test]
fn what_is_no_request_is_answered_with_a_problem_too() {
    let open = Open::new();
    let with = |lines: &str| format!("POST /v1/webhooks/sandbox HTTP/1.1\r\nHost: x\r\n{lines}\r\n").into_bytes();
    let long = "a".repeat(REQUEST_HEAD_BYTES_MAX);
    let cases: Vec<(Vec<u8>, u16, &str)> = vec![
        (b"\x16\x03\x01\x00\xa5\x01\x00".to_vec(), 400, "malformed"),
        (b"hello\r\n\r\n".to_vec(), 400, "malformed"),
        (b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 400, "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), 400, "malformed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n".to_vec(), 400, "malformed"),
        (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 400, "malformed"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 400, "malformed"),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n".to_vec(), 505, "version"),
        (with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400, "malformed"),
        (with("Content-Length: 1\r\nContent-Length: 2\r\n"), 400, "malformed"),
        (with("Content-Length: x\r\n"), 400, "malformed"),
        (with("Transfer-Encoding: gzip\r\n"), 400, "malformed"),
        (with("Expect: a-miracle\r\n"), 417, "expectation"),
        (with(&format!("X: {long}\r\n")), 431, "head-too-large"),
        (with(&"X: y\r\n".repeat(REQUEST_HEADERS_MAX)), 431, "head-too-large"),
        (format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes(), 431, "head-too-large"),
        ([with("Transfer-Encoding: chunked\r\n"), b"zz\r\nx".to_vec()].concat(), 400, "malformed"),
        ([with("Transfer-Encoding: chunked\r\n"), b"3\r\nabcdef\r\n0\r\n\r\n".to_vec()].concat(), 400, "malformed"),
        (with(&format!("Content-Length: {}\r\n", NOTICE_BODY_BYTES_MAX + 1)), 413, "too-large"),
    ];
    for (request, status, sort) in cases {
        let answer = open.ask(&request);
        let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        assert_eq!((answer.status, answer.sort().as_str()), (status, sort), "{shown}");
    }
    let healthy = |answer: String| answer.matches(" 200 OK\r\n").count() == 1 && answer.contains("alive");
    assert!(healthy(open.say(b"GET /healthz HTTP/1.0\r\n\r\n")));
    assert!(healthy(open.say(b"\r\nGET http://x/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")));
    // What was asked before is answered before.
    let both = open.say(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n");
    let refused = both.find("HTTP/1.1 400").unwrap();
    assert!(healthy(both[..refused].to_owned()), "{both}");
    assert_eq!(heard(&both[refused..]).sort(), "malformed");
}

#[test]
fn a_body_that_ends_too_late_in_chunks_is_as_too_large_as_one_that_says_so() {
    let open = Open::new();
    let head = b"POST /v1/webhooks/sandbox HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
    let mut stream = open.connect();
    stream.write_all(head).unwrap();
    for _ in 0..=NOTICE_BODY_BYTES_MAX / 0x10000 {
        let _ = stream.write_all(&chunk);
    }
    let answer = heard(&rest(stream));
    assert_eq!((answer.status, answer.sort().as_str()), (413, "too-large"));
    // One that fits is read, and is not signed.
    let fits = [&head[..], &chunk, b"0\r\n\r\n"].concat();
    let mut stream = open.connect();
    stream.write_all(&fits).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(heard(&rest(stream)).sort(), "malformed");
}

#[test]
fn the_token_is_looked_at_before_the_body() {
    let open = Open::new();
    let head = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{";
    let began = Instant::now();
    assert_eq!(open.ask(format!("POST /v1/entries HTTP/1.1\r\n{head}").as_bytes()).status, 401);
    let wrong = format!("POST /v1/entries HTTP/1.1\r\nAuthorization: Bearer aisle_x\r\n{head}");
    assert_eq!(open.ask(wrong.as_bytes()).status, 401);
    let reviewer = open.world.secret(Role::Reviewer);
    let forbidden = format!("POST /v1/entries HTTP/1.1\r\nAuthorization: Bearer {reviewer}\r\n{head}");
    assert_eq!(open.ask(forbidden.as_bytes()).status, 403);
    assert_eq!(open.ask(format!("POST /nowhere HTTP/1.1\r\n{head}").as_bytes()).status, 404);
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waits for a body that nobody wants");
    // Who waits to be told to send the body is told only where it is wanted.
    let expecting = head.replace("Connection", "Expect: 100-continue\r\nConnection").replace("\r\n{", "\r\n");
    let refused = open.say(format!("POST /v1/entries HTTP/1.1\r\n{expecting}").as_bytes());
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let gate = open.world.secret(Role::Gate);
    let mut stream = open.connect();
    let wanted = format!("POST /v1/entries HTTP/1.1\r\nAuthorization: Bearer {gate}\r\n{expecting}");
    stream.write_all(wanted.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
}

#[test]
fn half_sent_requests_shut_nobody_out() {
    let open = Open::new();
    let mut gate = open.connect();
    assert_eq!(open.gate(&mut gate, "before"), 200);
    let half = |number: usize| match number % 3 {
        0 => "POST /v1/webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        1 => "POST /v1/webhooks/sandbox HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{",
        _ => "GET /readyz HTTP/1.1\r\nHost: x\r\n",
    };
    let held: Vec<TcpStream> = (0..300)
        .map(|number| {
            let mut stream = open.connect();
            stream.write_all(half(number).as_bytes()).unwrap();
            stream
        })
        .collect();
    let idle = open.connect();
    let began = Instant::now();
    assert_eq!(open.gate(&mut gate, "over the same connection"), 200);
    assert_eq!(open.gate(&mut open.connect(), "over another one"), 200);
    let ready = open.ask(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(ready.status, 200, "{ready:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
    // The newest are told that they are slow; the oldest had to leave for them.
    let answers: Vec<String> = held.into_iter().map(rest).collect();
    let told: Vec<Heard> = answers.iter().filter(|answer| !answer.is_empty()).map(|answer| heard(answer)).collect();
    assert!((200..=256).contains(&told.len()), "{} were answered", told.len());
    for answer in &told {
        assert_eq!((answer.status, answer.sort().as_str()), (408, "slow"));
    }
    assert_eq!(rest(idle), "", "who says nothing is not waited for");
    assert!(answers[..30].iter().all(String::is_empty), "the oldest went");
    assert!(!answers[299].is_empty() && !answers[298].is_empty() && !answers[297].is_empty());
}

#[test]
fn a_server_that_is_told_to_end_lets_those_finish_who_have_begun() {
    let mut open = Open::new();
    let idle = open.connect();
    let body = "{\"gate_token\":\"nobody-has-this-code\",\"gate\":\"front\"}";
    let mut busy = open.connect();
    let head = format!(
        "POST /v1/entries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: k\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        open.world.secret(Role::Gate),
        body.len()
    );
    busy.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    busy.read_exact(&mut go_on).unwrap();
    open.stop.take().unwrap().send(()).unwrap();
    assert_eq!(rest(idle), "", "nobody waits for those who say nothing");
    busy.write_all(body.as_bytes()).unwrap();
    assert_eq!(heard(&rest(busy)).status, 200);
    open.world.runtime.block_on(open.ended.take().unwrap()).unwrap();
}
