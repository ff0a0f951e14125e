//! Payments as scripts: what happens on the left, what follows on the right; and random lives that must all end even.

use rand::RngExt;

use super::*;
use crate::base::rng::{Dice, dice};
use crate::base::{Currency, Span};
use crate::ledger::Book;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn bill(receipt: u32, minor: i64) -> Bill {
    Bill { receipt, total: usd(minor), lines: Vec::new() }
}

fn method(provider: &str) -> PaymentMethod {
    PaymentMethod { provider: provider.to_owned(), customer: "c".to_owned(), token: "t".to_owned() }
}

fn begin(hold: i64) -> (Payment, Effects) {
    let (cart, shopper) = (CartId::derived(&["test"]), ShopperId::derived(&["test"]));
    Payment::begin(cart, shopper, method("sandbox"), Some(usd(hold)), ShopTime::from_nanos(0))
}

/// `order WHAT AMOUNT; write REASON KIND AMOUNT; ask a person`.
fn text_of(effects: &Effects) -> String {
    let mut parts: Vec<String> = Vec::new();
    for transfer in &effects.transfers {
        let kind = match transfer.kind {
            TransferKind::Direct => "direct",
            TransferKind::Reserve => "reserve",
            TransferKind::Post { .. } => "post",
            TransferKind::Void { .. } => "void",
        };
        parts.push(format!("write {:?} {kind} {}", transfer.reason, transfer.amount.minor));
    }
    if let Some(order) = &effects.order {
        let task = match order.task {
            Task::Authorise => "authorise",
            Task::Capture { .. } => "capture",
            Task::Void { .. } => "void",
            Task::Charge => "charge",
            Task::Refund { .. } => "refund",
        };
        parts.push(format!("order {task} {}", order.amount.minor));
    }
    parts.extend(effects.concern.is_some().then(|| "ask a person".to_owned()));
    parts.join("; ")
}

/// One thing that happens: `done 500`, `declined`, `unknown`, `bill 2 300`, `retry`, `disputed 300`,
/// `reinstated 300`.
fn happen(payment: &mut Payment, text: &str) -> Effects {
    let at = ShopTime::from_nanos(1);
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |index: usize| words[index].parse::<i64>().unwrap();
    let asked = payment.asked.as_ref().map_or(TransferId::derived(&["none"]), |order| order.id);
    let answer = |answer: Answer, payment: &mut Payment| payment.answered(asked, &answer, at);
    match words[0] {
        "done" => answer(Answer::Done { reference: "ref".to_owned(), amount: usd(number(1)) }, payment),
        "declined" => {
            let message = String::new();
            answer(Answer::Declined { code: "no".to_owned(), message, wants_shopper: false }, payment)
        }
        "unknown" => answer(Answer::Unknown { message: "timeout".to_owned() }, payment),
        "bill" => payment.bill(bill(number(1) as u32, number(2)), at),
        "retry" => payment.retry(Some(method("other")), at),
        "disputed" => payment.disputed("ref", usd(number(1)), at),
        "reinstated" => payment.reinstated("ref", usd(number(1)), at),
        other => panic!("{other}"),
    }
}

#[track_caller]
fn check(hold: i64, steps: &[(&str, &str)], standing: Standing) {
    let (mut payment, effects) = begin(hold);
    let first = if 0 < hold { format!("order authorise {hold}") } else { String::new() };
    assert_eq!(text_of(&effects), first);
    for (step, expected) in steps {
        assert_eq!(text_of(&happen(&mut payment, step)), *expected, "after `{step}`");
    }
    assert_eq!(payment.standing(), standing);
}

#[test]
fn a_hold_is_captured_and_the_rest_released() {
    let steps = [
        ("done 5000", "write Hold reserve 5000"),
        ("bill 1 300", "order capture 300"),
        ("done 300", "write Capture post 300"),
    ];
    check(5000, &steps, Standing::Settled);
}

