//! A pooler that gives every transaction another connection to the server.

use std::sync::Barrier;
use std::thread;

use aisle::base::Kind;
use aisle::db::{Database, Options, open};

use super::super::left_out::left_out;
use super::place::{Admin, NOW, server};
use super::{ACCOUNT, add_one, execute, number, refusal};

/// Which pooler is tested; `.ci/postgres pooler` makes one.
const POOLER: &str = "AISLE_TEST_POOLER";
const WRITERS: usize = 6;
const TIMES: usize = 10;

#[test]
fn a_pooler_in_transaction_mode_does_no_harm() {
    let pooler = std::env::var(POOLER).ok().filter(|url| !url.is_empty());
    let (Some(pooler), Some(server)) = (pooler, server()) else {
        return left_out("a pooler", &format!("{POOLER} names none, `.ci/postgres pooler` makes one"));
    };
    let admin = Admin::new(&server);
    let name = format!("aisle_pooled_{}", std::process::id());
    admin.run(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"));
    let url = format!("{}/{name}", pooler.rsplit_once('/').unwrap().0);
    let connect = || -> Database { open(&url, &Options::default(), NOW).unwrap() };
    execute(&mut connect(), ACCOUNT).unwrap();

    // More of them than the pooler has connections, so that they get each other's.
    let barrier = Barrier::new(WRITERS);
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut database = connect();
                barrier.wait();
                for _ in 0..TIMES {
                    add_one(&mut database).unwrap();
                    let append =
                        "INSERT INTO audit SELECT COALESCE(MAX(seq), 0) + 1, 1, 'w', 'r', 'a', 's', 'd' FROM audit";
                    assert_eq!(execute(&mut database, append).unwrap(), 1);
                }
            });
        }
    });
    let mut database = connect();
    assert_eq!(number(&mut database, "SELECT debits FROM balances"), (WRITERS * TIMES) as i64);
    assert_eq!(number(&mut database, "SELECT MAX(seq) FROM audit"), (WRITERS * TIMES) as i64);

    // Whoever comes to these connections after us finds them as they were.
    let stranger = Admin::new(&url);
    for _ in 0..WRITERS {
        assert_eq!(stranger.ask("SHOW lock_timeout"), "0");
        assert_eq!(stranger.ask("SHOW statement_timeout"), "0");
        assert_eq!(stranger.ask("SELECT COUNT(*) FROM pg_prepared_statements"), "0");
    }
    let (kind, text) = refusal(&format!("{url}?options=-csearch_path%3Dpublic"), &Options::default());
    assert_eq!(kind, Kind::Usage, "{text}");
    assert!(text.contains("pooler") && text.contains("search_path"), "{text}");
    drop((database, stranger));
    admin.run(&format!("DROP DATABASE {name} WITH (FORCE)"));
}
