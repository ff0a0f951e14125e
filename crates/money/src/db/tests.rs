use super::faulty::{Faulty, Mischance, Moment};
use super::{Database, FailureKind, Options, open};
use crate::base::{Kind, Result, ShopTime};

const NOW: ShopTime = ShopTime::from_nanos(1_700_000_000_000_000_000);

#[test]
fn memory_is_a_database() {
    let mut database = open("sqlite::memory:", &Options::default(), NOW).unwrap();
    let applied = database.transaction(|session| session.query("SELECT applied_at FROM migrations", &[])).unwrap();
    assert_eq!(applied[0].int(0).unwrap(), NOW.as_nanos());
}

fn memory() -> Database {
    open("sqlite::memory:", &Options::default(), NOW).unwrap()
}

/// Adds one to the debits of an account.
fn add_one(database: &mut Database) -> Result<()> {
    database.transaction(|session| {
        session.execute("INSERT INTO balances VALUES ('a', 'EUR', 0, 0, 0, 0) ON CONFLICT DO NOTHING", &[])?;
        session.execute("UPDATE balances SET debits = debits + 1", &[])?;
        Ok(())
    })
}

fn debits(database: &mut Database) -> i64 {
    let rows = database.transaction(|session| session.query("SELECT debits FROM balances", &[])).unwrap();
    rows.first().map_or(0, |row| row.int(0).unwrap())
}

/// What one mischance at one moment leads to: the message, and what is in the database afterwards.
fn after(struck: fn(Moment<'_>) -> bool, mischance: Mischance) -> (Result<()>, i64) {
    let mut armed = true;
    let mischief = move |moment: Moment<'_>| {
        let now = armed && struck(moment);
        armed &= !now;
        now.then_some(mischance)
    };
    let faulty = Faulty::new(memory().into_engine(), mischief);
    let life = faulty.life();
    let mut database = Database::new(Box::new(faulty));
    let done = add_one(&mut database);
    if mischance == Mischance::Die {
        assert!(!life.is_alive());
        assert!(add_one(&mut database).is_err(), "the dead do nothing");
        life.revive();
    }
    let kept = debits(&mut database);
    (done, kept)
}

#[test]
fn what_fails_before_it_is_committed_is_not_kept() {
    let moments: [fn(Moment<'_>) -> bool; 3] = [
        |at| at == Moment::Begin,
        |at| matches!(at, Moment::Statement(text) if text.starts_with("UPDATE")),
        |at| at == Moment::Commit,
    ];
    for struck in moments {
        for kind in [FailureKind::Busy, FailureKind::Full, FailureKind::Lost] {
            let (done, kept) = after(struck, Mischance::Fail(kind));
            assert_eq!(done.unwrap_err().kind(), Kind::Unavailable);
            assert_eq!(kept, 0);
        }
        let (done, kept) = after(struck, Mischance::Die);
        assert_eq!((done.unwrap_err().kind(), kept), (Kind::Unavailable, 0));
    }
}

#[test]
fn what_is_lost_after_it_was_committed_is_kept() {
    for mischance in [Mischance::Fail(FailureKind::Lost), Mischance::Die] {
        let (done, kept) = after(|at| at == Moment::Committed, mischance);
        assert_eq!((done.unwrap_err().kind(), kept), (Kind::Unavailable, 1));
    }
}

#[test]
fn a_conflict_is_tried_again_and_a_lasting_one_is_told() {
    let (done, kept) = after(|at| at == Moment::Commit, Mischance::Fail(FailureKind::Conflict));
    assert_eq!((done.is_ok(), kept), (true, 1));
    let always = |at: Moment<'_>| (at == Moment::Commit).then_some(Mischance::Fail(FailureKind::Conflict));
    let mut database = Database::new(Box::new(Faulty::new(memory().into_engine(), always)));
    assert_eq!(add_one(&mut database).unwrap_err().kind(), Kind::Unavailable);
}

#[test]
fn a_panic_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = open(folder.path().join("a.db").to_str().unwrap(), &Options::default(), NOW).unwrap();
    add_one(&mut database).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = database.transaction::<()>(|session| {
            session.execute("UPDATE balances SET debits = 7", &[])?;
            panic!("in the middle of it");
        });
    }));
    assert!(panicked.is_err());
    assert_eq!(debits(&mut database), 1);
}