#[test]
fn who_takes_nothing_pays_nothing() {
    let steps =
        [("done 5000", "write Hold reserve 5000"), ("bill 1 0", "order void 0"), ("done 0", "write Hold void 0")];
    check(5000, &steps, Standing::Settled);
    check(0, &[("bill 1 0", "")], Standing::Settled);
}

#[test]
fn what_the_hold_does_not_cover_is_charged() {
    let steps = [
        ("done 200", "write Hold reserve 200"),
        ("bill 1 300", "order capture 200"),
        ("done 200", "write Capture post 200; order charge 100"),
        ("done 100", "write Charge direct 100"),
    ];
    check(5000, &steps, Standing::Settled);
}

#[test]
fn a_bill_that_comes_before_the_hold_waits_for_it() {
    let steps = [("bill 1 300", ""), ("unknown", ""), ("done 5000", "write Hold reserve 5000; order capture 300")];
    check(5000, &steps, Standing::Settling);
}

#[test]
fn a_refused_hold_leaves_one_charge_at_the_exit() {
    let steps = [
        ("declined", ""),
        ("bill 1 300", "order charge 300"),
        ("declined", "ask a person"),
        ("bill 1 300", ""),
        ("retry", "order charge 300"),
        ("done 300", "write Charge direct 300"),
    ];
    check(5000, &steps, Standing::Settled);
    check(0, &[("bill 1 300", "order charge 300"), ("declined", "ask a person")], Standing::Unpaid);
}

#[test]
fn an_expired_hold_is_charged_anew() {
    let steps = [
        ("done 5000", "write Hold reserve 5000"),
        ("bill 1 300", "order capture 300"),
        ("declined", "write Hold void 0; order charge 300"),
        ("done 300", "write Charge direct 300"),
    ];
    check(5000, &steps, Standing::Settled);
}

#[test]
fn a_correction_gives_back_what_was_too_much() {
    let steps = [
        ("done 200", "write Hold reserve 200"),
        ("bill 1 500", "order capture 200"),
        ("done 200", "write Capture post 200; order charge 300"),
        ("done 300", "write Charge direct 300"),
        ("bill 2 100", "write Refund reserve 300; order refund 300"),
        ("done 300", "write Refund post 300; write Refund reserve 100; order refund 100"),
        ("done 100", "write Refund post 100"),
        ("bill 3 0", "write Refund reserve 100; order refund 100"),
        ("declined", "write Refund void 0; ask a person"),
        ("retry", "write Refund reserve 100; order refund 100"),
    ];
    check(200, &steps, Standing::Settling);
}

#[test]
fn a_correction_while_money_is_on_its_way_waits_for_the_answer() {
    let steps = [
        ("done 5000", "write Hold reserve 5000"),
        ("bill 1 500", "order capture 500"),
        ("bill 2 200", ""),
        ("done 500", "write Capture post 500; write Refund reserve 300; order refund 300"),
    ];
    check(5000, &steps, Standing::Settling);
}

#[test]
fn what_a_bank_takes_back_is_lost_and_not_charged_again() {
    let steps = [
        ("done 5000", "write Hold reserve 5000"),
        ("bill 1 500", "order capture 500"),
        ("done 500", "write Capture post 500"),
        ("disputed 900", "write Dispute direct 500; write WriteOff direct 500; ask a person"),
        ("disputed 500", ""),
    ];
    check(5000, &steps, Standing::Settled);
}

