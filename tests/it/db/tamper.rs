//! Whatever is changed in a book past aisle is found and named: every column of every table, rows that go, come or swap,
//! triggers, and a book that is taken back to an earlier state.

use std::collections::{BTreeMap, BTreeSet};

use aisle::base::{ShopTime, Span, TokenId};
use aisle::db::access::{self, Deed, Token};
use aisle::db::duties::Duty;
use aisle::db::{Database, companions, schema};
use aisle::facts::{Decision, EntryRole, Goods};
use aisle::ledger::{Anchor, Report};
use aisle::till::{Payer, Witnesses, check, check_with, ends};

use super::place::{Place, on_each};
use super::{ask, execute};
use crate::till::{Scene, cart};

/// Columns that are left out on purpose, as the page about the book says.
const LEFT_OUT: [&str; 7] = [
    "shops.described_at",
    "shoppers.name",
    "shoppers.contact",
    "carts.live",
    "payments.updated_at",
    "outbox.attempts",
    "outbox.due_at",
];
/// Also left out; null where nothing is unsure.
const UNSURE: &str = "outbox.unsure_since";
/// Tables that are not proved: messages that are remembered, keys to one stay, where the engine is, what was upgraded when.
const NOT_PROVED: [&str; 4] = ["notices", "passes", "checkpoints", "migrations"];
/// Tables that are proved by themselves; a finding names an account or a transfer.
const BY_THEMSELVES: [&str; 3] = ["transfers", "balances", "seals"];
/// Whose rows are deleted when their time is over.
const PASSING: &str = "evidence";

/// The columns of a table that name a row.
fn key(table: &str) -> &'static str {
    match table {
        "receipts" => "cart, version",
        "balances" => "account, currency",
        "transfers" | "seals" | "audit" => "seq",
        "shops" => "name",
        "evidence" | "duties" | "companions" => "cart",
        _ => "id",
    }
}

/// A book in which everything has happened: a usual visit, one in review, one corrected, one disputed and won, one of somebody
/// whom somebody else let in, one of somebody who fills shelves; with tokens and an audit log.
fn book(place: &Place) -> Database {
    let mut scene = Scene::on(place.open());
    for number in 1..=3 {
        scene.arrive("ann", number).unwrap();
        scene.leave(Payer::Cart(cart(number)), "salt 1, tea 2");
    }
    scene.leave_with(Payer::Unknown, "tea 1", 0.5);
    let (duty, now) = (Duty { role: EntryRole::Restock, token: None }, scene.now());
    scene.till.admit(duty, cart(90), "north", now).unwrap();
    scene.leave(Payer::Cart(cart(90)), "tea 4");
    scene.till.with(|session| companions::join(session, cart(2), cart(3))).unwrap();
    scene.settle();
    let now = scene.now();
    scene.till.contest(cart(2), "one tea", &[], now).unwrap();
    let case = scene.waiting().into_iter().find(|case| case.cart == cart(2)).unwrap();
    let line = Goods { sku: aisle::base::SkuId::new("tea"), quantity: aisle::base::Quantity::new(1) };
    scene.decide(&case, Decision::Change { lines: vec![line] }).unwrap();
    scene.settle();
    let reference = scene.payment(3).taken[0].settled.reference.clone();
    scene.sandbox.dispute(&reference).unwrap();
    scene.sandbox.close_dispute(&reference, true).unwrap();
    scene.hear();
    for who in ["gate", "rob"] {
        let id = TokenId::derived(&["tamper", who]);
        let token = Token {
            id,
            digest: who.to_owned(),
            role: "operator".to_owned(),
            holder: who.to_owned(),
            shopper: None,
            created_at: now,
            expires_at: None,
            revoked_at: None,
        };
        let deed = Deed {
            at: now,
            who: who.to_owned(),
            role: "operator".to_owned(),
            action: "token.create".to_owned(),
            subject: id.to_string(),
            detail: String::new(),
        };
        let write = |session: &mut dyn aisle::db::Session| {
            access::insert_token(session, &token)?;
            access::log(session, &deed)
        };
        scene.till.with(write).unwrap();
    }
    let mut database = scene.till.into_database();
    assert_eq!(check(&mut database, &[]).unwrap().findings, []);
    assert_eq!(check_at(&mut database, now).findings, []);
    database
}

/// What is found at some time.
fn check_at(database: &mut Database, now: ShopTime) -> Report {
    check_with(database, &Witnesses { now: Some(now), ..Witnesses::default() }).unwrap()
}

