//! One book is one book, whatever its address is written like; and nothing of an address goes where it should not.

use std::fs;
use std::path::Path;
use std::process::Command;

use aisle::base::Kind;
use aisle::db::{Address, Identity, Options, identity, open};

use super::super::cli::{Answer, aisle, ask};
use super::super::left_out::left_out;
use super::place::{Admin, NOW, Place, on_server, server};
use super::{ACCOUNT, execute, number, refusal};

/// The parts of the URL of a test's server: name with password, host with port, database, and the rest.
fn parts(url: &str) -> [String; 4] {
    let (credentials, rest) = url.split_once("://").unwrap().1.split_once('@').unwrap();
    let (host, rest) = rest.split_once('/').unwrap();
    let (database, parameters) = rest.split_once('?').unwrap();
    [credentials, host, database, parameters].map(str::to_owned)
}

fn simulate(folder: &Path) {
    let line = ["simulate", "--scenario", "put-back", "--seed", "1", "-o", "trip.mcap"];
    assert_eq!(ask(folder, &line).status, Some(0));
}

#[test]
fn a_server_is_one_server_however_it_is_reached() {
    on_server(|place| {
        let [credentials, host, database, parameters] = parts(&place.url);
        let (user, password) = credentials.split_once(':').unwrap();
        let port = host.rsplit_once(':').unwrap().1;
        let options = parameters.split('&').find(|parameter| parameter.starts_with("options=")).unwrap();
        let folder = Admin::new(&server().unwrap()).ask("SHOW unix_socket_directories");
        let escaped = folder.replace('/', "%2F");
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let words = options.replacen('=', "='", 1).replace("%3D", "=") + "'";
        execute(&mut place.open(), ACCOUNT).unwrap();
        let first = identity(&Address::parse(&place.url).unwrap(), &mut place.open()).unwrap();
        assert!(matches!(&first, Identity::Server(name) if name.len() == 32), "{first:?}");

        let mut urls = vec![
            format!("postgres://{credentials}@localhost:{port}/{database}?{options}"),
            format!("postgresql://{credentials}@{nowhere},{host}/{database}?{options}"),
            format!("postgresql://{credentials}@nowhere.invalid,127.0.0.1/{database}?{options}&port={port}"),
            format!("host=127.0.0.1 port={port} user={user} password='{password}' dbname = {database} {words}"),
        ];
        if folder.is_empty() {
            left_out("a server's socket", "`.ci/postgres start` gives it one");
        } else {
            urls.extend([
                format!("postgresql://{credentials}@{escaped}:{port}/{database}?{options}"),
                format!("postgresql://{credentials}@{escaped}:{port}/{database}?{options}&sslmode=require"),
                format!("postgresql:///{database}?host={folder}&port={port}&user={user}&password={password}&{options}"),
                format!("host={folder} port={port} user={user} password={password} dbname={database} {words}"),
            ]);
        }
        for url in urls {
            let mut database = open(&url, &Options::default(), NOW).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(number(&mut database, "SELECT COUNT(*) FROM balances"), 1, "{url}");
            assert_eq!(identity(&Address::parse(&url).unwrap(), &mut database).unwrap(), first, "{url}");
        }
        let other = Place::schema().unwrap();
        let other = identity(&Address::parse(&other.url).unwrap(), &mut other.open()).unwrap();
        assert_ne!(other, first);
    });
}

#[test]
fn a_database_without_a_name_is_called_as_the_user_and_the_password_stays_where_it_is() {
    on_server(|place| {
        let [_, host, _, _] = parts(&place.url);
        let admin = Admin::new(&server().unwrap());
        let name = format!("aisle_till_{}", std::process::id());
        admin.run(&format!("CREATE ROLE {name} LOGIN PASSWORD 'geheim'"));
        admin.run(&format!("CREATE DATABASE {name} OWNER {name} TEMPLATE template0"));
        let folder = tempfile::tempdir().unwrap();
        simulate(folder.path());
        let url = format!("postgresql://{name}:geheim@{host}");
        let told = |arguments: &[&str], variable: &str| {
            let mut command = aisle(folder.path(), arguments);
            let output = command.env("XDG_STATE_HOME", folder.path()).env("AISLE_DB", variable).output().unwrap();
            let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(output.status.code(), Some(0), "{text}");
            assert!(!text.contains("geheim"), "{text}");
            text
        };
        let charged = told(&["replay", "trip.mcap", "--charge", "--db", &url], "other.db");
        let command = format!("check --db 'postgresql://{name}:***@{host}'`, with the password in the place of ***");
        assert!(charged.contains(&command), "{charged}");
        let named = format!("{url}/{name}?sslmode=disable");
        assert!(told(&["ledger", "check", &named], "other.db").contains("is in order"));
        let charged = told(&["replay", "trip.mcap", "--charge"], &url);
        assert!(charged.contains("`aisle ledger check`, with AISLE_DB as it is set now, proves it"), "{charged}");
        let files = fs::read_dir(folder.path().join("aisle")).unwrap();
        let journals: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        assert_eq!(journals.len(), 1, "{journals:?}");
        assert!(!journals[0].to_str().unwrap().contains("geheim"));
        assert!(!fs::read_to_string(&journals[0]).unwrap().contains("geheim"));
        admin.run(&format!("DROP DATABASE {name} WITH (FORCE)"));
        admin.run(&format!("DROP ROLE {name}"));
    });
}

