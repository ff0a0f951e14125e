//! Right books are clean; whatever is tampered with is found and named.

use rand::RngExt;

use super::sale::any_receipt;
use super::*;
use crate::base::PaymentId;
use crate::base::rng::{Dice, dice};
use crate::facts::{Answer, MoneyMovement, Order, PaymentMethod, Settled, StatementLine, Task};

/// A book as it is stored.
#[derive(Clone, Default)]
struct Stored {
    rows: Vec<(i64, Transfer, String)>,
    balances: Vec<(Account, Currency, Balance)>,
    carts: Vec<CartRow>,
    receipts: Vec<(CartId, u32, Receipt)>,
    orders: Vec<(Order, OrderState, Option<Answer>)>,
    statement: Vec<StatementLine>,
}

impl Stored {
    fn audit(&self) -> Report {
        let mut audit = Audit::new();
        for (sequence, transfer, digest) in &self.rows {
            audit.transfer(*sequence, transfer, digest);
        }
        for (account, currency, balance) in &self.balances {
            audit.balance(account, *currency, *balance);
        }
        for row in &self.carts {
            audit.cart(*row);
        }
        for (cart, version, receipt) in &self.receipts {
            audit.receipt(*cart, *version, receipt);
        }
        for (order, state, answer) in &self.orders {
            audit.order(order, *state, answer.as_ref());
        }
        audit.statement("sandbox", self.statement.iter().cloned());
        audit.finish()
    }

    fn write(&mut self, transfers: impl IntoIterator<Item = Transfer>) {
        for transfer in transfers {
            self.rows.push((0, transfer, String::new()));
        }
    }

    /// Writes a movement at the provider, with its order and its line on the statement.
    fn pay(&mut self, transfer: Transfer) {
        let amount = transfer.amount;
        let movement = match transfer.reason {
            Reason::Refund => Some(MoneyMovement::GivenBack),
            Reason::Hold => None,
            _ => Some(MoneyMovement::Taken),
        };
        let reference = format!("ref {}", transfer.id);
        if let Some(movement) = movement {
            self.statement.push(StatementLine { order: transfer.id, reference: reference.clone(), movement, amount });
        }
        self.orders.push((order(&transfer), OrderState::Done, Some(Answer::Done { reference, amount })));
        self.write([transfer]);
    }

    /// Numbers and chains the rows anew, as somebody would who hides what they did.
    fn chain(&mut self) {
        let mut previous = String::new();
        for (sequence, (number, transfer, stored)) in (1..).zip(&mut self.rows) {
            *number = sequence;
            *stored = digest(&previous, transfer);
            previous.clone_from(stored);
        }
    }

    /// Adds up the balances anew.
    fn add_up(&mut self) {
        let mut book = Book::default();
        for (_, transfer, _) in &self.rows {
            // What is refused here the audit finds by itself.
            let _ = book.apply(transfer);
        }
        let balances = book.balances().iter();
        self.balances = balances.map(|((account, currency), balance)| (account.clone(), *currency, *balance)).collect();
    }

    fn row(&mut self, reason: Reason) -> &mut Transfer {
        &mut self.rows.iter_mut().find(|(_, transfer, _)| transfer.reason == reason).unwrap().1
    }

    fn place(&self, reason: Reason) -> usize {
        self.rows.iter().position(|(_, transfer, _)| transfer.reason == reason).unwrap()
    }

    fn order_of(&mut self, id: TransferId) -> &mut (Order, OrderState, Option<Answer>) {
        self.orders.iter_mut().find(|(order, ..)| order.id == id).unwrap()
    }
}

fn order(transfer: &Transfer) -> Order {
    let settled = |order| Settled { order, reference: String::new(), amount: transfer.amount };
    let task = match (transfer.reason, transfer.kind) {
        (_, TransferKind::Post { reservation }) => Task::Capture { hold: settled(reservation) },
        (_, TransferKind::Void { reservation }) => Task::Void { hold: settled(reservation) },
        (Reason::Hold, _) => Task::Authorise,
        (Reason::Refund, _) => Task::Refund { of: settled(transfer.id) },
        _ => Task::Charge,
    };
    let method = PaymentMethod { provider: "sandbox".to_owned(), customer: "c".to_owned(), token: String::new() };
    let (id, cart, amount) = (transfer.id, transfer.cart, transfer.amount);
    let payment = PaymentId::of_cart(cart);
    Order { id, payment, cart, task, amount, method, lines: vec![], made_at: at(1) }
}

