//! The proof of a whole book, row by row.

use std::collections::{BTreeMap, BTreeSet};

use super::anchor::{Anchor, ChainEnd};
use super::arithmetic;
use super::book::{Balance, Book};
use super::digest::digest;
use super::report::{Check, Finding, OrderState, Report};
use super::rules::Admission;
use super::seals::{Off, Seals};
use crate::base::{CartId, Currency, Money, ShopperId, TransferId};
use crate::facts::{
    Account, Answer, MoneyMovement, Order, Reason, Receipt, StatementLine, Task, Transfer, TransferKind,
};

/// Reads a book and notes whatever does not hold. Rows come table by table in this order: what is off in the schema,
/// seals (by sequence) and the rows that they are of, transfers (by sequence), balances, carts, receipts, orders,
/// statements; then [`Audit::finish`]. What is kept of a transfer is its id, of a sealed row its key and a digest, and for
/// each cart its sums.
#[derive(Default)]
pub struct Audit {
    book: Book,
    sequence: i64,
    digest: String,
    seals: Seals,
    anchors: Vec<Anchored>,
    carts: BTreeMap<CartId, CartSums>,
    /// Transfers that moved or reserved something at a provider.
    moved: BTreeMap<TransferId, Moved>,
    providers: Vec<String>,
    balances_seen: BTreeSet<(Account, Currency)>,
    report: Report,
}

/// What the book says of a cart besides receipts and transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartRow {
    /// The cart.
    pub cart: CartId,
    /// Version of the receipt that is in the ledger, 0 for none.
    pub booked: u32,
    /// Newest version of its receipt, 0 for none.
    pub receipt: u32,
    /// Whether the cart is settled.
    pub settled: bool,
    /// Whether it waits for a person.
    pub in_review: bool,
    /// How many cases of it wait, of whatever concern.
    pub cases_waiting: u32,
    /// How many of these keep its receipt from being booked.
    pub cases_before_booking: u32,
    /// How many cases of it have a verdict.
    pub cases_decided: u32,
    /// Whose it is.
    pub shopper: Option<ShopperId>,
    /// Who pays for it; none where it has no payment.
    pub payer: Option<ShopperId>,
    /// Whether its payment may still move money; false where it has none.
    pub payment_open: bool,
    /// Whether it is of somebody who works in the shop, so that nothing is booked for it.
    pub on_duty: bool,
}

impl CartRow {
    /// An open cart of which nothing else is known.
    pub fn of(cart: CartId) -> Self {
        CartRow {
            cart,
            booked: 0,
            receipt: 0,
            settled: false,
            in_review: false,
            cases_waiting: 0,
            cases_before_booking: 0,
            cases_decided: 0,
            shopper: None,
            payer: None,
            payment_open: false,
            on_duty: false,
        }
    }
}

/// An anchor, and where it was read.
struct Anchored {
    anchor: Anchor,
    line: usize,
    /// Whether both chains reach as far.
    seen: [bool; 2],
}

/// A movement at a provider.
struct Moved {
    reason: Reason,
    is_void: bool,
    cart: CartId,
    /// Place in `providers`.
    provider: usize,
    amount: Money,
    ordered: bool,
    stated: bool,
}

#[derive(Default)]
struct CartSums {
    currency: Option<Currency>,
    net: i64,
    taxes: BTreeMap<String, i64>,
    /// Taken less given back.
    paid: i64,
    /// Orders to give back that are under way.
    refunds_due: i64,
    /// Highest version of a receipt that a transfer names.
    version_max: u32,
    row: Option<CartRow>,
    receipt_seen: bool,
}

impl Audit {
    /// Nothing read so far.
    pub fn new() -> Self {
        Audit::default()
    }

    /// Something in the schema that is not as the migrations make it.
    pub fn schema(&mut self, name: &str, expected: Option<&str>, found: Option<&str>) {
        self.find(Check::Schema, name, expected.unwrap_or("no such thing"), found.unwrap_or("nothing"));
    }

