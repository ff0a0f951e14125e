use std::panic::AssertUnwindSafe;

use super::super::tests::{Standing, declined, done, order as named};
use super::entry::Outcome;
use super::*;
use crate::base::{Currency, Money};
use crate::facts::{About, MoneyMovement, PaymentMethod, Settled, Task};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn order(name: &str, token: &str, task: Task, minor: i64) -> Order {
    let method = PaymentMethod { provider: "sandbox".into(), customer: "anna".into(), token: token.into() };
    named(name, &method, task, minor, "USD")
}

fn sandbox() -> (Sandbox, Arc<Standing>) {
    let clock = Standing::new();
    (Sandbox::new(clock.clone()), clock)
}

#[test]
fn a_hold_is_captured_once_and_refunded_in_parts() {
    let (sandbox, _) = sandbox();
    let hold = done(&sandbox, &order("hold", "ok", Task::Authorise, 5_000));
    let capture = order("capture", "ok", Task::Capture { hold: hold.clone() }, 1_250);
    let taken = done(&sandbox, &capture);
    assert_eq!(done(&sandbox, &capture), taken, "the same order again is the same movement");
    let again = sandbox.submit(&order("again", "ok", Task::Capture { hold: hold.clone() }, 1));
    assert_eq!(declined(&again), ("already_captured", false));
    assert_eq!(declined(&sandbox.submit(&order("void", "ok", Task::Void { hold }, 0))).0, "already_captured");

    done(&sandbox, &order("refund 1", "ok", Task::Refund { of: taken.clone() }, 1_000));
    done(&sandbox, &order("refund 2", "ok", Task::Refund { of: taken.clone() }, 250));
    let third = sandbox.submit(&order("refund 3", "ok", Task::Refund { of: taken }, 1));
    assert!(matches!(third, Answer::Faulty { .. }), "{third:?}");

    let statement = sandbox.statement().unwrap().unwrap();
    let moved: Vec<_> = statement.iter().map(|line| (line.movement, line.amount.minor)).collect();
    use MoneyMovement::{GivenBack, Taken};
    assert_eq!(moved, [(Taken, 1_250), (GivenBack, 1_000), (GivenBack, 250)]);
}

#[test]
fn the_same_id_with_other_parameters_is_refused() {
    let (sandbox, _) = sandbox();
    let first = order("charge", "ok", Task::Charge, 100);
    done(&sandbox, &first);
    let other = sandbox.submit(&Order { amount: usd(200), ..first.clone() });
    assert!(matches!(other, Answer::Faulty { .. }), "{other:?}");
    done(&sandbox, &Order { made_at: ShopTime::from_nanos(9), ..first });
    assert_eq!(sandbox.statement().unwrap().unwrap().len(), 1);
}

#[test]
fn tokens_behave_as_the_table_says() {
    let (sandbox, _) = sandbox();
    let charge = |token: &str| sandbox.submit(&order(token, token, Task::Charge, 100));
    assert!(matches!(charge("ok"), Answer::Done { .. }));
    assert_eq!(declined(&charge("declined")), ("generic_decline", false));
    assert_eq!(declined(&charge("insufficient_funds")), ("insufficient_funds", false));
    assert_eq!(declined(&charge("authentication_required")), ("authentication_required", true));
    assert!(matches!(charge("4242"), Answer::Faulty { .. }));
    let hold = done(&sandbox, &order("hold", "decline_on_capture", Task::Authorise, 100));
    let capture = sandbox.submit(&order("capture", "decline_on_capture", Task::Capture { hold }, 100));
    assert_eq!(declined(&capture).0, "generic_decline");
    let of = done(&sandbox, &order("taken", "refund_fails", Task::Charge, 100));
    let refund = sandbox.submit(&order("refund", "refund_fails", Task::Refund { of }, 100));
    assert_eq!(declined(&refund).0, "refund_failed");
}

#[test]
fn what_is_slow_is_pending_until_it_is_due() {
    let (sandbox, clock) = sandbox();
    for (token, ends_well) in [("slow", true), ("slow_decline", false)] {
        let charge = order(token, token, Task::Charge, 100);
        assert!(matches!(sandbox.submit(&charge), Answer::Pending { .. }));
        assert!(matches!(sandbox.query(&charge, None), Answer::Pending { .. }));
        assert!(sandbox.take_notices(clock.now()).is_empty());
        clock.on(SLOW_SPAN);
        assert_eq!(matches!(sandbox.query(&charge, None), Answer::Done { .. }), ends_well);
        assert_eq!(sandbox.take_notices(clock.now()).len(), 1);
    }
    assert_eq!(sandbox.statement().unwrap().unwrap().len(), 1);
}

