//! A process that is killed while it writes: what it was told to be kept is kept, and nothing is kept by half.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use aisle::db::Database;

use super::place::{NOW, Place, on_each};

/// Where the process that is killed finds its database.
const CHILD: &str = "AISLE_TEST_KILLED";

/// How many commits are waited for before each kill. The kill itself hits wherever the next one has come to.
const COMMITS: [u32; 8] = [1, 2, 3, 5, 8, 13, 21, 34];

#[test]
fn a_killed_process_loses_nothing_it_was_promised() {
    if let Ok(url) = std::env::var(CHILD) {
        write_for_ever(&url);
        return;
    }
    on_each(|place| {
        place.open();
        let mut before = 0;
        for commits in COMMITS {
            let (mut child, promised) = kill_after(place, commits);
            assert!(!child.wait().unwrap().success());
            if place.is_file() {
                let log = std::fs::metadata(format!("{}-wal", place.url)).unwrap();
                assert!(0 < log.len(), "a killed process leaves its log behind");
            }
            let kept = whole_pairs(&mut place.open());
            assert!(before < promised && promised <= kept, "{promised} were promised, {kept} are there");
            before = kept;
        }
    });
}

/// Two rows in one table and a sum in another, again and again; each is told once it is kept.
fn write_for_ever(url: &str) {
    let mut database = aisle::db::open(url, &aisle::db::Options::default(), NOW).unwrap();
    loop {
        let number = database
            .transaction(|session| {
                session.execute("INSERT INTO balances VALUES ('a', 'EUR', 0, 0, 0, 0) ON CONFLICT DO NOTHING", &[])?;
                session.execute("UPDATE balances SET debits = debits + 1", &[])?;
                let number = session.query("SELECT debits FROM balances", &[])?[0].int(0)?;
                for half in [2 * number, 2 * number + 1] {
                    let row = "INSERT INTO audit VALUES (?1, 0, 'nobody', 'test', 'write', 'row', '')";
                    session.execute(row, &[half.into()])?;
                }
                Ok(number)
            })
            .unwrap();
        // Past the capture of the test's output.
        writeln!(std::io::stdout().lock(), "kept {number}").unwrap();
    }
}

/// Starts a process that writes, and kills it after so many commits; the last one that it told.
fn kill_after(place: &Place, commits: u32) -> (Child, i64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["db::killed::a_killed_process_loses_nothing_it_was_promised", "--exact", "--nocapture"])
        .env(CHILD, &place.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut numbers = told.by_ref().filter_map(|line| line.strip_prefix("kept ")?.parse::<i64>().ok());
    let counted = numbers.by_ref().take(commits as usize).last().unwrap();
    child.kill().unwrap();
    // What it told between the last line that was read and its end was promised too.
    let promised = numbers.last().unwrap_or(counted);
    (child, promised)
}

/// How many pairs of rows there are; all of them whole and as many as the sum says.
fn whole_pairs(database: &mut Database) -> i64 {
    let (sum, rows, last) = database
        .transaction(|session| {
            let sum = session.query("SELECT debits FROM balances", &[])?[0].int(0)?;
            let rows = session.query("SELECT COUNT(*), MAX(seq) FROM audit", &[])?;
            Ok((sum, rows[0].int(0)?, rows[0].int(1)?))
        })
        .unwrap();
    assert_eq!((rows, last), (2 * sum, 2 * sum + 1), "nothing is kept by half");
    sum
}
