//! What a shopper may see of their own stay, and of those whom they let in: the cart as it looks now, what is not sure about it, the
//! receipt and what became of it. Never anything of anybody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::carts::StateWord;
use super::problem::Problem;
use super::reply::{Json, Nothing};
use super::route::Call;
use super::sheet::Paper;
use crate::base::{CartId, CaseId, Currency, Money, Prob, Quantity, ShopTime, SkuId, VisitId};
use crate::db::carts::{Cart, CartState};
use crate::db::{Failure, Session, cases, companions};
use crate::facts::{Case, Concern, Decision, Discount, OpenVisit, ReceiptLine, TaxShare};
use crate::ledger::payment::{Payment, Standing};
use crate::ports::LiveBoard;
use crate::shop::Shop;
use crate::till::{payment_of, so_far};

/// From here on a line is sure, and from there on likely. Shoppers are told words: a figure would say more than is known.
const SURE: f64 = 0.95;
const LIKELY: f64 = 0.75;

/// What an open shop shows just now.
#[derive(Default)]
pub(super) struct Looking {
    /// The visits that are not over.
    pub(super) visits: Vec<OpenVisit>,
    /// The cart that pays for those of which that is likely and not decided yet.
    supposed: Arc<BTreeMap<VisitId, CartId>>,
}

impl Looking {
    /// What is on this board.
    pub(super) fn at(board: &LiveBoard) -> Self {
        let visits = board.carts().map(|(_, visits)| visits).unwrap_or_default();
        Looking { visits, supposed: board.supposed() }
    }
}

/// A stay, as the shopper sees it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Visit")]
pub(super) struct VisitView {
    /// When this was so.
    at: ShopTime,
    /// The shop, by name.
    shop: String,
    /// The currency of its prices.
    currency: Currency,
    /// The language and customs of its receipts, as web pages name them.
    locale: String,
    /// The zone whose time it goes by, by its name or its distance from UTC.
    timezone: String,
    /// The cart that was opened at the gate.
    cart: CartId,
    /// When they came in.
    entered_at: ShopTime,
    /// Everybody who came in together; whoever was let in at the gate pays for all.
    people: Vec<GuestView>,
    /// What everything comes to, as far as it is known now; none while something has no price.
    total: Option<Money>,
}

/// One of those who came in together.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Guest")]
struct GuestView {
    /// Their cart.
    cart: CartId,
    /// What it waits for.
    state: StateWord,
    /// When they came in.
    entered_at: ShopTime,
    /// When they left.
    left_at: Option<ShopTime>,
    /// The version of the receipt; none while there is none and the rest is how it looks now.
    receipt: Option<u32>,
    /// Where the receipt stands with the money: `review`, `due`, `paid`, `credited`, `voided` or `unbilled`; none without one.
    standing: Option<&'static str>,
    /// The goods.
    lines: Vec<LineView>,
    /// The tax that is in the total, by rule.
    taxes: Vec<TaxShare>,
    /// What they come to; none while something has no price.
    total: Option<Money>,
    /// What is not sure; nobody pays for it before it is.
    doubts: Vec<DoubtView>,
    /// The money; none while nobody is known to pay.
    money: Option<MoneyView>,
    /// Until when the receipt can be contested; none without one.
    contest_until: Option<ShopTime>,
    /// What was contested, oldest first.
    contests: Vec<ContestView>,
}

/// A line of a cart or a receipt.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "GuestLine")]
struct LineView {
    /// The product.
    sku: SkuId,
    /// What people call it.
    name: String,
    /// How many units.
    quantity: Quantity,
    /// What one costs before discounts, if known.
    unit_price: Option<Money>,
    /// What was taken off.
    discounts: Vec<Discount>,
    /// What they come to after discounts, if known.
    amount: Option<Money>,
    /// How sure it is that it is exactly so many.
    certainty: CertaintyWord,
}

/// How sure something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Certainty")]
enum CertaintyWord {
    /// By 95 % or more.
    Sure,
    /// By 75 % or more.
    Likely,
    /// It may well be otherwise.
    Unsure,
}

/// Something that is not sure, or stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "doubt", rename_all = "snake_case")]
#[schemars(rename = "Doubt")]
enum DoubtView {
    /// Whether it is exactly so many of this product.
    Count {
        /// The product.
        sku: SkuId,
    },
    /// Whether something is missing from the list, or too much on it.
    Whole,
    /// A part of the stay was not seen or felt.
    Unseen,
    /// A product has no price.
    NoPrice {
        /// The product.
        sku: SkuId,
    },
    /// Nobody knows who pays.
    NoPayer,
    /// The payment was refused.
    Unpaid,
    /// The bank took the money back.
    Disputed,
    /// It came out otherwise later; nothing was charged because of that.
    Recomputed,
}