    /// A row that cannot be read, so that nothing behind it can be proved: the report of what was read before.
    pub fn unreadable(mut self, what: &str) -> Report {
        self.find(Check::Unreadable, "the book", "rows that aisle has written", what);
        self.report
    }

    /// An anchor that the book must still have, from this line of its file; `key` is the public key that must have signed
    /// it, if one is given. To come before any row.
    pub fn anchor(&mut self, line: usize, anchor: Anchor, key: Option<&str>) {
        self.report.anchors += 1;
        let name = anchor_name(line, &anchor);
        let by = anchor.signed.as_ref().map(|signed| signed.key.as_str());
        match (anchor.is_genuine(), key) {
            (Some(false), _) => {
                self.find(Check::Anchor, &name, "a signature of what the line says", "a signature of something else");
            }
            (_, Some(key)) if by != Some(key) => {
                let found = by.map_or_else(|| "no signature".to_owned(), |by| format!("one by {by}"));
                self.find(Check::Anchor, &name, format!("a signature by {key}"), found);
            }
            _ => {}
        }
        let seen = [anchor.transfers.seq == 0, anchor.seals.seq == 0];
        self.anchors.push(Anchored { anchor, line, seen });
    }

    /// Holds a row of one of the two chains against the anchors.
    fn hold_anchors(&mut self, chain: usize, sequence: i64, stored: &str) {
        let mut off = Vec::new();
        for Anchored { anchor, line, seen } in &mut self.anchors {
            let (what, end) = chain_of(anchor, chain);
            if end.seq == sequence && !seen[chain] {
                seen[chain] = true;
                if end.digest != stored {
                    let expected = format!("{what} {sequence} with digest {}", end.digest);
                    off.push((anchor_name(*line, anchor), expected, stored.to_owned()));
                }
            }
        }
        for (name, expected, found) in off {
            self.find(Check::Anchor, name, expected, found);
        }
    }

    /// The next seal, with the key and the content that it is of.
    pub fn seal(&mut self, sequence: i64, row: (&str, &str, &str), stored: &str) {
        self.report.seals += 1;
        let off = self.seals.link(sequence, row, stored);
        self.note(off);
        self.hold_anchors(1, sequence, stored);
    }

    /// A row that should be sealed as it is; `fixed` ones are written once.
    pub fn sealed_row(&mut self, kind: &str, subject: &str, content: &str, fixed: bool) {
        let off = self.seals.row(kind, subject, content, fixed);
        self.note(off);
    }

    /// All rows of a table were read; `passing` ones may be gone though they were sealed.
    pub fn sealed_end(&mut self, kind: &str, passing: bool) {
        let off = self.seals.end(kind, passing);
        self.note(off);
    }

    fn note(&mut self, off: impl IntoIterator<Item = Off>) {
        off.into_iter().for_each(|(check, subject, expected, found)| self.find(check, subject, expected, found));
    }

    /// The next row of the ledger.
    pub fn transfer(&mut self, sequence: i64, transfer: &Transfer, stored: &str) {
        self.report.transfers += 1;
        if sequence != self.sequence + 1 {
            self.find(Check::Sequence, transfer.id, format!("row {}", self.sequence + 1), format!("row {sequence}"));
        }
        let right = digest(&self.digest, transfer);
        if right != stored {
            self.find(Check::Digest, transfer.id, right, stored);
        }
        // The rest is judged from what stands there, so that one changed row is one finding.
        self.sequence = sequence;
        stored.clone_into(&mut self.digest);
        self.hold_anchors(0, sequence, stored);
        match self.book.apply(transfer) {
            Ok(Admission::New) => {
                self.add_to_cart(transfer);
                self.add_to_moved(transfer);
            }
            Ok(Admission::Already) => self.find(Check::Rule, transfer.id, "once", "a second time"),
            Err(refusal) => self.find(Check::Rule, transfer.id, "an admissible transfer", refusal.to_string()),
        }
    }

