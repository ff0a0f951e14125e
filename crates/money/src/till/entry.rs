//! Coming in: who pays, the hold, and whether the door opens.

use super::{Till, book};
use crate::base::{CartId, Error, Money, Result, ShopTime, ShopperId, Span};
use crate::db::carts::{Cart, CartState};
use crate::db::duties::{self, Duty};
use crate::db::outbox::LetterState;
use crate::db::shoppers::Shopper;
use crate::db::{Failure, Session, carts, outbox, shoppers};
use crate::facts::{Order, PaymentMethod};
use crate::ledger::payment::{Bill, Payment, Standing};
use crate::shop::Shop;

/// How long whoever announces a shopper has to ask for the hold before others may.
const HOLD_LEASE: Span = Span::from_millis(30_000);

/// Somebody who wants to be a shopper.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// Their name in the book, minted by the caller.
    pub id: ShopperId,
    /// What they call themselves, if told.
    pub name: Option<String>,
    /// Where to reach them, if told.
    pub contact: Option<String>,
    /// How they pay.
    pub method: Option<PaymentMethod>,
    /// SHA-256 of what they show at a gate, hexadecimal.
    pub gate_digest: Option<String>,
}

/// A shopper at the gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Announced {
    /// The cart that waits for them.
    pub cart: CartId,
    /// The hold to ask for now; none where the policy wants none.
    pub order: Option<Order>,
    /// The order was surely never sent before.
    pub first: bool,
}

/// Whether the door opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// Welcome.
    Open {
        /// The hold is not there yet: the provider cannot be reached, and the policy trusts the shopper meanwhile.
        unheld: bool,
    },
    /// Not today.
    Shut {
        /// Why, for the shopper.
        reason: String,
    },
}

impl Till {
    /// Writes a new shopper into the book; doing it again changes what they told. How they pay is written as it is said:
    /// the caller answers for it, or the provider does.
    ///
    /// # Errors
    /// When somebody else shows the same token at gates, or is the same customer of the provider; what the database says.
    pub fn enrol(&mut self, enrolment: &Enrolment, now: ShopTime) -> Result<()> {
        self.db.transaction(|session| enrol_in(session, enrolment, now))
    }

    /// As [`Till::enrol`], said by the shopper, whose word does not make anybody else pay: a way to pay must be the one that
    /// the book has of them.
    ///
    /// # Errors
    /// As [`Till::enrol`], and when the way to pay is another one.
    pub fn retell(&mut self, enrolment: &Enrolment, now: ShopTime) -> Result<()> {
        self.db.transaction(|session| {
            let known = shoppers::get(session, enrolment.id)?.and_then(|known| known.method);
            if enrolment.method.is_some() && enrolment.method != known {
                return Err(Error::conflict("this is not the way to pay that the book has of this shopper").into());
            }
            enrol_in(session, enrolment, now)
        })
    }

    /// A shopper is at a gate: opens a cart and asks for a hold. The caller asks the provider for the order at once, gives
    /// the answer to [`Till::answered`], and then asks [`Till::door`].
    ///
    /// # Errors
    /// When the shopper is unknown, cannot pay, or owes something and the policy minds; what the database says.
    pub fn announce(&mut self, shopper: ShopperId, cart: CartId, gate: &str, at: ShopTime) -> Result<Announced> {
        let shop = self.shop.clone();
        self.db.transaction(|session| announce_in(session, &shop, shopper, (cart, gate), at))
    }

    /// Somebody whom the book need not know begins a visit at a terminal and pays so: as [`Till::announce`], of whoever is this
    /// customer of the provider, or of somebody made up for this visit alone. One visit at a time is open there.
    ///
    /// # Errors
    /// While another visit is open that began there; as [`Till::announce`].
    pub fn walk_in(&mut self, method: &PaymentMethod, cart: CartId, gate: &str, at: ShopTime) -> Result<Announced> {
        let shop = self.shop.clone();
        self.db.transaction(|session| {
            if let Some(open) = carts::open_at(session, shop.name(), gate)?
                && open.id != cart
            {
                let message = "a visit that began at this terminal is not over; the next one can begin when it is";
                return Err(Error::conflict(message).into());
            }
            let made_up = ShopperId::derived(&["walk-in", &cart.hex()]);
            let named = !method.customer.is_empty();
            let known = if named { shoppers::by_customer(session, method, made_up)? } else { None };
            let id = known.unwrap_or(made_up);
            let known = shoppers::get(session, id)?;
            let shopper = Shopper { method: Some(method.clone()), ..known.clone().unwrap_or_else(|| nobody(id, at)) };
            match known {
                None => shoppers::insert(session, &shopper)?,
                Some(known) if known != shopper => shoppers::update(session, &shopper)?,
                Some(_) => {}
            }
            announce_in(session, &shop, id, (cart, gate), at)
        })
    }

