//! Databases: the same tests on both engines, with what real files and servers do to them.

#[cfg(unix)]
mod files;
mod killed;
pub(super) mod place;
mod pooled;
mod spellings;
mod tamper;
mod upgrades;

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::{Barrier, mpsc};
use std::thread;

use aisle::base::{Kind, Result};
use aisle::db::{Database, FailureKind, Options, Row, Value, open};

use self::place::{AUTHORITY, Admin, NOW, Place, on_each, on_server, server};
use super::left_out::left_out;

const ACCOUNT: &str = "INSERT INTO balances VALUES ('a', 'EUR', 0, 0, 0, 0) ON CONFLICT DO NOTHING";

fn execute(database: &mut Database, statement: &str) -> Result<u64> {
    database.transaction(|session| session.execute(statement, &[]))
}

fn ask(database: &mut Database, question: &str) -> Vec<Row> {
    database.transaction(|session| session.query(question, &[])).unwrap()
}

fn number(database: &mut Database, question: &str) -> i64 {
    ask(database, question)[0].int(0).unwrap()
}

/// Reads a number and writes one that is greater by one, by way of this process.
fn add_one(database: &mut Database) -> Result<()> {
    database.transaction(|session| {
        let found = session.query("SELECT debits FROM balances WHERE account = 'a'", &[])?[0].int(0)?;
        session.execute("UPDATE balances SET debits = ?1 WHERE account = ?2", &[(found + 1).into(), "a".into()])?;
        Ok(())
    })
}

#[test]
fn a_database_is_made_once_and_kept() {
    on_each(|place| {
        execute(&mut place.open(), ACCOUNT).unwrap();
        let mut again = place.open();
        assert_eq!(number(&mut again, "SELECT COUNT(*) FROM balances"), 1);
        assert_eq!(number(&mut again, "SELECT applied_at FROM migrations"), NOW.as_nanos());
        assert_eq!(again.engine_name(), if place.is_file() { "sqlite" } else { "postgresql" });
    });
}

#[test]
fn many_processes_may_make_it_at_once() {
    on_each(|place| {
        let barrier = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    place.try_open(60_000).unwrap();
                });
            }
        });
        let mut database = place.open();
        assert_eq!(number(&mut database, "SELECT COUNT(*) - MAX(version) FROM migrations"), 0);
    });
}

#[cfg(unix)]
#[test]
fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::file();
    let _database = place.open();
    for file in [place.url.clone(), format!("{}-wal", place.url)] {
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
}

/// The kind and the text of why it cannot be opened.
fn refusal(url: &str, options: &Options) -> (Kind, String) {
    let error = open(url, options, NOW).err().unwrap();
    (error.kind(), error.to_string())
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let options = Options::default();
    let missing = Options { create: false, ..options.clone() };
    std::fs::File::create(path("text")).unwrap().write_all(&b"nothing of the kind\n".repeat(100)).unwrap();
    rusqlite::Connection::open(path("foreign")).unwrap().execute_batch("CREATE TABLE carts (a)").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    let cases = [
        (path(""), &options, Kind::Usage, "this is a folder"),
        (path("text"), &options, Kind::Input, "file is not a database"),
        (path("foreign"), &options, Kind::Input, "tables of another program"),
        (path("text/below"), &options, Kind::Io, "cannot open the database"),
        (path("no/such/folder"), &options, Kind::Io, "cannot create the database"),
        (path("nowhere"), &missing, Kind::Io, "cannot open the database"),
        (path("empty"), &missing, Kind::Input, "there is no book"),
    ];
    for (url, options, kind, said) in cases {
        let (found, text) = refusal(&url, options);
        assert_eq!(found, kind, "{text}");
        assert!(text.contains(said) && text.contains(&*url), "{text}");
    }
    assert!(!folder.path().join("nowhere").exists());
}