/// The money of a stay, without who is asked for it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "GuestMoney")]
struct MoneyView {
    /// Where the payment stands.
    standing: Standing,
    /// What is held meanwhile.
    held: Option<Money>,
    /// What was taken and not given back.
    paid: Option<Money>,
    /// Whether the provider refused.
    refused: bool,
}

/// Something that the shopper said is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Contest")]
struct ContestView {
    /// The case.
    case: CaseId,
    /// When they said so.
    at: ShopTime,
    /// The products meant; none for the whole receipt.
    skus: Vec<SkuId>,
    /// When a person decided; none while it waits.
    decided_at: Option<ShopTime>,
    /// What was decided; none while it waits.
    outcome: Option<OutcomeWord>,
}

/// What became of something that was contested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ContestOutcome")]
enum OutcomeWord {
    /// The receipt is right as it was.
    Kept,
    /// It was changed.
    Changed,
    /// Nothing is charged, or everything is given back.
    Cancelled,
}

/// What the book says of everybody who came in together.
pub(super) struct Book(Vec<Entry>);

struct Entry {
    cart: Cart,
    paper: Option<Paper>,
    payment: Option<Payment>,
    cases: Vec<Case>,
}

impl Book {
    /// Reads it, of a cart and of those whom it let in, or who were let in with it.
    pub(super) fn read(session: &mut dyn Session, id: CartId) -> Result<Self, Failure> {
        let host = companions::host_of(session, id)?.unwrap_or(id);
        let mut entries = Vec::new();
        for id in std::iter::once(host).chain(companions::of(session, host)?) {
            let cart = super::carts::known(session, id)?;
            let paper = match cart.receipt {
                0 => None,
                _ => Some(Paper::read(session, id, false)?),
            };
            let (payment, cases) = (payment_of(session, id)?, cases::of_cart(session, id)?);
            entries.push(Entry { cart, paper, payment, cases });
        }
        entries[1..].sort_by_key(|entry| (entry.cart.entered_at, entry.cart.id));
        Ok(Book(entries))
    }

    /// The visits of the stay that are shown and not over.
    pub(super) fn shown(&self, looking: &Looking) -> Vec<VisitId> {
        let open = self.0.iter().filter(|entry| entry.cart.state == CartState::Open);
        let bound = open.filter_map(|entry| entry.cart.visit);
        let bound = bound.filter(|visit| looking.visits.iter().any(|other| other.visit == *visit));
        bound.chain(self.supposed(looking).iter().map(|visit| visit.visit)).collect()
    }

    /// Whether the receipt of a visit is there.
    pub(super) fn has_receipt(&self, visit: VisitId) -> bool {
        self.0.iter().any(|entry| entry.paper.is_some() && entry.cart.visit == Some(visit))
    }

    /// Adds a visit of the stay to what is shown.
    pub(super) fn add(&self, looking: &mut Looking, visit: &OpenVisit) {
        let Some(host) = self.0.first() else { return };
        looking.visits.push(visit.clone());
        Arc::make_mut(&mut looking.supposed).insert(visit.visit, host.cart.id);
    }