    fn add_to_cart(&mut self, transfer: &Transfer) {
        let sums = self.carts.entry(transfer.cart).or_default();
        let currency = *sums.currency.get_or_insert(transfer.amount.currency);
        if currency != transfer.amount.currency {
            return self.find(Check::Cart, transfer.id, currency.to_string(), transfer.amount.to_string());
        }
        sums.version_max = sums.version_max.max(transfer.receipt.unwrap_or(0));
        let minor = transfer.amount.minor;
        let tax = |account: &Account| match account {
            Account::Tax(name) => name.clone(),
            _ => String::new(),
        };
        // Sums of one cart are parts of sums of the book, which fit.
        match transfer.reason {
            Reason::Sale => sums.net += minor,
            Reason::CreditNote => sums.net -= minor,
            Reason::Tax => *sums.taxes.entry(tax(&transfer.credit)).or_default() += minor,
            Reason::TaxCredit => *sums.taxes.entry(tax(&transfer.debit)).or_default() -= minor,
            Reason::Capture | Reason::Charge | Reason::Reinstatement => sums.paid += minor,
            Reason::Refund if transfer.kind == TransferKind::Reserve => {}
            Reason::Refund | Reason::Dispute => sums.paid -= minor,
            Reason::Hold | Reason::WriteOff | Reason::Recovery => {}
        }
    }

    fn add_to_moved(&mut self, transfer: &Transfer) {
        let account = match transfer.reason {
            Reason::Hold | Reason::Capture | Reason::Charge => &transfer.debit,
            // What is set aside for a refund moves nothing yet, and has a name of its own.
            Reason::Refund if transfer.kind != TransferKind::Reserve => &transfer.credit,
            _ => return,
        };
        let Account::Clearing(name) = account else { return };
        let provider = self.providers.iter().position(|known| known == name).unwrap_or_else(|| {
            self.providers.push(name.clone());
            self.providers.len() - 1
        });
        let is_void = matches!(transfer.kind, TransferKind::Void { .. });
        let Transfer { reason, cart, amount, .. } = *transfer;
        let moved = Moved { reason, is_void, cart, provider, amount, ordered: false, stated: false };
        self.moved.insert(transfer.id, moved);
    }

    /// A stored balance.
    pub fn balance(&mut self, account: &Account, currency: Currency, stored: Balance) {
        self.report.balances += 1;
        let right = self.book.balance(account, currency);
        if right != stored {
            self.find(Check::Balance, format!("{account} {currency}"), right.to_string(), stored.to_string());
        }
        self.balances_seen.insert((account.clone(), currency));
    }

    /// A cart.
    pub fn cart(&mut self, row: CartRow) {
        self.report.carts += 1;
        self.carts.entry(row.cart).or_default().row = Some(row);
    }

    /// A version of a cart's receipt.
    pub fn receipt(&mut self, cart: CartId, version: u32, receipt: &Receipt) {
        self.report.receipts += 1;
        if let Some((expected, found)) = arithmetic::first_error(receipt) {
            self.find(Check::Receipt, format!("{cart} version {version}"), expected, found);
        }
        let sums = self.carts.entry(cart).or_default();
        if sums.row.is_none_or(|row| row.booked != version) {
            return;
        }
        sums.receipt_seen = true;
        let wanted = receipt.total.map(|total| {
            let mut taxes: BTreeMap<&str, i64> = BTreeMap::new();
            for share in &receipt.taxes {
                let sum = taxes.entry(&share.name).or_default();
                *sum = sum.saturating_add(share.tax.minor);
            }
            let tax: i64 = taxes.values().fold(0, |sum, minor| sum.saturating_add(*minor));
            taxes.retain(|_, minor| *minor != 0);
            (total, total.minor.saturating_sub(tax), taxes)
        });
        let mut booked: BTreeMap<&str, i64> = sums.taxes.iter().map(|(name, minor)| (name.as_str(), *minor)).collect();
        booked.retain(|_, minor| *minor != 0);
        let right = wanted.as_ref().is_some_and(|(total, net, taxes)| {
            sums.currency.is_none_or(|currency| currency == total.currency) && (*net, taxes) == (sums.net, &booked)
        });
        if !right {
            let expected = wanted.map_or_else(
                || "a receipt with a total".to_owned(),
                |(total, net, taxes)| parts_text(net, &taxes, total.currency),
            );
            let found = parts_text(sums.net, &booked, sums.currency.unwrap_or(Currency::USD));
            self.find(Check::Posting, format!("{cart} version {version}"), expected, found);
        }
    }