#[test]
fn a_book_of_another_aisle_is_refused() {
    let cases = [
        ("INSERT INTO migrations VALUES (99, 'later', 'd', 0)", "without migration"),
        ("UPDATE migrations SET digest = 'd'", "is not the one of this aisle"),
        ("UPDATE migrations SET version = version + 10", "without migration 1"),
        ("INSERT INTO migrations SELECT MAX(version) + 1, 'later', 'd', 0 FROM migrations", "written by a newer aisle"),
    ];
    on_each(|place| {
        for (change, said) in cases {
            let fresh = if place.is_file() { Place::file() } else { Place::schema().unwrap() };
            fresh.open();
            fresh.run_script(change);
            let (kind, text) = refusal(&fresh.url, &Options::default());
            assert_eq!(kind, Kind::Input, "{text}");
            assert!(text.contains(said), "{text}");
        }
    });
}

#[test]
fn values_come_back_as_they_went() {
    let texts = ["", "B", "a", "é", "'?1'", "𝄞"];
    on_each(|place| {
        let mut database = place.open();
        database
            .transaction(|session| {
                for (at, text) in texts.iter().enumerate() {
                    let values = [Value::from(*text), (i64::MAX - at as i64).into(), vec![0, 255, at as u8].into()];
                    session.execute("INSERT INTO checkpoints (name, at, body) VALUES (?1, ?2, ?3)", &values)?;
                }
                let empty = [Value::from("s"), Value::Null, Value::from(i64::MIN), Value::Null];
                session
                    .execute("INSERT INTO shoppers (id, name, created_at, erased_at) VALUES (?1, ?2, ?3, ?4)", &empty)
            })
            .unwrap();
        let rows = ask(&mut database, "SELECT name, at, body FROM checkpoints ORDER BY name");
        let mut sorted: Vec<(usize, &str)> = texts.into_iter().enumerate().collect();
        sorted.sort_by_key(|(_, text)| text.as_bytes());
        assert_eq!(rows.len(), sorted.len());
        for (row, (at, text)) in rows.iter().zip(sorted) {
            assert_eq!(row.text(0).unwrap(), text, "texts are sorted by their bytes");
            assert_eq!(row.int(1).unwrap(), i64::MAX - at as i64);
            assert_eq!(row.bytes(2).unwrap(), [0, 255, at as u8]);
        }
        let shopper = &ask(&mut database, "SELECT name, created_at, erased_at FROM shoppers")[0];
        assert_eq!(*shopper, Row(vec![Value::Null, Value::Int(i64::MIN), Value::Null]));
        // What is computed is portable too, and a parameter may be used twice.
        let computed = "SELECT COUNT(*), SUM(at - ?1), 7, COUNT(*) = 6, CAST(?2 AS BIGINT), MAX(name) FROM checkpoints
            WHERE ?1 < at AND name <> '?3'";
        let values = [Value::from(i64::MAX - 10), Value::Null];
        let row = database.transaction(|session| Ok(session.query(computed, &values)?.remove(0))).unwrap();
        let wanted = [6.into(), 45.into(), 7.into(), 1.into(), Value::Null, "𝄞".into()];
        assert_eq!(row, Row(wanted.to_vec()));
    });
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let insert = "INSERT INTO shoppers (id, name, created_at) VALUES (?1, ?2, ?3)";
    let wrong: [(&[Value], Kind); 4] = [
        (&["s".into(), Value::Null, "soon".into()], Kind::Input),
        (&["s".into(), Value::Null, vec![1].into()], Kind::Input),
        (&["s".into(), "zero \0".into(), 1.into()], Kind::Input),
        (&["s".into(), Value::Null], Kind::Broken),
    ];
    on_each(|place| {
        let mut database = place.open();
        for (values, kind) in wrong {
            let error = database.transaction(|session| session.execute(insert, values)).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
        }
        assert_eq!(number(&mut database, "SELECT COUNT(*) FROM shoppers"), 0);
    });
}