/// Evidence is there as long as the shop keeps it; who deletes it before has something to hide.
#[test]
fn evidence_that_goes_before_its_time_is_found() {
    let day = Span::from_millis(24 * 3_600_000);
    on_each(|place| {
        let mut scene = Scene::on(place.open());
        for number in 1..=2 {
            scene.arrive("ann", number).unwrap();
            scene.leave(Payer::Cart(cart(number)), "salt 1, tea 2");
        }
        scene.settle();
        let now = scene.now();
        let mut database = scene.till.into_database();
        assert_eq!(check_at(&mut database, now).findings, []);
        let one = cart(1).to_string();
        place.run_script(&format!("DELETE FROM evidence WHERE cart = '{one}'"));
        for (days, is_found) in [(0, true), (29, true), (31, false)] {
            let report = check_at(&mut database, now + day * days);
            let found: Vec<&str> = report.findings.iter().map(|finding| finding.subject.as_str()).collect();
            let wanted = [format!("evidence {one}")];
            assert_eq!(found, if is_found { wanted.iter().map(String::as_str).collect() } else { Vec::new() });
        }
        // A key that is none names no cart of which it could be the evidence.
        let other = cart(2).to_string();
        let unbound = match place.is_file() {
            true => "PRAGMA foreign_keys = OFF",
            false => "SET session_replication_role = replica",
        };
        place.run_script(&format!("{unbound}; UPDATE evidence SET cart = 'x' WHERE cart = '{other}'"));
        let report = check_at(&mut database, now);
        let found: BTreeSet<String> = report.findings.iter().map(|finding| finding.subject.clone()).collect();
        assert_eq!(found, ["x", &one, &other].map(|cart| format!("evidence {cart}")).into());
    });
}

/// A book that can be changed past aisle and put back as it was.
struct Victim<'a> {
    place: &'a Place,
    database: Database,
    /// Names, tables and definitions of triggers in SQLite.
    triggers: Vec<(String, String)>,
}