    /// Somebody who works here is at a gate: opens a cart for which nobody will be asked to pay. Doing it again changes nothing.
    ///
    /// # Errors
    /// When they come in as a shopper, who is to be announced; when the cart is somebody else's; what the database says.
    pub fn admit(&mut self, duty: Duty, cart: CartId, gate: &str, at: ShopTime) -> Result<()> {
        if duty.role.is_billed() {
            return Err(Error::input("a shopper is announced, not admitted"));
        }
        let shop = self.shop.clone();
        self.db.transaction(|session| {
            if carts::get(session, cart)?.is_some() {
                return match duties::of_cart(session, cart)? {
                    Some(known) if known == duty => Ok(()),
                    _ => Err(Error::conflict(format!("{cart} belongs to somebody else")).into()),
                };
            }
            open(session, shop.name(), cart, None, Some(gate), at)?;
            duties::insert(session, cart, duty)
        })
    }

    /// Whether the door opens for a cart that was announced. Where it does not, the cart is closed and its hold, if any
    /// comes yet, is released.
    ///
    /// # Errors
    /// When there is no such cart; what the database says.
    pub fn door(&mut self, cart: CartId, at: ShopTime) -> Result<Door> {
        let shop = self.shop.clone();
        let policy = shop.policy().payment;
        self.db.transaction(|session| {
            let Some(payment) = book::payment_of(session, cart)? else {
                return Err(Error::missing(format!("nobody was announced with {cart}")).into());
            };
            let cart = carts::get(session, cart)?.filter(|cart| cart.left_at.is_none());
            if cart.is_none() {
                return Ok(Door::Shut { reason: "this entry is over; please come to the gate again".to_owned() });
            }
            if let Some(refusal) = &payment.refusal {
                let reason = format!("the payment provider declined ({})", refusal.code);
                turn_away(session, payment, at)?;
                return Ok(Door::Shut { reason });
            }
            let Some(asked) = &payment.asked else { return Ok(Door::Open { unheld: false }) };
            let letter = outbox::get(session, asked.id)?;
            // The provider is there and has not said yes: that is not its silence.
            let no = match letter {
                Some(letter) if letter.state == LetterState::Stuck => Some("the payment provider refuses the request"),
                Some(letter) if letter.reference.is_some() => Some("the payment was not confirmed in time"),
                _ => None,
            };
            if let Some(reason) = no {
                turn_away(session, payment, at)?;
                return Ok(Door::Shut { reason: reason.to_owned() });
            }
            // Nothing is heard from the provider. How long that has been so, the oldest order that waits can tell.
            let silent_since = outbox::oldest_due(session, shop.name())?.unwrap_or(at);
            if at - silent_since <= policy.offline_max && policy.offline_max != Span::ZERO {
                return Ok(Door::Open { unheld: true });
            }
            turn_away(session, payment, at)?;
            Ok(Door::Shut { reason: "the payment provider cannot be reached; please try again later".to_owned() })
        })
    }
}

/// Opens a cart for a shopper and asks for a hold.
fn announce_in(
    session: &mut dyn Session,
    shop: &Shop,
    shopper: ShopperId,
    (cart, gate): (CartId, &str),
    at: ShopTime,
) -> Result<Announced, Failure> {
    let policy = shop.policy().payment;
    if let Some(known) = carts::get(session, cart)? {
        let order = book::payment_of(session, cart)?.and_then(|payment| payment.asked);
        return match known.shopper == Some(shopper) {
            true => Ok(Announced { cart, order, first: false }),
            false => Err(Error::conflict(format!("{cart} belongs to another shopper")).into()),
        };
    }
    let known = shoppers::get(session, shopper)?.filter(|known| known.erased_at.is_none());
    let Some(known) = known else {
        return Err(Error::missing(format!("nobody here is called {shopper}")).into());
    };
    let Some(method) = known.method else {
        return Err(Error::conflict("this shopper has no way to pay yet; enrol one first").into());
    };
    if policy.debt_blocks_entry
        && let Some(debt) = debt(session, shopper)?
    {
        let message = format!("an earlier receipt of {debt} is not paid; it has to be paid first");
        return Err(Error::conflict(message).into());
    }
    open(session, shop.name(), cart, Some(shopper), Some(gate), at)?;
    let (payment, effects) = Payment::begin(cart, shopper, method, policy.hold, at);
    book::carry_out(session, &payment, &effects, at)?;
    // The one at the gate asks right now; the others come in if it dies.
    if let Some(order) = &effects.order
        && let Some(mut letter) = outbox::get(session, order.id)?
    {
        letter.attempts = 1;
        letter.due_at = at + HOLD_LEASE;
        letter.unsure_since = Some(at);
        outbox::update(session, &letter)?;
    }
    Ok(Announced { cart, order: effects.order, first: true })
}