#[test]
fn rows_that_changed_are_counted() {
    on_each(|place| {
        let mut database = place.open();
        let insert = "INSERT INTO shoppers (id, created_at) VALUES ('a', 1), ('b', 2)";
        assert_eq!(execute(&mut database, insert).unwrap(), 2);
        assert_eq!(execute(&mut database, "UPDATE shoppers SET created_at = 3 WHERE id = 'a'").unwrap(), 1);
        assert_eq!(execute(&mut database, "UPDATE shoppers SET created_at = 3 WHERE id = 'c'").unwrap(), 0);
        assert_eq!(execute(&mut database, "CREATE TABLE more (a BIGINT)").unwrap(), 0);
    });
}

#[test]
fn a_failure_ends_the_transaction_even_if_it_is_overlooked() {
    on_each(|place| {
        let mut database = place.open();
        let error = database
            .transaction(|session| {
                session.execute(ACCOUNT, &[])?;
                let doubled = session.execute("INSERT INTO balances VALUES ('a', 'EUR', 0, 0, 0, 0)", &[]).unwrap_err();
                // One that somebody else wrote at this moment, unseen, looks the same in PostgreSQL: it is tried alone.
                assert_eq!(doubled.kind, FailureKind::Refused);
                let next = session.query("SELECT COUNT(*) FROM balances", &[]).unwrap_err();
                assert!(next.message.contains("the transaction is over"), "{next}");
                Ok(())
            })
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Input);
        assert_eq!(number(&mut database, "SELECT COUNT(*) FROM balances"), 0);
    });
}

/// A row of the ledger with this place, name, kind and reservation.
macro_rules! transfer {
    ($seq:literal, $id:literal, $kind:literal, $reservation:literal) => {
        concat!(
            "(seq, id, kind, reservation, reason, debit, credit, amount, currency, cart, at, digest) VALUES (",
            $seq,
            ", ",
            $id,
            ", ",
            $kind,
            ", ",
            $reservation,
            ", 'x', 'd', 'c', 5, 'EUR', 'c', 1, 'd')"
        )
    };
}

