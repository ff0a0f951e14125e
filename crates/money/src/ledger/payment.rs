//! The money of one cart, from the hold at the entry to the last refund: what was asked of the provider, what it
//! answered, and therefore what to ask next and what to write into the book.
//!
//! There is one order at a time. After every answer and every change of the bill the next order follows from what is
//! still outstanding: a hold is captured or released, what is missing is charged, what is too much is given back. So a
//! correction needs no special path, and whatever order things happen in, they end with paid = owed.

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{CartId, Currency, Money, PaymentId, ShopTime, ShopperId, TransferId};
use crate::facts::{
    Account, Answer, Concern, Order, OrderLine, PaymentMethod, Reason, Settled, Task, Transfer, TransferKind,
};

/// What providers call a hold that was captured otherwise than by us.
const ALREADY_CAPTURED: &str = "already_captured";

/// The money of one cart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// Its name.
    pub id: PaymentId,
    /// Whose goods.
    pub cart: CartId,
    /// Who pays.
    pub shopper: ShopperId,
    /// How.
    pub method: PaymentMethod,
    /// What is asked of the provider right now.
    pub asked: Option<Order>,
    /// The hold that is open.
    pub hold: Option<Settled>,
    /// What is owed; none while the shopper is inside.
    pub bill: Option<Bill>,
    /// What was captured and charged, with what of it was given back.
    pub taken: Vec<Taken>,
    /// Why the provider will not charge, until somebody tries again.
    pub refusal: Option<Refusal>,
    /// What a bank took back for the shopper, which the shop lost, minor units.
    #[serde(default)]
    pub lost: i64,
    /// How many orders and disputes of this payment there were so far.
    pub orders: u32,
}

/// What is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bill {
    /// The version of the receipt.
    pub receipt: u32,
    /// Its total; not negative.
    pub total: Money,
    /// Its lines, as a provider may show them.
    pub lines: Vec<OrderLine>,
}

/// Money taken from the shopper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Taken {
    /// What was captured or charged.
    pub settled: Settled,
    /// From where; it goes back there.
    pub method: PaymentMethod,
    /// What of it was given back, minor units.
    pub given_back: i64,
    /// What of that a bank took back in disputes that the shop has not won, minor units.
    #[serde(default)]
    pub disputed: i64,
}

/// Why a provider will not charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The provider's code.
    pub code: String,
    /// The shopper can mend it in person.
    pub wants_shopper: bool,
    /// Only a hold was refused; a charge may still go through.
    pub of_hold: bool,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The shopper is inside; the hold is asked for, open, or was refused.
    Open,
    /// The provider is being asked.
    Settling,
    /// What is owed is paid, and nothing more.
    Settled,
    /// Something is owed and the provider refused it.
    Unpaid,
}

/// What follows from an event; all of it is to be written at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// For the ledger.
    pub transfers: Vec<Transfer>,
    /// For the provider.
    pub order: Option<Order>,
    /// For a person.
    pub concern: Option<Concern>,
}

impl Standing {
    /// As the database and the API write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Standing::Open => "open",
            Standing::Settling => "settling",
            Standing::Settled => "settled",
            Standing::Unpaid => "unpaid",
        }
    }
}

impl Payment {
    /// A payment that begins with the shopper's entry, asking for a hold unless `hold` is nothing.
    pub fn begin(
        cart: CartId,
        shopper: ShopperId,
        method: PaymentMethod,
        hold: Option<Money>,
        at: ShopTime,
    ) -> (Self, Effects) {
        let mut payment = Payment {
            id: PaymentId::of_cart(cart),
            cart,
            shopper,
            method,
            asked: None,
            hold: None,
            bill: None,
            taken: Vec::new(),
            refusal: None,
            lost: 0,
            orders: 0,
        };
        let order = hold.filter(|hold| 0 < hold.minor).map(|hold| payment.ask(Task::Authorise, hold, at));
        (payment, Effects { order, ..Effects::default() })
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        match (&self.bill, &self.asked, self.outstanding()) {
            (None, ..) => Standing::Open,
            (Some(_), Some(_), _) => Standing::Settling,
            (Some(_), None, Some(0)) if self.hold.is_none() => Standing::Settled,
            (Some(_), None, _) => Standing::Unpaid,
        }
    }