    /// An order to a provider and the last answer to it.
    pub fn order(&mut self, order: &Order, state: OrderState, answer: Option<&Answer>) {
        self.report.orders += 1;
        self.report.orders_open += u64::from(matches!(state, OrderState::Due | OrderState::Stuck));
        let done = match (state, answer) {
            (OrderState::Done, Some(Answer::Done { amount, .. })) => Some(*amount),
            (OrderState::Done, _) => {
                return self.find(Check::Order, order.id, "an answer that it is done", "no such answer");
            }
            (_, Some(Answer::Done { amount, .. })) => {
                return self.find(Check::Order, order.id, format!("state done, {amount}"), format!("state {state}"));
            }
            _ => None,
        };
        let is_void = matches!(order.task, Task::Void { .. });
        let Some(moved) = self.moved.get_mut(&order.id) else {
            match done {
                // A refund that is under way will bring down what the cart has paid.
                None if matches!(order.task, Task::Refund { .. }) && state != OrderState::Declined => {
                    let sums = self.carts.entry(order.cart).or_default();
                    sums.refunds_due = sums.refunds_due.saturating_add(order.amount.minor);
                }
                Some(amount) if amount.minor != 0 || is_void => {
                    self.find(Check::Order, order.id, format!("a transfer of {amount}"), "none in the ledger");
                }
                _ => {}
            }
            return;
        };
        moved.ordered = true;
        let found = moved.text(&self.providers);
        let expected = match done {
            // What was reserved for an order that is declined is released under its name.
            None if moved.is_void && state == OrderState::Declined => return,
            None => format!("no transfer: the order is {state}"),
            Some(amount) => {
                let reason = match order.task {
                    Task::Authorise | Task::Void { .. } => Reason::Hold,
                    Task::Capture { .. } => Reason::Capture,
                    Task::Charge => Reason::Charge,
                    Task::Refund { .. } => Reason::Refund,
                };
                let amount = if is_void { Money::new(0, amount.currency) } else { amount };
                let Moved { cart, provider, ordered, stated, .. } = *moved;
                let right = Moved { reason, is_void, cart, provider, amount, ordered, stated };
                let same = (reason, is_void, amount) == (moved.reason, moved.is_void, moved.amount)
                    && order.cart == cart
                    && order.method.provider == self.providers[provider];
                let above = !is_void && order.amount.minor < amount.minor;
                if same && !above {
                    return;
                }
                let most = if above { format!(", at most {}", order.amount) } else { String::new() };
                let (cart, provider) = (order.cart, &order.method.provider);
                format!("{}{most} of {cart} by {provider}", right.what())
            }
        };
        self.find(Check::Order, order.id, expected, found);
    }

    /// Everything that a provider has on its own books.
    pub fn statement(&mut self, provider: &str, lines: impl IntoIterator<Item = StatementLine>) {
        let place = self.providers.iter().position(|known| known == provider);
        for line in lines {
            self.report.statement_lines += 1;
            let moved = self.moved.get_mut(&line.order).filter(|moved| Some(moved.provider) == place);
            let found = format!("{} {} as {}", movement_name(line.movement), line.amount, line.reference);
            let expected = match moved {
                Some(moved) if moved.movement() == Some(line.movement) && moved.amount == line.amount => {
                    if !std::mem::replace(&mut moved.stated, true) {
                        continue;
                    }
                    "one line of the statement".to_owned()
                }
                Some(moved) => {
                    moved.stated = true;
                    moved.what()
                }
                None => "nothing: the ledger has no such movement".to_owned(),
            };
            self.find(Check::Statement, line.order, expected, found);
        }
        let unstated = self
            .moved
            .iter()
            .filter(|(_, moved)| Some(moved.provider) == place && moved.movement().is_some() && !moved.stated);
        let unstated: Vec<(TransferId, String)> = unstated.map(|(id, moved)| (*id, moved.what())).collect();
        for (id, what) in unstated {
            self.find(Check::Statement, id, what, format!("nothing on the statement of {provider}"));
        }
    }