#[test]
fn what_is_append_only_stays() {
    let rows = "INSERT INTO shops VALUES ('s', 1, '{}');
        INSERT INTO carts (id, shop, entered_at, state) VALUES ('c', 's', 1, 'open');
        INSERT INTO receipts VALUES ('c', 1, 1, 'engine', '{}');
        INSERT INTO audit VALUES (1, 1, 'w', 'r', 'a', 's', 'd');
        INSERT INTO seals VALUES (1, 'audit', '1', 'c', 'd');
        INSERT INTO transfers (seq, id, kind, reason, debit, credit, amount, currency, cart, at, digest)
          VALUES (1, 't', 'direct', 'sale', 'd', 'c', 5, 'EUR', 'c', 1, 'd'),
            (4, 'r', 'reserve', 'hold', 'd', 'c', 5, 'EUR', 'c', 1, 'd');
        INSERT INTO transfers (seq, id, kind, reservation, reason, debit, credit, amount, currency, cart, at, digest)
          VALUES (5, 'p', 'post', 'r', 'capture', 'd', 'c', 5, 'EUR', 'c', 1, 'd');";
    // A table, a column of it, and a row that has the key, the name or the place of the one that is there.
    const OTHERS: [(&str, &str, &str); 7] = [
        ("audit", "who", "(seq, at, who, role, action, subject, detail) VALUES (1, 1, 'x', 'r', 'a', 's', 'd')"),
        ("seals", "content", "(seq, kind, subject, content, digest) VALUES (1, 'audit', '1', 'x', 'x')"),
        ("receipts", "body", "(cart, version, made_at, origin, body) VALUES ('c', 1, 1, 'engine', 'x')"),
        ("receipts", "body", "(rowid, cart, version, made_at, origin, body) VALUES (1, 'c', 2, 1, 'engine', 'x')"),
        ("transfers", "reason", transfer!(1, "'u'", "'direct'", "NULL")),
        ("transfers", "reason", transfer!(2, "'t'", "'direct'", "NULL")),
        ("transfers", "reason", transfer!(3, "'u'", "'post'", "'r'")),
    ];
    on_each(|place| {
        let mut database = place.open();
        place.run_script(rows);
        let mut attempts = Vec::new();
        for (table, column, values) in OTHERS {
            attempts.push(format!("UPDATE {table} SET {column} = 'x'"));
            attempts.push(format!("DELETE FROM {table}"));
            if place.is_file() {
                attempts.push(format!("UPDATE OR REPLACE {table} SET {column} = 'x'"));
                attempts.push(format!("REPLACE INTO {table} {values}"));
                attempts.push(format!("INSERT OR REPLACE INTO {table} {values}"));
                attempts.push(format!("INSERT INTO {table} {values} ON CONFLICT DO UPDATE SET {column} = 'x'"));
            } else if !values.starts_with("(rowid") {
                attempts.push(format!("TRUNCATE {table} CASCADE"));
            }
        }
        if !place.is_file() {
            for (table, column, values) in OTHERS.into_iter().filter(|other| !other.2.starts_with("(rowid")).take(4) {
                let keys = if table == "receipts" { "cart, version" } else { "seq" };
                attempts
                    .push(format!("INSERT INTO {table} {values} ON CONFLICT ({keys}) DO UPDATE SET {column} = 'x'"));
            }
        }
        for attempt in attempts.iter().map(String::as_str) {
            let mut kind = None;
            let tried = database.transaction(|session| {
                session.execute(attempt, &[]).inspect_err(|failure| kind = Some(failure.kind)).map(|_| ())
            });
            assert_eq!(kind, Some(FailureKind::Refused), "{attempt}");
            assert!(tried.unwrap_err().to_string().contains("append-only"), "{attempt}");
        }
        assert_eq!(number(&mut database, "SELECT COUNT(*) FROM transfers WHERE amount = 5 AND reason <> 'x'"), 3);
        assert_eq!(ask(&mut database, "SELECT who FROM audit")[0].text(0).unwrap(), "w");
        assert_eq!(execute(&mut database, "DELETE FROM receipts WHERE cart = 'nobody'").unwrap(), 0);
        if !place.is_file() {
            // A replica asks none but the triggers that are always on.
            let as_replica = database.transaction(|session| {
                session.execute("SET LOCAL session_replication_role = replica", &[])?;
                session.execute("DELETE FROM audit", &[])
            });
            assert!(as_replica.unwrap_err().to_string().contains("append-only"));
        }
    });
}

#[test]
fn no_update_is_lost() {
    const WRITERS: usize = 4;
    const TIMES: usize = 10;
    on_each(|place| {
        execute(&mut place.open(), ACCOUNT).unwrap();
        let barrier = Barrier::new(WRITERS);
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    let mut database = place.try_open(60_000).unwrap();
                    barrier.wait();
                    (0..TIMES).for_each(|_| add_one(&mut database).unwrap());
                });
            }
        });
        assert_eq!(number(&mut place.open(), "SELECT debits FROM balances"), (WRITERS * TIMES) as i64);
    });
}

#[test]
fn names_given_at_once_by_two_are_given_once() {
    const WRITERS: usize = 3;
    const TIMES: usize = 8;
    on_each(|place| {
        place.open();
        let barrier = Barrier::new(WRITERS);
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    let mut database = place.try_open(60_000).unwrap();
                    barrier.wait();
                    for _ in 0..TIMES {
                        let append =
                            "INSERT INTO audit SELECT COALESCE(MAX(seq), 0) + 1, 1, 'w', 'r', 'a', 's', 'd' FROM audit";
                        assert_eq!(execute(&mut database, append).unwrap(), 1);
                    }
                });
            }
        });
        let rows = ask(&mut place.open(), "SELECT COUNT(*), MAX(seq) FROM audit");
        assert_eq!(rows[0], Row(vec![24.into(), 24.into()]));
    });
}