    /// The receipt is known, or was corrected.
    pub fn bill(&mut self, bill: Bill, at: ShopTime) -> Effects {
        self.bill = Some(bill);
        self.advance(Effects::default(), at)
    }

    /// Somebody tries a refused charge again, perhaps with another way to pay.
    pub fn retry(&mut self, method: Option<PaymentMethod>, at: ShopTime) -> Effects {
        if let Some(method) = method {
            self.method = method;
        }
        self.refusal = None;
        self.advance(Effects::default(), at)
    }

    /// The shopper's bank took back `amount` of what was taken under `reference`. It is booked as a loss of the shop, is
    /// not charged again, and a person is told. Nothing, where nothing was taken under that name or nothing is left.
    pub fn disputed(&mut self, reference: &str, amount: Money, at: ShopTime) -> Effects {
        let taken = self.taken.iter_mut().find(|taken| taken.settled.reference == reference);
        let Some(taken) = taken.filter(|taken| taken.settled.amount.currency == amount.currency) else {
            return Effects::default();
        };
        let minor = amount.minor.min(taken.settled.amount.minor - taken.given_back);
        if minor <= 0 {
            return Effects::default();
        }
        taken.given_back += minor;
        taken.disputed += minor;
        let clearing = Account::Clearing(taken.method.provider.clone());
        self.lost += minor;
        self.orders += 1;
        let transfer = |role: &str, reason, debit, credit| {
            let id = TransferId::of_cart(self.cart, role, self.orders);
            let amount = Money::new(minor, amount.currency);
            self.transfer(id, TransferKind::Direct, reason, (debit, credit), amount, at)
        };
        Effects {
            transfers: vec![
                transfer("dispute", Reason::Dispute, self.owner(), clearing),
                transfer("loss", Reason::WriteOff, Account::Losses, self.owner()),
            ],
            order: None,
            concern: Some(Concern::Disputed { amount }),
        }
    }

    /// The shop has won a dispute: the bank gave back `amount` of what it had taken back under `reference`. The loss is
    /// taken back too; what was credited on the receipt meanwhile is given to the shopper. Nothing, where nothing is
    /// disputed under that name, so that it may be told more than once.
    pub fn reinstated(&mut self, reference: &str, amount: Money, at: ShopTime) -> Effects {
        let taken = self.taken.iter_mut().find(|taken| taken.settled.reference == reference);
        let Some(taken) = taken.filter(|taken| taken.settled.amount.currency == amount.currency) else {
            return Effects::default();
        };
        let minor = amount.minor.min(taken.disputed);
        if minor <= 0 {
            return Effects::default();
        }
        taken.given_back -= minor;
        taken.disputed -= minor;
        let clearing = Account::Clearing(taken.method.provider.clone());
        self.lost -= minor;
        self.orders += 1;
        let transfer = |role: &str, reason, debit, credit| {
            let id = TransferId::of_cart(self.cart, role, self.orders);
            let amount = Money::new(minor, amount.currency);
            self.transfer(id, TransferKind::Direct, reason, (debit, credit), amount, at)
        };
        let transfers = vec![
            transfer("reinstatement", Reason::Reinstatement, clearing, self.owner()),
            transfer("recovery", Reason::Recovery, self.owner(), Account::Losses),
        ];
        self.advance(Effects { transfers, ..Effects::default() }, at)
    }

    /// What came of the order that was asked last. An answer to any other order changes nothing: it came before.
    pub fn answered(&mut self, order: TransferId, answer: &Answer, at: ShopTime) -> Effects {
        let Some(asked) = self.asked.take_if(|asked| asked.id == order) else { return Effects::default() };
        match answer {
            Answer::Done { reference, amount } if is_possible(&asked, *amount) => {
                let settled = Settled { order, reference: reference.clone(), amount: *amount };
                let effects = self.done(&asked, settled, at);
                self.advance(effects, at)
            }
            Answer::Done { amount, .. } => {
                let code = format!("the provider moved {amount} where {} was asked for", asked.amount);
                self.asked = Some(asked);
                Effects { concern: Some(Concern::Unpaid { code }), ..Effects::default() }
            }
            Answer::Declined { code, wants_shopper, .. } => {
                let of_hold = asked.task == Task::Authorise;
                let refusal = Refusal { code: code.clone(), wants_shopper: *wants_shopper, of_hold };
                let effects = self.declined(&asked, refusal, at);
                self.advance(effects, at)
            }
            Answer::Pending { .. } | Answer::Unknown { .. } | Answer::Unavailable { .. } | Answer::Faulty { .. } => {
                self.asked = Some(asked);
                Effects::default()
            }
        }
    }