/// Lives of carts, so many of each kind: with and without a hold, declined, corrected, given back, disputed, open.
fn right_book(seed: u64) -> Stored {
    let mut dice = dice(seed, "audit");
    let mut stored = Stored::default();
    for number in 0..12 {
        live(&mut stored, &mut dice, &format!("{seed}/{number}"));
    }
    // One of each kind that tampering looks for.
    let goods = receipt(&[(2, 500, "full"), (1, 300, "food")]);
    let less = receipt(&[(1, 500, "full"), (1, 300, "food")]);
    let mut sure = |name: &str, reasons: &[(Reason, i64, &str)], booked: u32, settled: bool| {
        let of = |word: &str| format!("{seed}/{name}/{word}");
        stored.carts.push(CartRow { booked, settled, ..CartRow::of(cart(name)) });
        if 0 < booked {
            stored.receipts.push((cart(name), 1, goods.clone()));
            stored.write(crate::ledger::sale(shopper("ann"), cart(name), 1, &goods, at(3)).unwrap());
        }
        if 1 < booked {
            stored.receipts.push((cart(name), 2, less.clone()));
            stored.write(credit(shopper("ann"), cart(name), 2, &goods, &less, at(4)).unwrap());
        }
        for (reason, minor, resolves) in reasons {
            let resolves = if resolves.is_empty() { String::new() } else { of(resolves) };
            let word = format!("{reason:?}{}", if resolves.is_empty() { "" } else { "-resolving" });
            stored.pay(Transfer { cart: cart(name), ..transfer(&of(&word), *reason, *minor, &resolves) });
        }
    };
    sure("captured", &[(Reason::Hold, 5_000, ""), (Reason::Capture, 1_300, "Hold")], 1, true);
    sure("charged", &[(Reason::Charge, 1_300, ""), (Reason::Refund, 500, "")], 2, true);
    sure("left", &[(Reason::Hold, 5_000, ""), (Reason::Hold, 0, "Hold")], 0, true);
    stored.chain();
    stored.add_up();
    stored
}

fn live(stored: &mut Stored, dice: &mut Dice, name: &str) {
    let owner = Account::Shopper(shopper(["ann", "bob", "cat"][dice.random_range(0..3_usize)]));
    let Account::Shopper(who) = owner else { return };
    let cart = cart(name);
    let step = |reason: Reason, minor: i64, resolves: &str| {
        let word = |word: &str| format!("{name}/{word}");
        let resolves = if resolves.is_empty() { String::new() } else { word(resolves) };
        let own = if resolves.is_empty() { format!("{reason:?}") } else { format!("{reason:?} again") };
        let mut transfer = transfer(&word(&own), reason, minor, &resolves);
        for account in [&mut transfer.debit, &mut transfer.credit] {
            if matches!(account, Account::Shopper(_)) {
                *account = Account::Shopper(who);
            }
        }
        Transfer { cart, ..transfer }
    };
    let held = dice.random_bool(0.5);
    if held {
        stored.pay(step(Reason::Hold, 20_000, ""));
    }
    if dice.random_bool(0.15) {
        stored.carts.push(CartRow { payment_open: held, ..CartRow::of(cart) });
        return;
    }
    let mut versions = [any_receipt(dice), any_receipt(dice)];
    versions.sort_by_key(|receipt| std::cmp::Reverse(receipt.total.unwrap().minor));
    let [first, second] = versions;
    let (total, less) = (first.total.unwrap().minor, second.total.unwrap().minor);
    stored.write(crate::ledger::sale(who, cart, 1, &first, at(3)).unwrap());
    stored.receipts.push((cart, 1, first.clone()));
    let mut row = CartRow { booked: 1, settled: true, ..CartRow::of(cart) };
    let declined = dice.random_bool(0.2);
    match (held, declined, total) {
        (true, _, 0) => stored.pay(step(Reason::Hold, 0, "Hold")),
        (true, ..) => stored.pay(step(Reason::Capture, total, "Hold")),
        (false, true, 1..) => {
            let answer = Answer::Declined { code: "no".to_owned(), message: String::new(), wants_shopper: false };
            stored.orders.push((order(&step(Reason::Charge, total, "")), OrderState::Declined, Some(answer)));
            stored.write([step(Reason::WriteOff, total, "")]);
        }
        (false, false, 1..) => stored.pay(step(Reason::Charge, total, "")),
        _ => {}
    }
    if dice.random_bool(0.5) && (held || !declined) && less < total {
        stored.write(credit(who, cart, 2, &first, &second, at(4)).unwrap());
        stored.receipts.push((cart, 2, second));
        row.booked = 2;
        let refund = step(Reason::Refund, total - less, "");
        match dice.random_range(0..3) {
            0 => {
                stored.orders.push((order(&refund), OrderState::Due, None));
                row.payment_open = true;
            }
            1 => stored.write([Transfer { reason: Reason::Dispute, ..refund }]),
            _ => stored.pay(refund),
        }
    }
    stored.carts.push(row);
}

