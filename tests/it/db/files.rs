//! What happens to the files of an open book: its log, its index, the book itself.

use std::fs::{self, OpenOptions};

use aisle::base::{Kind, ShopTime};
use aisle::db::Database;
use aisle::db::access::{self, Deed};

use super::number;
use super::place::Place;

/// Writes a line of the audit log, which is sealed.
fn write(database: &mut Database) -> aisle::base::Result<()> {
    let text = |text: &str| text.to_owned();
    let deed = Deed {
        at: ShopTime::from_nanos(1),
        who: text("ann"),
        role: text("operator"),
        action: text("test"),
        subject: text("s"),
        detail: text(""),
    };
    database.transaction(|session| access::log(session, &deed))
}

fn lines(database: &mut Database) -> i64 {
    number(database, "SELECT COUNT(*) FROM audit")
}

/// Writes twice into a new book, does something to its files, and gives the book, still open.
fn after(harm: impl FnOnce(&str)) -> (Place, Database) {
    let place = Place::file();
    let mut database = place.open();
    write(&mut database).unwrap();
    write(&mut database).unwrap();
    harm(&place.url);
    (place, database)
}

#[track_caller]
fn refused(database: &mut Database, what: &str) {
    let error = write(database).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    assert!(error.message().contains(what), "{error}");
}

#[test]
fn a_log_that_is_removed_is_missed_and_what_was_in_it_is_saved() {
    let (place, mut database) = after(|url| fs::remove_file(format!("{url}-wal")).unwrap());
    refused(&mut database, "its log was removed while it was open; what was in it is saved");
    write(&mut database).unwrap();
    drop(database);
    assert_eq!(lines(&mut place.open()), 3);
}

#[test]
fn two_connections_outlive_a_removed_log() {
    let (place, mut first) = after(|_| {});
    let mut second = place.open();
    write(&mut second).unwrap();
    fs::remove_file(format!("{}-wal", place.url)).unwrap();
    refused(&mut first, "its log was removed");
    write(&mut first).unwrap();
    refused(&mut second, "its log was");
    write(&mut second).unwrap();
    assert_eq!((lines(&mut first), lines(&mut second)), (5, 5));
}

/// What somebody does to the files of a book, whose path it gets.
type Harm = fn(&str);

#[test]
fn a_book_without_what_was_in_its_log_takes_nothing_more() {
    let harms: [(&str, Harm); 4] = [
        ("its log was replaced", |url| {
            fs::remove_file(format!("{url}-wal")).unwrap();
            fs::write(format!("{url}-wal"), "").unwrap();
        }),
        ("", |url| fs::write(format!("{url}-wal"), "").unwrap()),
        ("its log was cut", |url| {
            let log = OpenOptions::new().write(true).open(format!("{url}-wal")).unwrap();
            log.set_len(log.metadata().unwrap().len() / 2).unwrap();
        }),
        ("", |url| OpenOptions::new().write(true).open(url).unwrap().set_len(0).unwrap()),
    ];
    for (what, harm) in harms {
        let (place, mut database) = after(harm);
        // Where the log was emptied the first step may only find that it cannot read it.
        let _ = write(&mut database).map(|()| panic!("{what}: written into the void"));
        if !what.is_empty() {
            let (_place, mut database) = after(harm);
            refused(&mut database, what);
        }
        for _ in 0..3 {
            assert!(write(&mut database).is_err(), "{what}");
        }
        drop((database, place));
    }
}

#[test]
fn an_older_copy_in_the_place_of_an_open_book_is_refused() {
    let place = Place::file();
    let mut database = place.open();
    write(&mut database).unwrap();
    drop(database);
    let copy = format!("{}-copy", place.url);
    fs::copy(&place.url, &copy).unwrap();
    let mut database = place.open();
    write(&mut database).unwrap();
    fs::rename(&copy, &place.url).unwrap();
    refused(&mut database, "the file was replaced");
    for name in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{name}", place.url));
    }
    refused(&mut database, "seal 2 that this process has written");
    refused(&mut database, "seal 2 that this process has written");
    // Whoever opens it now knows nothing of what was lost.
    assert_eq!(lines(&mut place.open()), 1);
}

#[test]
fn what_sqlite_does_by_itself_is_no_harm() {
    let (place, mut database) = after(|_| {});
    let other = rusqlite::Connection::open(&place.url).unwrap();
    for command in ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(RESTART)"] {
        // A checkpoint answers with a row.
        other.prepare(command).unwrap().query([]).unwrap().next().unwrap();
        write(&mut database).unwrap();
    }
    drop(other);
    assert_eq!(lines(&mut database), 5);
}
