//! The server as a process: it says where it listens, answers, and ends when it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::super::cli::{aisle, ask};
use super::super::db::place::Place;

/// A server that is killed if the test does not end it.
struct Server(Child, String);

impl Server {
    fn start(folder: &std::path::Path, arguments: &[&str]) -> Self {
        let mut child = aisle(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").map(str::to_owned);
        let mut server = Server(child, String::new());
        server.1 = address.unwrap_or_else(|| panic!("{line:?}"));
        server
    }

    fn get(&self, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(&self.1).unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ends it by a signal; gives its log.
    fn end(mut self) -> String {
        let killed = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut log = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!(self.0.wait().unwrap().code(), Some(0), "{log}");
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_lives_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let serve = ["serve", "--db", "book.db", "--listen", "127.0.0.1:0", "--log", "json"];
    let server = Server::start(folder.path(), &serve);
    assert!(server.get("/healthz", "").starts_with("HTTP/1.1 200 "));
    assert!(server.get("/readyz", "").contains("\"ready\""));
    assert!(server.get("/v1/cases", "aisle_wrong").starts_with("HTTP/1.1 401 "));

    // Tokens are made beside it.
    let create = ["token", "create", "--db", "book.db", "--role", "reviewer", "--holder", "Rita", "--days", "7"];
    let made = ask(folder.path(), &create);
    assert_eq!(made.status, Some(0), "{}", made.err);
    let secret = made.out.trim();
    assert!(server.get("/v1/cases", secret).contains("\"items\":[]"));
    let listed = ask(folder.path(), &["token", "list", "--db", "book.db"]).out;
    assert!(listed.contains("reviewer") && listed.contains("Rita") && !listed.contains(secret), "{listed}");
    let token = listed.split_whitespace().next().unwrap();
    assert_eq!(ask(folder.path(), &["token", "revoke", "--db", "book.db", token]).status, Some(0));
    assert!(server.get("/v1/cases", secret).starts_with("HTTP/1.1 401 "));

    // Its port is taken.
    let beside = ["serve", "--db", "other.db", "--listen", &server.1];
    let refused = ask(folder.path(), &beside);
    assert_eq!(refused.status, Some(4), "{}", refused.err);
    assert!(refused.err.contains("another program listens there"), "{}", refused.err);
    // So are its books.
    let beside = ask(folder.path(), &["serve", "--db", "book.db", "--listen", "127.0.0.1:0"]);
    assert_ne!(beside.status, Some(0));

    let log = server.end();
    assert!(!log.contains(secret), "no secret is in the log");
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    assert!(log.contains("\"message\":\"closed\""), "{log}");
}

#[test]
fn a_server_listens_at_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["serve", "--db", "book.db", "--listen", "localhost:0"]);
    assert!(server.1.starts_with("127.0.0.1:") || server.1.starts_with("[::1]:"), "{}", server.1);
    assert!(server.get("/healthz", "").starts_with("HTTP/1.1 200 "));
    server.end();
}

#[test]
fn what_cannot_be_served_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/demo");
    for file in ["shop.toml", "catalogue.toml", "planogram.toml"] {
        let text = std::fs::read_to_string(demo.join(file)).unwrap();
        std::fs::write(folder.path().join(file), text.replace("provider = \"sandbox\"", "provider = \"cash\""))
            .unwrap();
    }
    let cases: [(&[&str], i32, &str); 7] = [
        (&["serve", "--db", "cash.db", "--shop", "."], 3, "`cash` is not a provider: write sandbox, stripe or wechat"),
        (&["serve", "--db", "mysql://u:secret@h/db"], 2, "no database that aisle knows"),
        (&["serve", "--db", "book.db", "--listen", "nowhere"], 2, "it has no port"),
        (&["serve", "--db", "book.db", "--listen", ":8080"], 2, "it names no host"),
        (&["serve", "--db", "book.db", "--listen", "nowhere.invalid:80"], 4, "cannot find the address"),
        (&["serve", "--db", "book.db", "--shop", "missing"], 4, "missing"),
        (&["token", "list", "--db", "missing.db"], 4, "missing.db"),
    ];
    for (arguments, status, part) in cases {
        let answer = ask(folder.path(), arguments);
        assert_eq!(answer.status, Some(status), "{arguments:?}: {}", answer.err);
        assert!(answer.err.contains(part), "{arguments:?}: {}", answer.err);
        assert!(!answer.err.contains("secret"));
    }
}

#[test]
fn the_first_token_begins_the_book() {
    let folder = tempfile::tempdir().unwrap();
    let told = |line: &str| ask(folder.path(), &line.split_whitespace().collect::<Vec<_>>());
    // Whatever only reads a book refuses one that is not there, and so does a token that cannot be made.
    let shopper = "token create --db new.db --role shopper --shopper shopper_00000000000000000000000000000001";
    for (line, status) in [
        ("token list --db new.db", 4),
        ("token revoke --db new.db token_00000000000000000000000000000001", 4),
        ("ledger check --db new.db", 4),
        ("review list --db new.db", 4),
        ("token create --db new.db --role reviewer", 3),
        ("token create --db new.db --role reviewer --holder ann --days 0", 3),
        (shopper, 4),
        ("token create --db . --role reviewer --holder ann", 2),
    ] {
        let answer = told(line);
        assert_eq!((answer.status, answer.out.as_str()), (Some(status), ""), "{line}: {}", answer.err);
        assert!(!folder.path().join("new.db").exists(), "{line}");
    }
    let first = told("token create --db new.db --role reviewer --holder ann");
    assert_eq!(first.status, Some(0), "{}", first.err);
    assert_eq!(first.err, "new.db: there was no book, a new one is begun\n");
    let second = told("token create --db new.db --role operator --holder bob");
    assert_eq!((second.status, second.err.as_str()), (Some(0), ""));
    let listed = told("token list --db new.db");
    assert_eq!((listed.status, listed.out.lines().count()), (Some(0), 2), "{}", listed.err);
    let revoked = listed.out.lines().find(|line| line.contains("bob")).and_then(|line| line.split(' ').next()).unwrap();
    assert_eq!(told(&format!("token revoke --db new.db {revoked}")).status, Some(0));

    // The shop that opens then takes it, and its log knows who made it.
    let server = Server::start(folder.path(), &["serve", "--db", "new.db", "--listen", "127.0.0.1:0"]);
    assert!(server.get("/v1/cases", first.out.trim()).starts_with("HTTP/1.1 200 "));
    assert!(server.get("/v1/cases", second.out.trim()).starts_with("HTTP/1.1 401 "));
    server.end();
    assert_eq!(told("ledger check --db new.db").status, Some(0));
}

#[test]
fn the_first_token_begins_a_book_on_a_server() {
    let Some(place) = Place::schema() else { return };
    let folder = tempfile::tempdir().unwrap();
    let told = |rest: &[&str]| ask(folder.path(), &[&["token"], rest, &["--db", &place.url]].concat());
    assert_eq!(told(&["list"]).status, Some(3));
    let first = told(&["create", "--role", "reviewer", "--holder", "ann"]);
    assert_eq!(first.status, Some(0), "{}", first.err);
    assert!(first.err.ends_with(": there was no book, a new one is begun\n"), "{}", first.err);
    assert!(told(&["list"]).out.contains("ann"));
}