#[test]
fn a_right_book_is_clean() {
    for seed in 0..60 {
        let stored = right_book(seed);
        let report = stored.audit();
        assert_eq!(report.findings, [], "seed {seed}");
        assert!(report.is_clean());
        assert_eq!(report.transfers, stored.rows.len() as u64);
        assert_eq!((report.carts, report.orders), (15, stored.orders.len() as u64));
        let totals = report.totals[&Currency::USD];
        let owed = totals.sold + totals.tax - totals.taken + totals.given_back - totals.lost;
        assert_eq!(totals.owed - totals.owed_back, owed, "seed {seed}");
    }
    assert!(Audit::new().finish().is_clean());
}

/// Tampers with many right books; the first finding must be of this check and name what was tampered with.
fn tamper(name: &str, check: Check, change: impl Fn(&mut Stored) -> String) {
    for seed in 0..8 {
        let mut stored = right_book(seed);
        let subject = change(&mut stored);
        let report = stored.audit();
        let first = report.findings.first().unwrap_or_else(|| panic!("{name}, seed {seed}: not found"));
        assert_eq!((first.check, first.subject.as_str()), (check, subject.as_str()), "{name}, seed {seed}: {first}");
    }
}

#[test]
fn rows_that_were_changed_dropped_or_moved_are_named() {
    tamper("an amount", Check::Digest, |stored| {
        stored.row(Reason::Capture).amount.minor += 1;
        stored.row(Reason::Capture).id.to_string()
    });
    tamper("a time", Check::Digest, |stored| {
        stored.row(Reason::Sale).at = at(99);
        stored.row(Reason::Sale).id.to_string()
    });
    tamper("a row dropped", Check::Sequence, |stored| {
        let place = stored.place(Reason::Sale);
        stored.rows.remove(place);
        stored.rows[place].1.id.to_string()
    });
    tamper("two rows swapped", Check::Sequence, |stored| {
        stored.rows.swap(3, 5);
        stored.rows[3].1.id.to_string()
    });
    tamper("two contents swapped", Check::Digest, |stored| {
        let (one, other) = (stored.rows[3].1.clone(), stored.rows[5].1.clone());
        (stored.rows[3].1, stored.rows[5].1) = (other.clone(), one);
        other.id.to_string()
    });
    tamper("a row twice, hidden", Check::Rule, |stored| {
        let row = stored.rows[4].clone();
        stored.rows.push(row.clone());
        stored.chain();
        row.1.id.to_string()
    });
    tamper("more captured than held, hidden", Check::Rule, |stored| {
        stored.row(Reason::Capture).amount.minor += 1_000_000;
        stored.chain();
        stored.add_up();
        stored.row(Reason::Capture).id.to_string()
    });
}