#[test]
fn a_hold_expires_and_can_still_be_released() {
    let (sandbox, clock) = sandbox();
    let sandbox = sandbox.with_hold_span(Span::from_millis(1_000));
    let hold = done(&sandbox, &order("hold", "ok", Task::Authorise, 100));
    clock.on(Span::from_millis(1_000));
    let late = sandbox.submit(&order("capture", "ok", Task::Capture { hold: hold.clone() }, 100));
    assert_eq!(declined(&late).0, "hold_expired");
    done(&sandbox, &order("void", "ok", Task::Void { hold }, 0));
}

#[test]
fn what_does_not_fit_is_faulty() {
    let (sandbox, _) = sandbox();
    let hold = done(&sandbox, &order("hold", "ok", Task::Authorise, 100));
    let unknown = Settled { reference: "sb_0".into(), ..hold.clone() };
    let euros = Order { amount: Money::new(5, "EUR".parse().unwrap()), ..order("a", "ok", Task::Charge, 5) };
    let euros = Order { task: Task::Capture { hold: hold.clone() }, ..euros };
    let wrong = [
        order("b", "ok", Task::Capture { hold: hold.clone() }, 101),
        order("c", "ok", Task::Capture { hold: unknown }, 1),
        order("d", "ok", Task::Refund { of: hold.clone() }, 1),
        order("e", "ok", Task::Charge, 0),
        order("f", "ok", Task::Charge, -1),
        order("g", "ok", Task::Void { hold }, 1),
        euros,
    ];
    for order in wrong {
        let answer = sandbox.submit(&order);
        assert!(matches!(answer, Answer::Faulty { .. }), "{:?} {answer:?}", order.task);
    }
    assert!(sandbox.statement().unwrap().unwrap().is_empty());
}

#[test]
fn after_a_lost_answer_asking_again_tells_and_moves_nothing_twice() {
    let (sandbox, _) = sandbox();
    let charge = order("charge", "ok", Task::Charge, 100);
    sandbox.set_faults(Faults { timeout_after: 1.0, ..Faults::default() });
    assert!(matches!(sandbox.submit(&charge), Answer::Unknown { .. }));
    assert!(matches!(sandbox.submit(&charge), Answer::Unknown { .. }));
    sandbox.set_faults(Faults { timeout_before: 1.0, ..Faults::default() });
    let never = order("never", "ok", Task::Charge, 100);
    assert!(matches!(sandbox.submit(&never), Answer::Unknown { .. }));
    sandbox.set_faults(Faults::default());
    assert!(matches!(sandbox.query(&never, None), Answer::Unavailable { .. }), "never heard of");
    assert!(matches!(sandbox.query(&charge, None), Answer::Done { .. }));
    done(&sandbox, &charge);
    assert_eq!(sandbox.statement().unwrap().unwrap().len(), 1);
}

#[test]
fn in_an_outage_nothing_is_done() {
    let (sandbox, clock) = sandbox();
    sandbox.set_down(true);
    let charge = order("charge", "ok", Task::Charge, 100);
    assert!(matches!(sandbox.submit(&charge), Answer::Unavailable { .. }));
    assert!(matches!(sandbox.query(&charge, None), Answer::Unknown { .. }));
    assert!(sandbox.statement().is_err());
    sandbox.set_down(false);
    assert!(sandbox.statement().unwrap().unwrap().is_empty());
    done(&sandbox, &charge);
    sandbox.set_down(true);
    assert!(sandbox.take_notices(clock.now()).is_empty());
}

#[test]
fn faults_are_as_frequent_as_asked_and_the_same_for_a_seed() {
    let faults = Faults { seed: 7, decline: 0.2, timeout_before: 0.3, unavailable: 0.1, ..Faults::default() };
    let run = |seed| {
        let (sandbox, _) = sandbox();
        let sandbox = sandbox.with_faults(Faults { seed, ..faults });
        let charges = (0..1_000).map(|n| sandbox.submit(&order(&n.to_string(), "ok", Task::Charge, 1)));
        charges.collect::<Vec<_>>()
    };
    let answers = run(7);
    assert_eq!(answers, run(7));
    assert_ne!(answers, run(8));
    let share = |of: fn(&Answer) -> bool| answers.iter().filter(|answer| of(answer)).count();
    // Means of 100, 270 and 126; five deviations are about 47, 70 and 52.
    assert!((53..147).contains(&share(|a| matches!(a, Answer::Unavailable { .. }))));
    assert!((200..340).contains(&share(|a| matches!(a, Answer::Unknown { .. }))));
    assert!((74..178).contains(&share(|a| matches!(a, Answer::Declined { .. }))));
}