impl<'a> Victim<'a> {
    fn new(place: &'a Place) -> Self {
        let mut database = book(place);
        let mut triggers = Vec::new();
        if place.is_file() {
            let rows = ask(&mut database, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'");
            let text = |row: &aisle::db::Row, column| row.text(column).unwrap().to_owned();
            triggers = rows.iter().map(|row| (text(row, 0), text(row, 1))).collect();
        }
        Victim { place, database, triggers }
    }

    fn tables(&mut self) -> BTreeMap<String, Vec<(String, bool)>> {
        let mut tables: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
        for line in schema(&mut self.database).unwrap() {
            if let Some(column) = line.strip_prefix("column ") {
                let (name, what) = column.split_once(' ').unwrap();
                let (table, column) = name.split_once('.').unwrap();
                let is_number = what.starts_with("BIGINT");
                tables.entry(table.to_owned()).or_default().push((column.to_owned(), is_number));
            }
        }
        tables.retain(|table, _| !NOT_PROVED.contains(&table.as_str()));
        tables
    }

    /// Runs statements that change a table, as somebody would who takes the triggers away and puts them back.
    fn harm(&self, table: &str, statements: &str) {
        let script = if self.place.is_file() {
            let drop = self.triggers.iter().map(|(name, _)| format!("DROP TRIGGER {name};\n"));
            let make = self.triggers.iter().map(|(_, sql)| format!("{sql};\n"));
            format!(
                "PRAGMA foreign_keys = OFF; BEGIN;\n{}{statements};\n{}COMMIT;",
                drop.collect::<String>(),
                make.collect::<String>()
            )
        } else {
            let always = |state: &str| match table {
                "transfers" | "receipts" | "audit" | "seals" => {
                    let trigger = |what| format!("ALTER TABLE {table} {state} TRIGGER {table}_no_{what};\n");
                    trigger("change") + &trigger("truncate")
                }
                _ => String::new(),
            };
            format!(
                "BEGIN; SET LOCAL session_replication_role = replica;\n{}{statements};\n{}COMMIT;",
                always("DISABLE"),
                always("ENABLE ALWAYS")
            )
        };
        self.place.run_script(&script);
    }

    /// What is found while a table is so; then it is as before.
    fn found(&mut self, table: &str, statements: &str) -> Report {
        execute(&mut self.database, &format!("CREATE TABLE was_there AS SELECT * FROM {table}")).unwrap();
        self.harm(table, statements);
        let mut report = check(&mut self.database, &[]).unwrap();
        self.harm(table, &format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM was_there"));
        execute(&mut self.database, "DROP TABLE was_there").unwrap();
        // The copy itself is named too: it is no table of aisle's.
        report.findings.retain(|finding| !finding.subject.contains("was_there"));
        report
    }

    /// That something which was done to a table is found, with a finding that names the row or at least the table.
    #[track_caller]
    fn expect(&mut self, table: &str, what: &str, statements: &str) {
        let report = self.found(table, statements);
        let named = report.findings.iter().any(|finding| {
            BY_THEMSELVES.contains(&table) || finding.subject.contains(table) || finding.found.contains(table)
        });
        assert!(named, "{what}: {:#?}", report.findings);
    }
}

fn newest(table: &str) -> String {
    let key = key(table);
    format!("({key}) = (SELECT {key} FROM {table} ORDER BY {} DESC LIMIT 1)", key.replace(", ", " DESC, "))
}

#[test]
fn every_column_that_is_changed_is_found() {
    on_each(|place| {
        let mut victim = Victim::new(place);
        let tables = victim.tables();
        for (table, columns) in &tables {
            for (column, is_number) in columns {
                let name = format!("{table}.{column}");
                let which = match name.as_str() {
                    "transfers.reservation" => "seq = (SELECT MAX(seq) FROM transfers WHERE kind = 'post')".to_owned(),
                    "transfers.kind" => "seq = (SELECT MAX(seq) FROM transfers WHERE kind = 'direct')".to_owned(),
                    _ => newest(table),
                };
                let value = match is_number {
                    true => format!("COALESCE({column}, 0) + 1"),
                    // Of a cart that is closed nothing is known any more; whatever stands there is JSON.
                    false if name == "carts.live" => "'{}'".to_owned(),
                    false => format!("COALESCE({column}, '') || ' '"),
                };
                let statement = format!("UPDATE {table} SET {column} = {value} WHERE {which}");
                if LEFT_OUT.contains(&name.as_str()) || name == UNSURE {
                    assert_eq!(victim.found(table, &statement).findings, [], "{name} is left out");
                } else {
                    victim.expect(table, &name, &statement);
                }
            }
        }
        assert_eq!(check(&mut victim.database, &[]).unwrap().findings, [], "everything is as it was");
    });
}

#[test]
fn rows_that_go_come_or_swap_are_found() {
    on_each(|place| {
        let mut victim = Victim::new(place);
        let tables = victim.tables();
        for table in tables.keys() {
            for which in [newest(table), "1 = 1".to_owned()] {
                let statement = format!("DELETE FROM {table} WHERE {which}");
                if table == PASSING {
                    assert_eq!(victim.found(table, &statement).findings, [], "evidence may be gone");
                } else {
                    victim.expect(table, &statement, &statement);
                }
            }
        }
        let new = [
            ("receipts", "SELECT cart, version + 1, made_at, origin, body"),
            ("audit", "SELECT seq + 1, at, who, role, action, subject, detail"),
            ("tokens", "SELECT id || 'x', digest || 'x', role, holder, shopper, created_at, expires_at, revoked_at"),
            ("cases", "SELECT id || 'x', cart, receipt, opened_at, decided_at, body"),
        ];
        for (table, columns) in new {
            let statement = format!("INSERT INTO {table} {columns} FROM {table} WHERE {}", newest(table));
            victim.expect(table, &statement, &statement);
        }
        let swaps = [
            ("audit", "who", "seq"),
            ("tokens", "holder", "id"),
            ("receipts", "body", "version"),
            ("payments", "body", "id"),
        ];
        for (table, column, key) in swaps {
            let end = |end: &str| format!("(SELECT {end}({key}) FROM {table})");
            let value = |end: &str| {
                let which = format!("{key} = (SELECT {end}({key}) FROM {table})");
                format!("(SELECT MAX({column}) FROM {table} WHERE {which})")
            };
            let (least, most) = (end("MIN"), end("MAX"));
            let swap = format!(
                "UPDATE {table} SET {column} = CASE WHEN {key} = {least} THEN {} ELSE {} END WHERE {key} IN ({least}, {most})",
                value("MAX"),
                value("MIN")
            );
            victim.expect(table, &swap, &swap);
        }
    });
}

#[test]
fn a_sealed_row_that_is_sealed_again_is_found_where_it_is_written_once() {
    on_each(|place| {
        let mut victim = Victim::new(place);
        victim.harm("audit", "UPDATE audit SET who = 'nobody' WHERE seq = 1");
        let seal = |session: &mut dyn aisle::db::Session| session.seal("audit", "1".to_owned(), "0".repeat(64));
        victim.database.transaction(seal).unwrap();
        let findings = check(&mut victim.database, &[]).unwrap().findings;
        assert!(findings.iter().any(|finding| finding.subject == "audit 1"), "{findings:#?}");
    });
}

#[test]
fn who_lets_a_cart_out_of_review_is_found_though_the_cart_is_sealed_again() {
    on_each(|place| {
        let mut database = book(place);
        let let_go = |session: &mut dyn aisle::db::Session| {
            let rows = session.query("SELECT id FROM carts WHERE state = 'review'", &[])?;
            let id: aisle::base::CartId = rows[0].name(0)?;
            let mut cart = aisle::db::carts::get(session, id)?.unwrap();
            cart.state = aisle::db::carts::CartState::Settled;
            aisle::db::carts::update(session, &cart)?;
            Ok(id)
        };
        let id = database.transaction(let_go).unwrap().to_string();
        let findings = check(&mut database, &[]).unwrap().findings;
        assert!(!findings.is_empty() && findings.iter().all(|finding| finding.subject == id), "{findings:#?}");
    });
}

#[test]
fn tables_triggers_and_indexes_are_as_the_migrations_make_them() {
    let on_file = [
        ("trigger audit_no_update on audit", "DROP TRIGGER audit_no_update"),
        (
            "trigger audit_no_update on audit",
            "DROP TRIGGER audit_no_update; CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT 1; END",
        ),
        ("trigger quiet on transfers", "CREATE TRIGGER quiet AFTER INSERT ON transfers BEGIN SELECT 1; END"),
        ("index outbox_by_due on outbox", "DROP INDEX outbox_by_due"),
        ("column tokens.extra", "ALTER TABLE tokens ADD COLUMN extra TEXT"),
    ];
    let on_server = [
        ("trigger audit_no_change on audit", "DROP TRIGGER audit_no_change ON audit"),
        ("trigger audit_no_change on audit", "ALTER TABLE audit DISABLE TRIGGER audit_no_change"),
        ("trigger audit_no_change on audit", "ALTER TABLE audit ENABLE TRIGGER audit_no_change"),
        (
            "function refuse_change",
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        ),
        ("rule quiet on audit", "CREATE RULE quiet AS ON INSERT TO audit DO INSTEAD NOTHING"),
        ("index outbox_by_due on outbox", "DROP INDEX outbox_by_due"),
        ("column tokens.extra", "ALTER TABLE tokens ADD COLUMN extra TEXT"),
    ];
    for is_file in [true, false] {
        for (name, change) in if is_file { &on_file[..] } else { &on_server[..] } {
            let Some(place) = (if is_file { Some(Place::file()) } else { Place::schema() }) else { return };
            let mut database = place.open();
            assert_eq!(check(&mut database, &[]).unwrap().findings, []);
            place.run_script(change);
            let findings = check(&mut database, &[]).unwrap().findings;
            assert!(findings.iter().any(|finding| finding.subject == *name), "{change}: {findings:#?}");
        }
    }
}

#[test]
fn a_book_that_is_taken_back_is_found_by_its_anchors() {
    let place = Place::file();
    drop(book(&place));
    let copy = std::fs::read(&place.url).unwrap();
    let mut database = place.open();
    let anchor = |database: &mut Database| {
        let [transfers, seals] = database.transaction(ends).unwrap();
        Anchor::new(ShopTime::from_nanos(0), transfers, seals, None)
    };
    let before = anchor(&mut database);
    let mut scene = Scene::on(database);
    scene.arrive("ann", 9).unwrap();
    scene.leave(Payer::Cart(cart(9)), "tea 1");
    let mut database = scene.till.into_database();
    let after = anchor(&mut database);
    let proof = |database: &mut Database, anchors: &[&Anchor]| {
        let anchors = (1..).zip(anchors.iter().map(|anchor| (*anchor).clone())).collect();
        let report = check_with(database, &Witnesses { anchors, ..Witnesses::default() }).unwrap();
        report.findings.iter().map(|finding| format!("{}, {}", finding.check, finding.subject)).collect::<Vec<_>>()
    };
    assert!(proof(&mut database, &[&before, &after]).is_empty());
    drop(database);
    std::fs::write(&place.url, copy).unwrap();
    let mut taken_back = place.open();
    assert!(proof(&mut taken_back, &[&before]).is_empty(), "an earlier book is in order by itself");
    let line = "anchor, line 2, of 1970-01-01T00:00:00.000Z";
    assert_eq!(proof(&mut taken_back, &[&before, &after]), [line, line], "both chains are shorter");
}

#[test]
fn what_cannot_be_read_is_a_finding() {
    on_each(|place| {
        let mut victim = Victim::new(place);
        for (table, statement) in [
            ("receipts", "UPDATE receipts SET body = '{'"),
            ("carts", "UPDATE carts SET state = 'gone'"),
            ("outbox", "UPDATE outbox SET state = 'gone'"),
            ("transfers", "UPDATE transfers SET reason = 'gone' WHERE seq = 1"),
        ] {
            victim.expect(table, statement, statement);
        }
    });
}