    /// What is owed and neither paid nor lost, minor units; negative when too much was taken. None while nothing is
    /// billed.
    pub fn outstanding(&self) -> Option<i64> {
        let due = self.bill.as_ref()?.total.minor - self.paid();
        // A loss stands for what is billed; of what was credited since, the bank has given back its part.
        Some(if due < 0 { due } else { (due - self.lost).max(0) })
    }

    /// The currency of what is billed, held, asked for or was taken; none while there is nothing of it.
    pub fn currency(&self) -> Option<Currency> {
        let billed = self.bill.as_ref().map(|bill| bill.total);
        let held = || self.hold.as_ref().map(|hold| hold.amount);
        let taken = || self.taken.first().map(|taken| taken.settled.amount);
        let asked = || self.asked.as_ref().map(|order| order.amount);
        billed.or_else(held).or_else(taken).or_else(asked).map(|amount| amount.currency)
    }

    /// What was taken and not given back, minor units.
    pub fn paid(&self) -> i64 {
        self.taken.iter().map(|taken| taken.settled.amount.minor - taken.given_back).sum()
    }

    fn done(&mut self, asked: &Order, settled: Settled, at: ShopTime) -> Effects {
        let (amount, taken) =
            (settled.amount, Taken { settled, method: asked.method.clone(), given_back: 0, disputed: 0 });
        let transfer = match &asked.task {
            Task::Authorise => {
                self.hold = Some(taken.settled);
                self.inward(asked, TransferKind::Reserve, Reason::Hold, amount, at)
            }
            Task::Capture { hold } => {
                self.hold = None;
                self.taken.push(taken);
                let kind = TransferKind::Post { reservation: hold.order };
                self.inward(asked, kind, Reason::Capture, amount, at)
            }
            Task::Void { hold } => {
                self.hold = None;
                let kind = TransferKind::Void { reservation: hold.order };
                self.inward(asked, kind, Reason::Hold, amount, at)
            }
            Task::Charge => {
                self.taken.push(taken);
                self.inward(asked, TransferKind::Direct, Reason::Charge, amount, at)
            }
            Task::Refund { of } => {
                if let Some(taken) = self.taken.iter_mut().find(|taken| taken.settled.order == of.order) {
                    taken.given_back += amount.minor;
                }
                let kind = TransferKind::Post { reservation: set_aside(asked) };
                self.outward(asked, asked.id, kind, amount, at)
            }
        };
        Effects { transfers: vec![transfer], ..Effects::default() }
    }

    fn declined(&mut self, asked: &Order, refusal: Refusal, at: ShopTime) -> Effects {
        let unpaid = Concern::Unpaid { code: refusal.code.clone() };
        let nothing = Money::new(0, asked.amount.currency);
        match &asked.task {
            // Who may enter without a hold is the policy's affair.
            Task::Authorise => {
                self.refusal = Some(refusal);
                Effects::default()
            }
            // The hold is gone, whatever became of it: what is owed is charged without one.
            Task::Capture { hold } | Task::Void { hold } => {
                self.hold = None;
                let kind = TransferKind::Void { reservation: hold.order };
                let released = self.inward(asked, kind, Reason::Hold, nothing, at);
                // Somebody took money by hand that is not owed.
                let taken = matches!(asked.task, Task::Void { .. }) && refusal.code == ALREADY_CAPTURED;
                Effects { transfers: vec![released], concern: taken.then_some(unpaid), ..Effects::default() }
            }
            Task::Charge => {
                self.refusal = Some(refusal);
                Effects { concern: Some(unpaid), ..Effects::default() }
            }
            Task::Refund { .. } => {
                self.refusal = Some(refusal);
                let kind = TransferKind::Void { reservation: set_aside(asked) };
                let kept = self.outward(asked, asked.id, kind, nothing, at);
                Effects { transfers: vec![kept], concern: Some(unpaid), ..Effects::default() }
            }
        }
    }

