//! Databases of every version that was released, upgraded to the newest and compared with a new one.
//!
//! `tests/data/db/v<N>-<engine>.sql` is what a database of version N was. Files of released versions are never
//! written anew; that of the newest is by `AISLE_FREEZE=1`, for which PostgreSQL's `pg_dump` must be installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aisle::db::{Database, Failure, Row, schema};

use super::place::{Place, on_each, on_server};

/// Rows of the first version, to see that an upgrade keeps them.
const ROWS: &str = "\
INSERT INTO shops (name, described_at, body) VALUES ('corner', 1, '{}');
INSERT INTO shoppers (id, name, created_at) VALUES ('shopper_1', 'Ada', 1);
INSERT INTO carts (id, shop, shopper, entered_at, state) VALUES ('cart_1', 'corner', 'shopper_1', 2, 'settled');
INSERT INTO receipts (cart, version, made_at, origin, body) VALUES ('cart_1', 1, 3, 'engine', '{}');
INSERT INTO transfers (seq, id, kind, reason, debit, credit, amount, currency, cart, at, digest)
  VALUES (1, 'transfer_1', 'direct', 'sale', 'shopper/1', 'revenue', 250, 'EUR', 'cart_1', 4, 'd');
INSERT INTO audit (seq, at, who, role, action, subject, detail) VALUES (1, 5, 'ada', 'operator', 'a', 'b', 'c');
";

#[test]
fn an_upgraded_database_equals_a_new_one() {
    on_each(|place| {
        let mut new = place.open();
        let engine = new.engine_name();
        let newest = version(&mut new);
        if std::env::var_os("AISLE_FREEZE").is_some_and(|value| value == "1") {
            let script = definitions(place, &mut new) + &notes(&mut new) + ROWS;
            fs::write(folder().join(format!("v{newest}-{engine}.sql")), script).unwrap();
        }
        let expected = schema(&mut new).unwrap();
        for number in 1..=newest {
            let file = folder().join(format!("v{number}-{engine}.sql"));
            let script = fs::read_to_string(&file).unwrap();
            let old = if place.is_file() { Place::file() } else { Place::schema().unwrap() };
            old.run_script(&script);
            let mut upgraded = old.open();
            assert_eq!(schema(&mut upgraded).unwrap(), expected, "{}", file.display());
            assert_eq!(version(&mut upgraded), newest);
            let kept = "SELECT t.amount, s.name FROM transfers t JOIN carts c ON c.id = t.cart
                JOIN shoppers s ON s.id = c.shopper JOIN receipts r ON r.cart = c.id";
            let rows = upgraded.transaction(|session| session.query(kept, &[])).unwrap();
            assert_eq!((rows[0].int(0).unwrap(), rows[0].text(1).unwrap()), (250, "Ada"));
            if number == 1 {
                // What was there before there were seals is sealed as it stands: a shop, a shopper, a cart, a receipt and
                // a line of the audit log.
                let seals = upgraded.transaction(|session| aisle::db::seals::after(session, 0, 10)).unwrap();
                let kinds: Vec<_> = seals.iter().map(|seal| seal.kind.as_str()).collect();
                assert_eq!(kinds, ["audit", "carts", "receipts", "shoppers", "shops"]);
            }
        }
    });
}

/// `aisle ledger check` holds a database on a server against this file, because it cannot make one beside it.
#[test]
fn what_a_server_should_have_is_what_the_migrations_make() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/money/src/db/migrations/schema-postgresql.txt");
    on_server(|place| {
        let found = schema(&mut place.open()).unwrap().join("\n") + "\n";
        if std::env::var_os("AISLE_FREEZE").is_some_and(|value| value == "1") {
            fs::write(&file, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&file).unwrap());
    });
}

#[test]
fn both_engines_have_the_same_columns() {
    let portable = |place: &Place| {
        let lines = schema(&mut place.open()).unwrap();
        lines.into_iter().filter(|line| !line.starts_with("definition ")).collect::<Vec<_>>()
    };
    let file = portable(&Place::file());
    for line in ["table transfers", "column transfers.amount BIGINT NOT NULL", "column carts.left_at BIGINT"] {
        assert!(file.contains(&line.to_owned()), "{file:#?}");
    }
    on_server(|place| assert_eq!(portable(place), file));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/db")
}

fn version(database: &mut Database) -> i64 {
    database.transaction(|session| session.query("SELECT MAX(version) FROM migrations", &[])?[0].int(0)).unwrap()
}

/// What makes the tables as they are.
fn definitions(place: &Place, database: &mut Database) -> String {
    let Some(schema) = place.schema_name() else {
        let found = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid";
        let rows = database.transaction(|session| session.query(found, &[])).unwrap();
        return rows.iter().map(|row| format!("{};\n", row.text(0).unwrap())).collect();
    };
    let dump = Command::new("pg_dump")
        .args(["--schema-only", "--no-owner", "--no-privileges", "--schema", schema, &place.url])
        .output()
        .unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let text = String::from_utf8(dump.stdout).unwrap().replace(&format!("{schema}."), "");
    // Settings are of the connection that makes the dump.
    let noise = ["--", "SET ", "SELECT pg_catalog", "CREATE SCHEMA", "\\restrict", "\\unrestrict"];
    let kept = text.lines().filter(|line| !line.is_empty() && !noise.iter().any(|noise| line.starts_with(noise)));
    kept.map(|line| format!("{line}\n")).collect()
}

/// The notes of what was done to it.
fn notes(database: &mut Database) -> String {
    let found = "SELECT version, name, digest, applied_at FROM migrations ORDER BY version";
    let rows = database.transaction(|session| session.query(found, &[])).unwrap();
    let note = |row: &Row| {
        let (version, name, digest, at) = (row.int(0)?, row.text(1)?, row.text(2)?, row.int(3)?);
        Ok::<_, Failure>(format!("INSERT INTO migrations VALUES ({version}, '{name}', '{digest}', {at});\n"))
    };
    rows.iter().map(|row| note(row).unwrap()).collect()
}