/// Somebody of whom nothing is known.
fn nobody(id: ShopperId, at: ShopTime) -> Shopper {
    Shopper { id, name: None, contact: None, method: None, gate_digest: None, created_at: at, erased_at: None }
}

fn enrol_in(session: &mut dyn Session, enrolment: &Enrolment, now: ShopTime) -> Result<(), Failure> {
    let digest = enrolment.gate_digest.as_deref();
    if let Some(digest) = digest
        && let Some(other) = shoppers::by_gate_digest(session, digest)?
        && other.id != enrolment.id
    {
        return Err(Error::conflict("this gate token belongs to another shopper; make a new one").into());
    }
    let known = shoppers::get(session, enrolment.id)?;
    let customer = |method: &PaymentMethod| (method.provider.clone(), method.customer.clone());
    let before = known.as_ref().and_then(|known| known.method.as_ref()).map(customer);
    // Where a provider knows nobody by name, the customer is empty, and is nobody in particular.
    if let Some(method) = enrolment.method.as_ref().filter(|method| !method.customer.is_empty())
        && before != Some(customer(method))
        && shoppers::by_customer(session, method, enrolment.id)?.is_some()
    {
        let message = "another shopper is this customer of the payment provider already; nobody pays with what is somebody \
                       else's";
        return Err(Error::conflict(message).into());
    }
    let shopper = Shopper {
        id: enrolment.id,
        name: enrolment.name.clone(),
        contact: enrolment.contact.clone(),
        method: enrolment.method.clone(),
        gate_digest: enrolment.gate_digest.clone(),
        created_at: known.as_ref().map_or(now, |known| known.created_at),
        erased_at: None,
    };
    match known {
        None => shoppers::insert(session, &shopper),
        Some(known) if known.erased_at.is_some() => Err(Error::conflict(format!("{} was erased", known.id)).into()),
        Some(_) => shoppers::update(session, &shopper),
    }
}

/// What a shopper owes and could not be charged.
pub(super) fn debt(session: &mut dyn Session, shopper: ShopperId) -> Result<Option<Money>, Failure> {
    let mut unpaid: Vec<Payment> = outbox::payments_of(session, shopper, Standing::Unpaid.as_str(), 100)?;
    let settling: Vec<Payment> = outbox::payments_of(session, shopper, Standing::Settling.as_str(), 100)?;
    for payment in settling {
        // What was given up is not on its way any more.
        let asked = payment.asked.as_ref().map(|order| outbox::get(session, order.id)).transpose()?.flatten();
        if asked.is_some_and(|letter| letter.state == LetterState::Stuck) {
            unpaid.push(payment);
        }
    }
    let owed = |payment: &Payment| {
        let minor = payment.outstanding().filter(|minor| 0 < *minor)?;
        payment.bill.as_ref().map(|bill| Money::new(minor, bill.total.currency))
    };
    Ok(unpaid.iter().filter_map(owed).reduce(|sum, one| sum.checked_add(one).unwrap_or(sum)))
}

/// Writes a cart that was just opened.
pub(super) fn open(
    session: &mut dyn Session,
    shop: &str,
    id: CartId,
    shopper: Option<ShopperId>,
    gate: Option<&str>,
    at: ShopTime,
) -> Result<Cart, Failure> {
    let cart = Cart {
        id,
        shop: shop.to_owned(),
        shopper,
        visit: None,
        gate: gate.map(str::to_owned),
        entered_at: at,
        left_at: None,
        state: CartState::Open,
        receipt: 0,
        booked: 0,
        live: None,
    };
    carts::insert(session, &cart)?;
    Ok(cart)
}

/// Closes a cart that nobody came in with; whether that is so.
pub(super) fn end_unused(session: &mut dyn Session, cart: CartId, at: ShopTime) -> Result<bool, Failure> {
    let Some(mut cart) = carts::get(session, cart)? else { return Ok(true) };
    if cart.state != CartState::Open || 0 < cart.receipt || cart.visit.is_some() {
        return Ok(false);
    }
    cart.state = CartState::Settled;
    cart.left_at = Some(at);
    carts::update(session, &cart)?;
    Ok(true)
}

/// Closes the cart of somebody who does not come in; that of somebody who is known to be inside, or was, stays.
pub(super) fn turn_away(session: &mut dyn Session, mut payment: Payment, at: ShopTime) -> Result<(), Failure> {
    if !end_unused(session, payment.cart, at)? {
        return Ok(());
    }
    let currency = payment.asked.as_ref().map(|order| order.amount.currency);
    let currency = currency.or(payment.hold.as_ref().map(|hold| hold.amount.currency));
    let Some(currency) = currency else { return book::keep(session, &payment, at) };
    let effects = payment.bill(Bill { receipt: 0, total: Money::new(0, currency), lines: Vec::new() }, at);
    book::carry_out(session, &payment, &effects, at)
}