#[test]
fn balances_that_are_not_the_sums_are_named() {
    tamper("an amount, hidden", Check::Balance, |stored| {
        stored.row(Reason::Refund).amount.minor += 1;
        let clearing = format!("{} USD", stored.row(Reason::Refund).credit);
        stored.chain();
        // The shopper's account is off too; accounts are read in order and shoppers come first.
        stored.balances.retain(|(account, ..)| !matches!(account, Account::Shopper(_)));
        clearing
    });
    tamper("a balance", Check::Balance, |stored| {
        stored.balances[1].2.credits += 1;
        format!("{} {}", stored.balances[1].0, stored.balances[1].1)
    });
    tamper("a balance dropped", Check::Balance, |stored| {
        let (account, currency, _) = stored.balances.remove(2);
        format!("{account} {currency}")
    });
    tamper("the last row dropped", Check::Balance, |stored| {
        let (_, transfer, _) = stored.rows.pop().unwrap();
        let index = stored.balances.iter().position(|(account, ..)| *account == transfer.credit).unwrap();
        format!("{} USD", stored.balances[index].0)
    });
}

#[test]
fn receipts_and_postings_that_differ_are_named() {
    let version = |cart: CartId, version: u32| format!("{cart} version {version}");
    let of = |stored: &mut Stored, name: &str, version: u32| {
        let found = stored.receipts.iter().position(|receipt| (receipt.0, receipt.1) == (cart(name), version));
        found.unwrap()
    };
    tamper("a line", Check::Receipt, |stored| {
        let index = of(stored, "captured", 1);
        stored.receipts[index].2.lines[0].amount = Some(dollars(999));
        version(cart("captured"), 1)
    });
    tamper("a tax", Check::Receipt, |stored| {
        let index = of(stored, "charged", 1);
        stored.receipts[index].2.taxes[0].tax.minor += 1;
        stored.receipts[index].2.taxes[0].net.minor -= 1;
        version(cart("charged"), 1)
    });
    tamper("a total", Check::Receipt, |stored| {
        let index = of(stored, "captured", 1);
        stored.receipts[index].2.total = Some(dollars(1_299));
        version(cart("captured"), 1)
    });
    tamper("another receipt", Check::Posting, |stored| {
        let index = of(stored, "captured", 1);
        stored.receipts[index].2 = receipt(&[(2, 500, "food"), (1, 300, "full")]);
        version(cart("captured"), 1)
    });
    tamper("a receipt dropped", Check::Posting, |stored| {
        let index = of(stored, "charged", 2);
        stored.receipts.remove(index);
        cart("charged").to_string()
    });
    tamper("another version booked", Check::Posting, |stored| {
        stored.carts.iter_mut().find(|row| row.cart == cart("charged")).unwrap().booked = 1;
        version(cart("charged"), 1)
    });
    tamper("a cart dropped", Check::Cart, |stored| {
        stored.carts.retain(|row| row.cart != cart("left"));
        cart("left").to_string()
    });
}

#[test]
fn orders_holds_and_payments_that_do_not_match_are_named() {
    for reason in [Reason::Hold, Reason::Capture, Reason::Charge, Reason::Refund] {
        tamper("an order dropped", Check::Order, |stored| {
            let id = stored.row(reason).id;
            stored.orders.retain(|(order, ..)| order.id != id);
            id.to_string()
        });
        tamper("an order reopened", Check::Order, |stored| {
            let id = stored.row(reason).id;
            let found = stored.order_of(id);
            (found.1, found.2) = (OrderState::Due, None);
            id.to_string()
        });
        tamper("another provider", Check::Order, |stored| {
            let id = stored.row(reason).id;
            stored.order_of(id).0.method.provider = "stripe".to_owned();
            id.to_string()
        });
        tamper("another amount", Check::Order, |stored| {
            let id = stored.row(reason).id;
            let Some(Answer::Done { amount, .. }) = &mut stored.order_of(id).2 else { panic!("not done") };
            amount.minor -= 1;
            id.to_string()
        });
        tamper("more than was asked for", Check::Order, |stored| {
            let id = stored.row(reason).id;
            stored.order_of(id).0.amount.minor -= 1;
            id.to_string()
        });
    }
    tamper("an order without a transfer", Check::Order, |stored| {
        let charge = transfer("nowhere", Reason::Charge, 5, "");
        let answer = Answer::Done { reference: String::new(), amount: charge.amount };
        stored.orders.push((order(&charge), OrderState::Done, Some(answer)));
        charge.id.to_string()
    });
    tamper("a hold left over", Check::Hold, |stored| {
        let hold = Transfer { cart: cart("charged"), ..transfer("over", Reason::Hold, 9, "") };
        stored.pay(hold.clone());
        stored.chain();
        stored.add_up();
        hold.id.to_string()
    });
    tamper("paid twice", Check::Payment, |stored| {
        stored.pay(Transfer { cart: cart("captured"), ..transfer("twice", Reason::Charge, 1_300, "") });
        stored.chain();
        stored.add_up();
        cart("captured").to_string()
    });
}