    /// Visits that probably belong to the stay though it is not decided, in the order in which they came in.
    fn supposed<'a>(&self, looking: &'a Looking) -> Vec<&'a OpenVisit> {
        let Some(host) = self.0.first() else { return Vec::new() };
        let is_known = |visit: VisitId| self.0.iter().any(|entry| entry.cart.visit == Some(visit));
        let is_supposed =
            |visit: &&OpenVisit| looking.supposed.get(&visit.visit) == Some(&host.cart.id) && !is_known(visit.visit);
        let mut supposed: Vec<&OpenVisit> = looking.visits.iter().filter(is_supposed).collect();
        supposed.sort_by_key(|visit| (visit.entered, visit.visit));
        supposed
    }

    /// Whether nothing is expected to change of itself any more.
    pub(super) fn is_over(&self) -> bool {
        let is_paid = |payment: &Payment| payment.standing() == Standing::Settled;
        self.0.iter().all(|entry| {
            entry.cart.state == CartState::Settled
                && entry.payment.as_ref().is_none_or(is_paid)
                && entry.cases.iter().all(|case| case.verdict.is_some())
        })
    }

    /// What the shopper sees, with how the carts look now.
    pub(super) fn view(&self, shop: &Shop, looking: &Looking, at: ShopTime) -> Option<VisitView> {
        let host = &self.0.first()?.cart;
        let mut supposed = self.supposed(looking);
        // Whoever came in first is taken for the one who was let in, as it will be once it is decided.
        let is_bound = host.visit.is_some() || host.state != CartState::Open;
        let first = if is_bound || supposed.is_empty() { None } else { Some(supposed.remove(0)) };
        let mut people: Vec<GuestView> = self.0.iter().map(|entry| entry.view(shop, looking)).collect();
        if let (Some(visit), Some(person)) = (first, people.first_mut()) {
            person.look(shop, visit);
        }
        people.extend(supposed.into_iter().map(|visit| GuestView::supposed(shop, visit)));
        let zone = shop.zone();
        let total = people.iter().try_fold(Money::new(0, shop.policy().currency), |sum, guest| {
            guest.total.and_then(|total| sum.checked_add(total))
        });
        Some(VisitView {
            at,
            shop: host.shop.clone(),
            currency: shop.policy().currency,
            locale: shop.locale().tag().to_owned(),
            timezone: zone.iana_name().map_or_else(|| at.zoned(zone).offset().to_string(), str::to_owned),
            cart: host.id,
            entered_at: host.entered_at,
            people,
            total,
        })
    }
}

impl VisitView {
    /// Whether both say the same, whenever it was so.
    pub(super) fn is_like(&self, other: &VisitView) -> bool {
        VisitView { at: other.at, ..self.clone() } == *other
    }
}

impl Entry {
    fn view(&self, shop: &Shop, looking: &Looking) -> GuestView {
        let Entry { cart, paper, payment, cases } = self;
        let mut view = GuestView {
            state: StateWord::from(cart.state),
            left_at: cart.left_at,
            money: payment.as_ref().map(MoneyView::from),
            contests: cases.iter().filter_map(contest).collect(),
            ..GuestView::empty(shop, cart.id, cart.entered_at)
        };
        if let Some(paper) = paper {
            let (newest, bar) = (paper.newest(), shop.policy().review_below);
            let receipt = &newest.receipt;
            // What is booked was sure enough, or somebody has decided.
            let is_open = cart.state == CartState::Review && newest.version == 1;
            let sure = |line: &ReceiptLine| if is_open { line.probability } else { Prob::ONE };
            view.receipt = Some(newest.version);
            view.standing = Some(paper.standing().name());
            view.lines = receipt.lines.iter().map(|line| line_view(line, sure(line))).collect();
            view.taxes.clone_from(&receipt.taxes);
            view.total = receipt.total;
            let got_at = cart.left_at.max(Some(newest.made_at));
            view.contest_until = got_at.map(|at| at + shop.policy().payment.contest_max);
            let waiting = cases.iter().filter(|case| case.verdict.is_none()).flat_map(|case| &case.concerns);
            for concern in waiting {
                view.doubt(concern, &receipt.lines, bar);
            }
        } else if let Some(visit) = self.visit(looking) {
            view.look(shop, &visit);
        }
        view
    }

    /// How the cart looks now, or as the book has it, which is a little older.
    fn visit(&self, looking: &Looking) -> Option<OpenVisit> {
        let shown = looking.visits.iter().find(|visit| Some(visit.visit) == self.cart.visit);
        let kept = || serde_json::from_value(self.cart.live.clone()?).ok();
        shown.cloned().or_else(kept)
    }
}

impl GuestView {
    /// Somebody inside of whom nothing is known but that they came in.
    fn empty(shop: &Shop, cart: CartId, entered_at: ShopTime) -> Self {
        GuestView {
            cart,
            state: StateWord::Open,
            entered_at,
            left_at: None,
            receipt: None,
            standing: None,
            lines: Vec::new(),
            taxes: Vec::new(),
            total: Some(Money::new(0, shop.policy().currency)),
            doubts: Vec::new(),
            money: None,
            contest_until: None,
            contests: Vec::new(),
        }
    }

    /// Somebody who probably came in with this stay, on the cart that they will have then.
    fn supposed(shop: &Shop, visit: &OpenVisit) -> Self {
        let cart = CartId::of_visit(shop.name(), visit.entered, visit.visit);
        let mut view = GuestView::empty(shop, cart, visit.entered);
        view.look(shop, visit);
        view
    }