    /// The evidence that was sealed and is gone: key and seal of each row. To come behind the sealed rows.
    pub fn evidence_gone(&mut self) -> Vec<(String, i64)> {
        self.seals.gone("evidence")
    }

    /// Whether a shop was described anew behind a seal, so that it may have kept evidence for another time before.
    pub fn is_shop_changed(&self, shop: &str, seal: i64) -> bool {
        self.seals.is_shop_changed(shop, seal)
    }

    /// Evidence that is gone and should be there, and why it should.
    pub fn evidence_missing(&mut self, subject: &str, seal: i64, why: &str) {
        let expected = format!("the row that seal {seal} is of, {why}");
        self.find(Check::Seal, format!("evidence {subject}"), expected, "no row");
    }

    /// What holds only when everything was read, and the report.
    pub fn finish(mut self) -> Report {
        self.finish_balances();
        self.finish_carts();
        self.finish_orders();
        self.finish_chains();
        self.report
    }

    fn finish_chains(&mut self) {
        let off = std::mem::take(&mut self.seals).finish();
        self.note(off);
        for Anchored { anchor, line, seen } in std::mem::take(&mut self.anchors) {
            for chain in [0, 1].into_iter().filter(|chain| !seen[*chain]) {
                let (what, end) = chain_of(&anchor, chain);
                let last = if chain == 0 { self.report.transfers } else { self.report.seals };
                let expected = format!("{what} {}", end.seq);
                self.find(Check::Anchor, anchor_name(line, &anchor), expected, format!("a book with {last} of them"));
            }
        }
    }

    fn finish_balances(&mut self) {
        let balances: Vec<_> = self.book.balances().iter().map(|(key, balance)| (key.clone(), *balance)).collect();
        for ((account, currency), balance) in balances {
            if !self.balances_seen.contains(&(account.clone(), currency)) {
                let subject = format!("{account} {currency}");
                self.find(Check::Balance, subject, balance.to_string(), "no stored balance");
            }
            self.report.totals.entry(currency).or_default().add(&account, balance);
        }
        let mut sums: BTreeMap<Currency, (i128, i128)> = BTreeMap::new();
        for ((_, currency), balance) in self.book.balances() {
            let (debits, credits) = sums.entry(*currency).or_default();
            *debits += i128::from(balance.debits);
            *credits += i128::from(balance.credits);
        }
        for (currency, (debits, credits)) in sums {
            if debits != credits {
                self.find(Check::Sum, currency, format!("debits {debits}"), format!("credits {credits}"));
            }
        }
    }

    fn finish_carts(&mut self) {
        let mut settled = BTreeSet::new();
        for (cart, sums) in std::mem::take(&mut self.carts) {
            let Some(row) = sums.row else {
                self.find(Check::Cart, cart, "a cart", "postings, a receipt or an order of none");
                continue;
            };
            if row.settled && !row.payment_open {
                settled.insert(cart);
            }
            self.finish_review(row);
            if row.booked != 0 && !sums.receipt_seen {
                self.find(Check::Posting, cart, format!("a receipt of version {}", row.booked), "none");
            }
            if row.booked < sums.version_max {
                let found = format!("postings of version {}", sums.version_max);
                self.find(Check::Posting, cart, format!("none beyond version {}", row.booked), found);
            }
            let total = sums.taxes.values().fold(sums.net, |sum, minor| sum.saturating_add(*minor));
            if total.saturating_add(sums.refunds_due) < sums.paid {
                let money = |minor| Money::new(minor, sums.currency.unwrap_or(Currency::USD)).to_string();
                self.find(Check::Payment, cart, format!("at most {} paid", money(total)), money(sums.paid));
            }
        }
        let open: Vec<(TransferId, CartId, Money)> =
            self.book.open_reservations().map(|hold| (hold.id, hold.cart, hold.amount)).collect();
        self.report.holds_open = open.len() as u64;
        for (id, cart, amount) in open.into_iter().filter(|(_, cart, _)| settled.contains(cart)) {
            self.find(Check::Hold, id, format!("resolved: {cart} is settled"), format!("{amount} still held"));
        }
    }