#[test]
fn a_refund_under_way_is_no_overpayment_and_a_declined_one_is() {
    let mut stored = right_book(1);
    let id = id("1/charged/Refund");
    stored.rows.retain(|(_, transfer, _)| transfer.id != id);
    stored.statement.retain(|line| line.order != id);
    stored.chain();
    stored.add_up();
    let found = stored.order_of(id);
    (found.1, found.2) = (OrderState::Stuck, None);
    assert_eq!(stored.audit().findings, []);
    stored.order_of(id).1 = OrderState::Declined;
    let findings = stored.audit().findings;
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].check, findings[0].subject.clone()), (Check::Payment, cart("charged").to_string()));
}

#[test]
fn statements_and_book_must_agree_both_ways() {
    tamper("a line twice", Check::Statement, |stored| {
        let line = stored.statement[0].clone();
        stored.statement.push(line.clone());
        line.order.to_string()
    });
    tamper("a line dropped", Check::Statement, |stored| stored.statement.remove(0).order.to_string());
    tamper("another amount", Check::Statement, |stored| {
        stored.statement[1].amount.minor += 1;
        stored.statement[1].order.to_string()
    });
    tamper("another direction", Check::Statement, |stored| {
        let line = &mut stored.statement[0];
        line.movement = match line.movement {
            MoneyMovement::Taken => MoneyMovement::GivenBack,
            MoneyMovement::GivenBack => MoneyMovement::Taken,
        };
        line.order.to_string()
    });
    tamper("a line of nothing", Check::Statement, |stored| {
        stored.statement[0].order = id("nowhere");
        id("nowhere").to_string()
    });
}

#[test]
fn a_book_that_is_all_wrong_tells_a_bounded_number_of_findings() {
    let mut audit = Audit::new();
    for number in 0..1_500 {
        audit.transfer(number + 1, &transfer(&number.to_string(), Reason::WriteOff, 1, ""), "wrong");
    }
    let report = audit.finish();
    assert_eq!(report.findings.len(), 1_000);
    assert!(500 < report.findings_further);
    assert!(report.findings[0].to_string().starts_with("digest, transfer_"), "{}", report.findings[0]);
}

/// A cart, and what is named of it.
#[test]
fn a_cart_that_a_person_had_to_look_at_was_looked_at() {
    let (whose, other) = (Some(shopper("ann")), Some(shopper("bob")));
    let right = |cart: CartId| CartRow { settled: true, cases_decided: 1, receipt: 1, ..CartRow::of(cart) };
    let rows: [(&str, CartRow, Option<Check>); 7] = [
        ("decided", right(cart("decided")), None),
        ("waits", CartRow { in_review: true, cases_waiting: 1, receipt: 1, ..CartRow::of(cart("waits")) }, None),
        ("hidden", CartRow { in_review: true, receipt: 1, ..CartRow::of(cart("hidden")) }, Some(Check::Case)),
        ("let go", CartRow { cases_waiting: 1, cases_before_booking: 1, ..right(cart("let go")) }, Some(Check::Case)),
        ("never", CartRow { cases_decided: 0, ..right(cart("never")) }, Some(Check::Case)),
        ("hers", CartRow { shopper: whose, payer: whose, ..CartRow::of(cart("hers")) }, None),
        ("his", CartRow { shopper: whose, payer: other, ..CartRow::of(cart("his")) }, Some(Check::Payer)),
    ];
    for (name, row, named) in rows {
        let mut audit = Audit::new();
        audit.cart(row);
        let found: Vec<_> =
            audit.finish().findings.into_iter().map(|finding| (finding.check, finding.subject)).collect();
        let wanted: Vec<_> = named.map(|check| (check, cart(name).to_string())).into_iter().collect();
        assert_eq!(found, wanted, "{name}");
    }
}

/// Two rows and their seals; the second was written twice.
const SEALED: [(&str, &str, &str); 3] =
    [("receipts", "cart_1/1", "aa"), ("carts", "cart_1", "bb"), ("carts", "cart_1", "cc")];