#[test]
fn notices_are_signed_and_say_what_they_are_about() {
    let (sandbox, clock) = sandbox();
    let charge = order("charge", "ok", Task::Charge, 100);
    let taken = done(&sandbox, &charge);
    sandbox.dispute(&taken.reference).unwrap();
    assert!(sandbox.dispute("sb_unknown").is_err());
    let notices = sandbox.take_notices(clock.now());
    assert!(sandbox.take_notices(clock.now()).is_empty(), "handed out once");
    let read: Vec<_> =
        notices.iter().map(|(headers, body)| sandbox.read_notice(headers, body, clock.now()).unwrap()).collect();
    assert_eq!(read[0].about, About::Order { order: charge.id });
    assert_eq!(read[0].kind, "charge.succeeded");
    assert_eq!(read[1].about, About::Dispute { reference: taken.reference.clone(), amount: usd(100) });
    for (won, came_back) in [(true, Some(usd(100))), (false, None)] {
        sandbox.close_dispute(&taken.reference, won).unwrap();
        let told = sandbox.take_notices(clock.now());
        let notice = sandbox.read_notice(&told[0].0, &told[0].1, clock.now()).unwrap();
        let reference = taken.reference.clone();
        assert_eq!(notice.about, About::DisputeClosed { reference, won: came_back });
    }

    let (headers, body) = &notices[0];
    let forged = String::from_utf8(body.clone()).unwrap().replace("succeeded", "declined");
    assert!(sandbox.read_notice(headers, forged.as_bytes(), clock.now()).is_err());
    assert!(sandbox.read_notice(&[], body, clock.now()).is_err());
    clock.on(Span::from_millis(301_000));
    assert!(sandbox.read_notice(headers, body, clock.now()).is_err(), "too old");
}

#[test]
fn notices_are_lost_doubled_and_late_as_asked() {
    let count = |faults: Faults, wait: Span| {
        let (sandbox, clock) = sandbox();
        let sandbox = sandbox.with_faults(faults);
        (0..100).for_each(|n| drop(done(&sandbox, &order(&n.to_string(), "ok", Task::Charge, 1))));
        clock.on(wait);
        sandbox.take_notices(clock.now()).len()
    };
    assert_eq!(count(Faults { lose_notices: 1.0, ..Faults::default() }, Span::ZERO), 0);
    assert_eq!(count(Faults { duplicate_notices: 1.0, ..Faults::default() }, Span::ZERO), 200);
    let held_back = Faults { reorder_notices: 1.0, ..Faults::default() };
    assert!((1..100).contains(&count(held_back, Span::from_millis(30_000))));
    assert_eq!(count(held_back, Span::from_millis(60_000)), 100);
}

#[test]
fn a_journal_survives_the_process_and_a_torn_last_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.jsonl");
    let clock = Standing::new();
    let charge = order("charge", "ok", Task::Charge, 100);
    let first = Sandbox::open(&path, clock.clone()).unwrap();
    let of = done(&first, &charge);
    let busy = Sandbox::open(&path, clock.clone()).map(drop).unwrap_err();
    assert_eq!(busy.kind(), crate::base::Kind::Unavailable);
    let before = first.statement().unwrap().unwrap();
    done(&first, &order("refund", "ok", Task::Refund { of: of.clone() }, 60));
    drop(first);

    // The refund's line is torn: its answer was never given.
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 7]).unwrap();
    assert_eq!(Sandbox::statement_of(&path, clock.now()).unwrap(), before);
    let second = Sandbox::open(&path, clock.clone()).unwrap();
    assert_eq!(second.statement().unwrap().unwrap(), before);
    assert_eq!(done(&second, &charge), of, "replayed from the journal");
    done(&second, &order("refund", "ok", Task::Refund { of: of.clone() }, 60));
    let beyond = second.submit(&order("refund 2", "ok", Task::Refund { of }, 41));
    assert!(matches!(beyond, Answer::Faulty { .. }), "{beyond:?}");
    drop(second);
    assert_eq!(std::fs::read(&path).unwrap(), whole);

    std::fs::write(&path, b"{}\n").unwrap();
    let broken = Sandbox::open(&path, clock).map(drop).unwrap_err().to_string();
    assert!(broken.contains("sandbox.jsonl:1"), "{broken}");
}