    /// Whether a person was asked where one had to be, and who pays is who was inside.
    fn finish_review(&mut self, row: CartRow) {
        let cart = row.cart;
        if row.in_review && row.cases_waiting == 0 {
            self.find(Check::Case, cart, "a case that waits, for the cart is in review", "none");
        }
        if row.settled && 0 < row.cases_before_booking {
            let found = format!("{} without one", row.cases_before_booking);
            self.find(Check::Case, cart, "a verdict on each case, for the cart is settled", found);
        }
        if row.on_duty && (0 < row.booked || row.payer.is_some()) {
            let found = if 0 < row.booked { "a booked receipt" } else { "a payment" };
            self.find(Check::Case, cart, "nothing to be paid, for it is of somebody who works here", found);
        }
        if row.settled && 0 < row.receipt && row.booked == 0 && row.cases_decided == 0 && !row.on_duty {
            self.find(Check::Case, cart, "a booked receipt, or a verdict that nothing is to be booked", "neither");
        }
        if row.payer.is_some() && row.payer != row.shopper {
            let text = |id: Option<ShopperId>| id.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
            self.find(Check::Payer, cart, format!("a payment by {}", text(row.shopper)), text(row.payer));
        }
    }

    fn finish_orders(&mut self) {
        // A hold may also lapse by itself, so that its release was never ordered.
        let unordered = self.moved.iter().filter(|(_, moved)| !moved.ordered && !moved.is_void);
        let unordered: Vec<(TransferId, String)> =
            unordered.map(|(id, moved)| (*id, moved.text(&self.providers))).collect();
        for (id, found) in unordered {
            self.find(Check::Order, id, "an order that is done", found);
        }
    }
    fn find(&mut self, check: Check, subject: impl ToString, expected: impl Into<String>, found: impl Into<String>) {
        self.report.find(Finding {
            check,
            subject: subject.to_string(),
            expected: expected.into(),
            found: found.into(),
        });
    }
}

impl Moved {
    /// What the provider did with money at our order; none for holds.
    fn movement(&self) -> Option<MoneyMovement> {
        match self.reason {
            _ if self.is_void => None,
            Reason::Capture | Reason::Charge => Some(MoneyMovement::Taken),
            Reason::Refund => Some(MoneyMovement::GivenBack),
            _ => None,
        }
    }

    fn what(&self) -> String {
        let verb = match self.reason {
            _ if self.is_void => return "a reservation released".to_owned(),
            Reason::Hold => "held",
            Reason::Capture => "captured",
            Reason::Refund => "given back",
            _ => "charged",
        };
        format!("{} {verb}", self.amount)
    }

    fn text(&self, providers: &[String]) -> String {
        format!("{} of {} by {}", self.what(), self.cart, providers[self.provider])
    }
}

fn anchor_name(line: usize, anchor: &Anchor) -> String {
    format!("line {line}, of {}", anchor.at)
}

/// What a chain is of, and where it ended.
fn chain_of(anchor: &Anchor, chain: usize) -> (&'static str, &ChainEnd) {
    match chain {
        0 => ("transfer", &anchor.transfers),
        _ => ("seal", &anchor.seals),
    }
}

fn parts_text(net: i64, taxes: &BTreeMap<&str, i64>, currency: Currency) -> String {
    let tax = |(name, minor): (&&str, &i64)| format!(", tax {name} {}", Money::new(*minor, currency));
    format!("net {}{}", Money::new(net, currency), taxes.iter().map(tax).collect::<String>())
}

fn movement_name(movement: MoneyMovement) -> &'static str {
    match movement {
        MoneyMovement::Taken => "taken",
        MoneyMovement::GivenBack => "given back",
    }
}