#[test]
fn a_second_writer_waits_and_then_works() {
    on_each(|place| {
        let (mut first, mut second) = (place.open(), place.open());
        execute(&mut first, ACCOUNT).unwrap();
        let (begun, has_begun) = mpsc::sync_channel(1);
        let (coming, is_coming) = mpsc::sync_channel::<()>(1);
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut meeting = Some((begun, is_coming));
                let added = first.transaction(|session| {
                    let found = session.query("SELECT debits FROM balances", &[])?[0].int(0)?;
                    // Only the first time: where the two run into each other it is done again.
                    if let Some((begun, is_coming)) = meeting.take() {
                        begun.send(()).unwrap();
                        is_coming.recv().unwrap();
                    }
                    session.execute("UPDATE balances SET debits = ?1", &[(found + 1).into()])
                });
                assert_eq!(added.unwrap(), 1);
            });
            scope.spawn(move || {
                has_begun.recv().unwrap();
                coming.send(()).unwrap();
                add_one(&mut second).unwrap();
            });
        });
        assert_eq!(number(&mut place.open(), "SELECT debits FROM balances"), 2);
    });
}

#[test]
fn who_waits_too_long_is_told_and_may_try_again() {
    let place = Place::file();
    let mut database = place.try_open(20).unwrap();
    let other = rusqlite::Connection::open(&place.url).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = execute(&mut database, ACCOUNT).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.message().contains("busy"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(execute(&mut database, ACCOUNT).unwrap(), 1);

    on_server(|place| {
        let mut database = place.try_open(20).unwrap();
        let other = Admin::new(&place.url);
        other.run("BEGIN; LOCK TABLE balances IN ACCESS EXCLUSIVE MODE");
        let error = execute(&mut database, ACCOUNT).unwrap_err();
        assert!(error.message().contains("busy"), "{error}");
        other.run("ROLLBACK");
        assert_eq!(execute(&mut database, ACCOUNT).unwrap(), 1);
    });
}

#[test]
fn a_full_disk_loses_nothing_and_heals() {
    let place = Place::file();
    let mut database = place.open();
    execute(&mut database, ACCOUNT).unwrap();
    let pages = number(&mut database, "PRAGMA page_count");
    ask(&mut database, &format!("PRAGMA max_page_count = {}", pages + 2));
    let fill = |database: &mut Database| {
        database.transaction(|session| {
            session.execute("UPDATE balances SET debits = debits + 1", &[])?;
            let values = [Value::from("state"), vec![7; 100_000].into()];
            session.execute("INSERT INTO checkpoints (name, at, body) VALUES (?1, 0, ?2)", &values)
        })
    };
    for _ in 0..3 {
        let error = fill(&mut database).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.message().contains("full"), "{error}");
        assert_eq!(number(&mut database, "SELECT debits FROM balances"), 0);
        assert_eq!(number(&mut database, "SELECT COUNT(*) FROM checkpoints"), 0);
    }
    ask(&mut database, "PRAGMA max_page_count = 1000000");
    assert_eq!(fill(&mut database).unwrap(), 1);
    assert_eq!(number(&mut place.open(), "SELECT debits FROM balances"), 1);
}

#[cfg(unix)]
#[test]
fn a_file_that_went_away_is_missed_and_found_again() {
    let place = Place::file();
    let mut database = place.open();
    execute(&mut database, ACCOUNT).unwrap();
    let away = format!("{}-away", place.url);
    for name in ["", "-wal", "-shm"] {
        std::fs::rename(format!("{}{name}", place.url), format!("{away}{name}")).unwrap();
    }
    for _ in 0..2 {
        let error = add_one(&mut database).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.message().contains("gone"), "{error}");
        assert!(!std::path::Path::new(&place.url).exists(), "no empty book takes its place");
    }
    for name in ["", "-wal", "-shm"] {
        // The last one who closes a database removes its log.
        let _ = std::fs::rename(format!("{away}{name}"), format!("{}{name}", place.url));
    }
    add_one(&mut database).unwrap();
    assert_eq!(number(&mut database, "SELECT debits FROM balances"), 1);
}