#[test]
fn a_dispute_that_is_won_is_no_loss_any_more() {
    let steps = [
        ("done 5000", "write Hold reserve 5000"),
        ("bill 1 500", "order capture 500"),
        ("reinstated 500", ""),
        ("done 500", "write Capture post 500"),
        ("reinstated 500", ""),
        ("disputed 400", "write Dispute direct 400; write WriteOff direct 400; ask a person"),
        ("reinstated 900", "write Reinstatement direct 400; write Recovery direct 400"),
        ("reinstated 400", ""),
        ("disputed 500", "write Dispute direct 500; write WriteOff direct 500; ask a person"),
        ("bill 2 200", ""),
        (
            "reinstated 500",
            "write Reinstatement direct 500; write Recovery direct 500; write Refund reserve 300; order refund 300",
        ),
        ("done 300", "write Refund post 300"),
    ];
    check(5000, &steps, Standing::Settled);
}

#[test]
fn an_impossible_answer_is_for_a_person() {
    let steps = [("done 9000", "ask a person"), ("done 0", "ask a person"), ("done 5000", "write Hold reserve 5000")];
    check(5000, &steps, Standing::Open);
}

#[test]
fn an_answer_to_another_order_changes_nothing() {
    let (mut payment, _) = begin(5000);
    let before = payment.clone();
    let done = Answer::Done { reference: "ref".to_owned(), amount: usd(5000) };
    assert_eq!(payment.answered(TransferId::derived(&["other"]), &done, ShopTime::from_nanos(1)), Effects::default());
    assert_eq!(payment, before);
}

/// Money back goes where it came from, though the shopper pays otherwise now.
#[test]
fn refunds_go_to_the_provider_that_took_the_money() {
    let (mut payment, _) = begin(0);
    happen(&mut payment, "bill 1 500");
    happen(&mut payment, "done 500");
    payment.retry(Some(method("other")), ShopTime::from_nanos(2));
    let effects = happen(&mut payment, "bill 2 0");
    assert_eq!(effects.order.unwrap().method, method("sandbox"));
    assert_eq!(effects.transfers[0].credit, Account::Clearing("sandbox".to_owned()));
}

fn random_answer(asked: &Order, dice: &mut Dice) -> Answer {
    match dice.random_range(0..10) {
        0 => Answer::Declined { code: "no".to_owned(), message: String::new(), wants_shopper: false },
        1 => Answer::Unknown { message: String::new() },
        2 => Answer::Pending { reference: "r".to_owned() },
        3 if 1 < asked.amount.minor => {
            Answer::Done { reference: asked.id.to_string(), amount: usd(dice.random_range(1..asked.amount.minor)) }
        }
        _ => Answer::Done { reference: asked.id.to_string(), amount: asked.amount },
    }
}

/// Whatever providers answer and reviewers correct: every transfer is admitted, names are never used twice, the book
/// has what the payment says, and with a provider that works everything ends even.
#[test]
fn random_lives_end_even() {
    for seed in 0..400 {
        let mut dice = dice(seed, "payment");
        let (mut payment, mut effects) = begin(dice.random_range(0..600));
        let mut book = Book::default();
        let mut at = ShopTime::from_nanos(0);
        for step in 0..60 {
            for transfer in &effects.transfers {
                book.apply(transfer).unwrap_or_else(|refusal| panic!("seed {seed}, step {step}: {refusal}"));
            }
            at = at + Span::from_millis(1);
            let asked = payment.asked.clone();
            effects = match asked {
                Some(asked) if step < 50 && dice.random_bool(0.8) => {
                    payment.answered(asked.id, &random_answer(&asked, &mut dice), at)
                }
                Some(asked) if 50 <= step => {
                    let done = Answer::Done { reference: asked.id.to_string(), amount: asked.amount };
                    payment.answered(asked.id, &done, at)
                }
                _ if step < 40 => payment.bill(bill(step, dice.random_range(0..900)), at),
                _ => payment.retry(None, at),
            };
        }
        assert_eq!(payment.standing(), Standing::Settled, "seed {seed}: {payment:?}");
        let clearing = book.balance(&Account::Clearing("sandbox".to_owned()), Currency::USD);
        assert_eq!((clearing.debits - clearing.credits, clearing.debits_reserved), (payment.paid(), 0), "seed {seed}");
    }
}