    /// What is in a cart as it looks now.
    fn look(&mut self, shop: &Shop, visit: &OpenVisit) {
        let receipt = so_far(shop, visit);
        self.lines = receipt.lines.iter().map(|line| line_view(line, line.probability)).collect();
        self.taxes = receipt.taxes;
        self.total = receipt.total;
        self.doubt_open(visit);
    }

    /// A reviewer's concern in the shopper's terms. What is theirs to know: never whom they came in behind.
    fn doubt(&mut self, concern: &Concern, lines: &[ReceiptLine], bar: Prob) {
        let doubt = match concern {
            Concern::Doubt { .. } => {
                let doubtful = lines.iter().filter(|line| line.probability < bar);
                let counts: Vec<DoubtView> = doubtful.map(|line| DoubtView::Count { sku: line.sku.clone() }).collect();
                if counts.is_empty() {
                    self.doubts.push(DoubtView::Whole);
                }
                return self.doubts.extend(counts);
            }
            Concern::NoPrice { sku } => DoubtView::NoPrice { sku: sku.clone() },
            Concern::Interrupted { .. } => DoubtView::Unseen,
            Concern::NoPayer => DoubtView::NoPayer,
            Concern::Disputed { .. } => DoubtView::Disputed,
            Concern::Recomputed => DoubtView::Recomputed,
            Concern::Unpaid { .. } => DoubtView::Unpaid,
            Concern::Tailgated { .. } | Concern::Contested { .. } => return,
        };
        if !self.doubts.contains(&doubt) {
            self.doubts.push(doubt);
        }
    }

    /// What is not sure of a cart that is not over.
    fn doubt_open(&mut self, visit: &OpenVisit) {
        let unsure = |line: &&LineView| line.certainty == CertaintyWord::Unsure;
        self.doubts.extend(self.lines.iter().filter(unsure).map(|line| DoubtView::Count { sku: line.sku.clone() }));
        if self.doubts.is_empty() && visit.probability.value() < LIKELY {
            self.doubts.push(DoubtView::Whole);
        }
        if visit.interrupted {
            self.doubts.push(DoubtView::Unseen);
        }
        let unpriced = self.lines.iter().filter(|line| line.amount.is_none());
        self.doubts.extend(unpriced.map(|line| DoubtView::NoPrice { sku: line.sku.clone() }));
    }
}

fn line_view(line: &ReceiptLine, probability: Prob) -> LineView {
    LineView {
        sku: line.sku.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        discounts: line.discounts.clone(),
        amount: line.amount,
        certainty: match probability.value() {
            sure if SURE <= sure => CertaintyWord::Sure,
            likely if LIKELY <= likely => CertaintyWord::Likely,
            _ => CertaintyWord::Unsure,
        },
    }
}

/// What a case has of a complaint; none where nobody complained.
fn contest(case: &Case) -> Option<ContestView> {
    let skus = case.concerns.iter().find_map(|concern| match concern {
        Concern::Contested { skus, .. } => Some(skus.clone()),
        _ => None,
    })?;
    let outcome = case.verdict.as_ref().map(|verdict| match verdict.decision {
        Decision::Accept => OutcomeWord::Kept,
        Decision::Change { .. } => OutcomeWord::Changed,
        Decision::Reject => OutcomeWord::Cancelled,
    });
    let decided_at = case.verdict.as_ref().map(|verdict| verdict.at);
    Some(ContestView { case: case.id, at: case.opened, skus, decided_at, outcome })
}

impl From<&Payment> for MoneyView {
    fn from(payment: &Payment) -> Self {
        MoneyView {
            standing: payment.standing(),
            held: payment.hold.as_ref().map(|hold| hold.amount),
            paid: payment.currency().map(|currency| Money::new(payment.paid(), currency)),
            refused: payment.refusal.is_some(),
        }
    }
}

/// `GET /v1/carts/{cart}/visit`
pub(super) fn get(call: &Call<'_>, id: CartId, _: Nothing, _: Nothing) -> Result<Json<VisitView>, Problem> {
    let looking = call.api.streams.as_ref().map(|streams| Looking::at(streams.board())).unwrap_or_default();
    let (book, shop) = call.read(|till| Ok((till.with(|session| Book::read(session, id))?, till.shop().clone())))?;
    book.view(&shop, &looking, call.now).map(Json).ok_or_else(Problem::broken)
}