#[test]
fn a_lost_connection_is_made_anew() {
    on_server(|place| {
        let mut database = place.open();
        execute(&mut database, ACCOUNT).unwrap();
        let admin = Admin::new(&server().unwrap());
        let id = "SELECT pg_backend_pid()";
        let end = |id: i64| admin.run(&format!("SELECT pg_terminate_backend({id}, 10000)"));
        // Between two transactions nobody notices.
        end(number(&mut database, id));
        add_one(&mut database).unwrap();
        // Within one it is lost, and the next one works.
        let mut kind = None;
        let lost = database.transaction(|session| {
            session.execute("UPDATE balances SET debits = 99", &[])?;
            end(session.query(id, &[])?[0].int(0)?);
            session.execute("UPDATE balances SET credits = 99", &[]).inspect_err(|failure| kind = Some(failure.kind))
        });
        assert_eq!((lost.unwrap_err().kind(), kind), (Kind::Unavailable, Some(FailureKind::Lost)));
        assert_eq!(number(&mut database, "SELECT debits FROM balances"), 1);
        // At its end nobody knows, but it was not kept here.
        let lost = database.transaction(|session| {
            session.execute("UPDATE balances SET debits = 99", &[])?;
            end(session.query(id, &[])?[0].int(0)?);
            Ok(())
        });
        assert_eq!(lost.unwrap_err().kind(), Kind::Unavailable);
        assert_eq!(number(&mut database, "SELECT debits FROM balances"), 1);
    });
}

#[test]
fn a_connection_is_private_where_that_is_asked() {
    on_server(|place| {
        if !place.url.contains(AUTHORITY) {
            left_out("a server's certificate", "`.ci/postgres start` makes one with openssl");
            return;
        }
        let question = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        for (parameter, private) in [("", 0), ("&sslmode=require", 1), ("&sslmode=verify-full", 1)] {
            let mut database = open(&format!("{}{parameter}", place.url), &Options::default(), NOW).unwrap();
            assert_eq!(number(&mut database, question), private, "{parameter}");
        }
        let unknown = place.url.replacen(AUTHORITY, "sslmode=require&application_name=", 1);
        let (kind, text) = refusal(&unknown, &Options::default());
        assert_eq!(kind, Kind::Unavailable, "{text}");
        assert!(text.contains("in private"), "{text}");
    });
}

#[test]
fn a_server_that_cannot_be_used_is_told_without_the_password() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("postgres://ada:secret@{}/shop?connect_timeout=1", listener.local_addr().unwrap());
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("postgres://ada:secret@{}/shop", listener.local_addr().unwrap())
    };
    let mut cases = vec![
        (silent, Kind::Unavailable, "does not answer"),
        (closed, Kind::Unavailable, "cannot reach"),
        ("postgres://ada:secret@nowhere.invalid/shop".to_owned(), Kind::Unavailable, "nowhere.invalid"),
        ("postgres://ada:secret@h:port/shop".to_owned(), Kind::Usage, "not the address"),
        ("postgres://ada:secret@h/shop?colour=red".to_owned(), Kind::Usage, "not the address"),
        ("postgres://ada:secret@h/shop?sslrootcert=no/such.pem".to_owned(), Kind::Input, "sslrootcert"),
    ];
    if let Some(server) = server() {
        let (_, host) = server.split_once('@').unwrap();
        let (address, rest) = host.split_once('/').unwrap();
        let (_, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let good = server.split_once(&format!("@{host}")).unwrap().0;
        cases.push((format!("postgres://aisle:secret@{host}"), Kind::Usage, "does not let this user in"));
        cases.push((format!("{good}@{address}/secretless?{parameters}"), Kind::Usage, "no such database"));
    }
    for (url, kind, said) in cases {
        let (found, text) = refusal(&url, &Options::default());
        assert_eq!(found, kind, "{text}");
        assert!(text.contains(said), "{text}");
        assert!(!text.contains(":secret"), "{text}");
    }
}