fn seal_all(audit: &mut Audit, seals: &[(&str, &str, &str)]) -> Vec<String> {
    let mut digests = vec![String::new()];
    for (sequence, seal) in (1..).zip(seals) {
        let digest = crate::base::chained(digests.last().unwrap(), &[seal.0, seal.1, seal.2]);
        audit.seal(sequence, *seal, &digest);
        digests.push(digest);
    }
    digests
}

fn named(audit: Audit) -> Vec<String> {
    audit.finish().findings.iter().map(|finding| format!("{}, {}", finding.check, finding.subject)).collect()
}

#[test]
fn rows_are_what_was_sealed_last() {
    let check = |rows: &[(&str, &str, &str, bool)], expected: &[&str]| {
        let mut audit = Audit::new();
        seal_all(&mut audit, &SEALED);
        rows.iter().for_each(|(kind, subject, content, fixed)| audit.sealed_row(kind, subject, content, *fixed));
        audit.sealed_end("receipts", false);
        audit.sealed_end("carts", false);
        assert_eq!(named(audit), expected);
    };
    let (receipt, row) = (("receipts", "cart_1/1", "aa", true), ("carts", "cart_1", "cc", false));
    check(&[receipt, row], &[]);
    check(&[receipt, ("carts", "cart_1", "bb", false)], &["seal, carts cart_1"]);
    check(&[receipt], &["seal, carts cart_1"]);
    check(&[receipt, row, ("carts", "cart_2", "cc", false)], &["seal, carts cart_2"]);
    check(&[receipt, ("carts", "cart_1", "cc", true)], &["seal, carts cart_1"]);
    let mut audit = Audit::new();
    seal_all(&mut audit, &SEALED);
    audit.sealed_row("receipts", "cart_1/1", "aa", true);
    audit.sealed_end("receipts", false);
    audit.sealed_end("carts", true);
    assert!(named(audit).is_empty(), "what may pass may be gone");
}

#[test]
fn anchors_hold_a_book_to_what_it_had() {
    let (at, key) = (ShopTime::from_nanos(0), AnchorKey::parse(&crate::base::Secret::new("5a".repeat(32))).unwrap());
    let mut digests = seal_all(&mut Audit::new(), &SEALED);
    let end = |seq: usize, digest: &str| ChainEnd { seq: seq as i64, digest: digest.to_owned() };
    let two = Anchor::new(at, ChainEnd::default(), end(2, &digests[2]), Some(&key));
    assert_eq!(two.to_string().parse::<Anchor>().unwrap(), two);
    assert_eq!(two.is_genuine(), Some(true));
    let check = |anchor: &Anchor, by: Option<&str>, seals: usize| {
        let mut audit = Audit::new();
        audit.anchor(4, anchor.clone(), by);
        seal_all(&mut audit, &SEALED[..seals]);
        audit.sealed_end("receipts", true);
        audit.sealed_end("carts", true);
        named(audit)
    };
    let off = ["anchor, line 4, of 1970-01-01T00:00:00.000Z"];
    assert!(check(&two, Some(&key.public()), 3).is_empty());
    assert_eq!(check(&two, None, 1), off, "a book that was taken back");
    assert_eq!(check(&two, Some(&"0".repeat(64)), 3), off, "somebody else's key");
    let moved: Anchor = two.to_string().replace("00:00:00", "00:00:01").parse().unwrap();
    assert_eq!(moved.is_genuine(), Some(false));
    assert_eq!(check(&moved, None, 3), ["anchor, line 4, of 1970-01-01T00:00:01.000Z"]);
    digests[2].replace_range(..1, "x");
    assert_eq!(check(&Anchor::new(at, ChainEnd::default(), end(2, &digests[2]), None), None, 3), off, "another book");
    assert_eq!(check(&Anchor::new(at, end(1, "aa"), ChainEnd::default(), None), None, 3), off, "transfers are gone");
    for wrong in
        ["", "aisle-anchor 2 at=x", "aisle-anchor 1 at=x transfers=1: seals=0:", "aisle-anchor 1 at=x seals=0:"]
    {
        assert!(wrong.parse::<Anchor>().is_err(), "{wrong}");
    }
}