    /// The next order, if one is due and none is under way.
    fn advance(&mut self, mut effects: Effects, at: ShopTime) -> Effects {
        let (Some(bill), None, Some(outstanding)) = (&self.bill, &self.asked, self.outstanding()) else {
            return effects;
        };
        let currency = bill.total.currency;
        let order = match self.hold.clone() {
            Some(hold) if 0 < outstanding => {
                let amount = Money::new(outstanding.min(hold.amount.minor), currency);
                Some(self.ask(Task::Capture { hold }, amount, at))
            }
            Some(hold) => Some(self.ask(Task::Void { hold }, Money::new(0, currency), at)),
            None if outstanding == 0 => None,
            None if 0 < outstanding && self.refusal.as_ref().is_none_or(|refusal| refusal.of_hold) => {
                self.refusal = None;
                Some(self.ask(Task::Charge, Money::new(outstanding, currency), at))
            }
            None if outstanding < 0 && self.refusal.as_ref().is_none_or(|refusal| refusal.of_hold) => {
                self.give_back(-outstanding, &mut effects, at)
            }
            None => None,
        };
        effects.order = order;
        effects
    }

    fn give_back(&mut self, minor: i64, effects: &mut Effects, at: ShopTime) -> Option<Order> {
        let left = |taken: &Taken| taken.settled.amount.minor - taken.given_back;
        let taken = self.taken.iter().max_by_key(|taken| left(taken)).filter(|taken| 0 < left(taken))?.clone();
        let amount = Money::new(minor.min(left(&taken)), taken.settled.amount.currency);
        let order = self.ask_by(taken.method, Task::Refund { of: taken.settled }, amount, at);
        effects.transfers.push(self.outward(&order, set_aside(&order), TransferKind::Reserve, amount, at));
        Some(order)
    }

    fn ask(&mut self, task: Task, amount: Money, at: ShopTime) -> Order {
        self.ask_by(self.method.clone(), task, amount, at)
    }

    fn ask_by(&mut self, method: PaymentMethod, task: Task, amount: Money, at: ShopTime) -> Order {
        self.orders += 1;
        let role = match task {
            Task::Authorise => "authorise",
            Task::Capture { .. } => "capture",
            Task::Void { .. } => "void",
            Task::Charge => "charge",
            Task::Refund { .. } => "refund",
        };
        let order = Order {
            id: TransferId::of_cart(self.cart, role, self.orders),
            payment: self.id,
            cart: self.cart,
            task,
            amount,
            method,
            lines: self.bill.as_ref().map_or_else(Vec::new, |bill| bill.lines.clone()),
            made_at: at,
        };
        self.asked = Some(order.clone());
        order
    }

    fn owner(&self) -> Account {
        Account::Shopper(self.shopper)
    }

    /// What an order does to money on its way from the shopper.
    fn inward(&self, order: &Order, kind: TransferKind, reason: Reason, amount: Money, at: ShopTime) -> Transfer {
        let clearing = Account::Clearing(order.method.provider.clone());
        self.transfer(order.id, kind, reason, (clearing, self.owner()), amount, at)
    }

    /// What an order does to money on its way back to the shopper.
    fn outward(&self, order: &Order, id: TransferId, kind: TransferKind, amount: Money, at: ShopTime) -> Transfer {
        let clearing = Account::Clearing(order.method.provider.clone());
        self.transfer(id, kind, Reason::Refund, (self.owner(), clearing), amount, at)
    }

    fn transfer(
        &self,
        id: TransferId,
        kind: TransferKind,
        reason: Reason,
        (debit, credit): (Account, Account),
        amount: Money,
        at: ShopTime,
    ) -> Transfer {
        let receipt = self.bill.as_ref().map(|bill| bill.receipt);
        Transfer { id, kind, reason, debit, credit, amount, cart: self.cart, receipt, at }
    }
}

/// The reservation that stands for a refund while it is under way.
fn set_aside(refund: &Order) -> TransferId {
    TransferId::derived(&[&refund.id.hex(), "set-aside"])
}

/// Whether an order can have moved so much.
pub fn is_possible(order: &Order, amount: Money) -> bool {
    let least = if matches!(order.task, Task::Void { .. }) { 0 } else { 1 };
    amount.currency == order.amount.currency && least <= amount.minor && amount.minor <= order.amount.minor
}