/// A journal in which an old charge was given back in part, and so many orders came since.
fn long_journal(path: &Path, later: usize) -> (Order, Settled) {
    let clock = Standing::new();
    let sandbox = Sandbox::open(path, clock.clone()).unwrap();
    let charge = order("old", "ok", Task::Charge, 100);
    let of = done(&sandbox, &charge);
    done(&sandbox, &order("old refund", "ok", Task::Refund { of: of.clone() }, 60));
    drop(sandbox);
    let mut journal = std::fs::read(path).unwrap();
    for number in 0..later {
        let entry =
            Entry::new(&order(&format!("later {number}"), "ok", Task::Charge, 1), Outcome::Done, clock.now(), None);
        serde_json::to_writer(&mut journal, &entry).unwrap();
        journal.push(b'\n');
    }
    std::fs::write(path, journal).unwrap();
    (charge, of)
}

#[test]
fn memory_does_not_grow_with_the_day_and_nothing_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.jsonl");
    let later = 3 * books::RECENT_MAX;
    let (charge, of) = long_journal(&path, later);
    let sandbox = Sandbox::open(&path, Standing::new()).unwrap();
    let in_memory = || sandbox.state().books.in_memory();
    assert_eq!(in_memory(), books::RECENT_MAX);

    assert_eq!(done(&sandbox, &charge), of, "the same order is the same movement, however long ago");
    let beyond = sandbox.submit(&order("old refund 2", "ok", Task::Refund { of: of.clone() }, 41));
    assert!(matches!(beyond, Answer::Faulty { .. }), "{beyond:?}");
    done(&sandbox, &order("old refund 3", "ok", Task::Refund { of: of.clone() }, 40));
    for number in 0..later {
        // Each is looked up in the journal and pushes another one out of memory.
        let old = order(&format!("later {number}"), "ok", Task::Charge, 1);
        if number % 1_000 == 0 {
            assert!(matches!(sandbox.query(&old, None), Answer::Done { .. }), "{number}");
        }
    }
    assert!(matches!(sandbox.query(&order("never", "ok", Task::Charge, 1), None), Answer::Unavailable { .. }));
    let empty = sandbox.submit(&order("old refund 4", "ok", Task::Refund { of: of.clone() }, 1));
    assert!(matches!(empty, Answer::Faulty { .. }), "{empty:?}");
    sandbox.dispute(&of.reference).unwrap();
    assert_eq!(in_memory(), books::RECENT_MAX);
    let statement = sandbox.statement().unwrap().unwrap();
    assert_eq!(statement.len(), 3 + later);
    assert_eq!(Sandbox::statement_of(&path, Standing::new().now()).unwrap(), statement);
}

#[test]
fn a_file_that_is_no_journal_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes");
    for content in ["no line ends here", "{\"order\": and no more of it\n", "\n\nhello", "{\"orders\":1"] {
        std::fs::write(&path, content).unwrap();
        let error = Sandbox::open(&path, Standing::new()).map(drop).unwrap_err();
        assert!(error.message().contains("not a line of the sandbox's journal"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
    let error = Sandbox::open(folder.path(), Standing::new()).map(drop).unwrap_err();
    assert!(!error.to_string().is_empty());
}

#[cfg(unix)]
#[test]
fn a_journal_is_its_owners_alone_and_is_missed_when_it_is_gone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.jsonl");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    drop(Sandbox::open(&path, Standing::new()).unwrap());
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
    let sandbox = Sandbox::open(&path, Standing::new()).unwrap();
    assert_eq!(mode(), 0o600, "also one that was there");
    std::fs::rename(&path, folder.path().join("away")).unwrap();
    let answer = sandbox.submit(&order("charge", "ok", Task::Charge, 100));
    assert!(matches!(&answer, Answer::Unknown { message } if message.contains("removed")), "{answer:?}");
    std::fs::rename(folder.path().join("away"), &path).unwrap();
    assert!(sandbox.statement().unwrap().unwrap().is_empty(), "nothing was moved");
    done(&sandbox, &order("charge", "ok", Task::Charge, 100));
}

#[test]
fn no_notice_of_strangers_is_accepted() {
    let (sandbox, clock) = sandbox();
    let (sandbox, now) = (AssertUnwindSafe(sandbox), clock.now());
    bolero::check!().with_type::<(String, Vec<u8>)>().with_iterations(500).for_each(|(header, body)| {
        assert!(sandbox.read_notice(&[(SIGNATURE_HEADER.to_owned(), header.clone())], body, now).is_err());
        let signed = signature::sign(&Secret::new(WEBHOOK_SECRET.to_owned()), now, body);
        let _ = sandbox.read_notice(&[(SIGNATURE_HEADER.to_owned(), signed)], body, now);
    });
}