/// Charges a trip, the first time or once more.
fn charge(folder: &Path, db: &str) -> Answer {
    let answer = ask(folder, &["replay", "trip.mcap", "--charge", "--db", db]);
    assert_eq!(answer.status, Some(0), "{db}: {}", answer.err);
    answer
}

/// What is in a folder, but for the logs of SQLite.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect();
    names.sort();
    names
}

#[cfg(unix)]
#[test]
fn a_file_has_one_journal_and_commands_that_are_printed_can_be_pasted() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (book, journal) = ("books/Ann's book.db", "books/Ann's book.db.sandbox.jsonl");
    simulate(folder.path());
    fs::create_dir(path("books")).unwrap();
    // Also a link that leads to where there is nothing yet.
    symlink(book, path("link.db")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_aisle")).parent().unwrap();
    let search = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    for db in ["link.db", book, "./link.db", "sqlite:books/Ann's book.db", &path("link.db")] {
        let answer = charge(folder.path(), db);
        // As somebody pastes it, with the program on the path.
        let command = answer.out.split('`').nth(1).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(folder.path()).env("PATH", &search).env_remove("AISLE_DB");
        let pasted = shell.output().unwrap();
        assert!(pasted.status.success(), "{command}: {}", String::from_utf8_lossy(&pasted.stderr));
    }
    assert_eq!(names(&folder.path().join("books")), ["Ann's book.db", "Ann's book.db.sandbox.jsonl"]);
    assert_eq!(names(folder.path()), ["books", "link.db", "trip.mcap"]);
    let mode = || fs::metadata(path(journal)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(path(journal), fs::Permissions::from_mode(0o644)).unwrap();
    charge(folder.path(), book);
    assert_eq!(mode(), 0o600, "one of an older aisle is closed too");

    // What an older aisle kept beside a link is not forgotten.
    fs::rename(path(journal), path("link.db.sandbox.jsonl")).unwrap();
    let refused = ask(folder.path(), &["ledger", "check", "--db", "link.db"]);
    assert_eq!(refused.status, Some(2), "{}", refused.err);
    assert!(refused.err.contains("beside a link"), "{}", refused.err);
    assert!(refused.err.contains("`mv link.db.sandbox.jsonl '"), "{}", refused.err);
}

#[test]
fn urls_never_become_files() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        "sqlite://book.db",
        "sqlite:///book.db",
        "sqlite:book.db?mode=ro",
        "file:book.db",
        "file:book.db?mode=ro",
        "SQLITE:book.db",
        "postgres:shop",
        "jdbc:postgresql://h/shop",
        "dbname=shop colour=red",
        "postgresql//till:secret@h/shop",
        "book.db\n",
        "",
    ];
    for db in cases {
        let answer = ask(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--db", db]);
        assert_eq!(answer.status, Some(2), "{db}: {}", answer.err);
        assert!(answer.err.contains("hint") || db.contains('\n'), "{}", answer.err);
        assert!(!answer.err.contains("secret"), "{}", answer.err);
    }
    let answer = ask(folder.path(), &["ledger", "check", "sqlite::memory:"]);
    assert_eq!(answer.status, Some(3), "{}", answer.err);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_book_in_memory_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    simulate(folder.path());
    let answer = charge(folder.path(), "sqlite::memory:");
    assert!(answer.out.contains("the book was in memory and is gone"), "{}", answer.out);
    assert_eq!(names(folder.path()), ["trip.mcap"]);
}

#[cfg(unix)]
#[test]
fn a_file_with_two_names_is_refused() {
    let place = Place::file();
    drop(place.open());
    let second = format!("{}-too", place.url);
    fs::hard_link(&place.url, &second).unwrap();
    for url in [&place.url, &second] {
        let (kind, text) = refusal(url, &Options::default());
        assert_eq!(kind, Kind::Input, "{text}");
        assert!(text.contains("2 names") && text.contains("hint"), "{text}");
    }
    fs::remove_file(second).unwrap();
    place.open();
}

#[cfg(unix)]
#[test]
fn what_everybody_may_read_is_closed_when_the_shop_opens() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::file();
    drop(place.open());
    let mode = || fs::metadata(&place.url).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(&place.url, fs::Permissions::from_mode(0o644)).unwrap();
    open(&place.url, &Options { create: false, ..Options::default() }, NOW).unwrap();
    assert_eq!(mode(), 0o644, "who only looks changes nothing");
    place.open();
    assert_eq!(mode(), 0o640, "the group stays as somebody has set it");
}
