//! What people do in a month: who comes when, takes what, and what they say afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::RngExt;

use super::trouble::Trouble;
use super::world::World;
use super::{BEGINNING, DAY, Options};
use crate::base::rng::{Dice, dice};
use crate::base::{CartId, Money, Prob, Quantity, Result, ShopTime, ShopperId, SkuId, Span, VisitId};
use crate::cart;
use crate::facts::{Case, Closing, Concern, Decision, Goods, PaymentMethod, Receipt, Verdict};
use crate::shop::Shop;
use crate::till::{Door, Enrolment, Payer};

/// Regulars of the shop.
const SHOPPERS: u32 = 60;
/// How often a person looks at what waits.
const REVIEW_EVERY: Span = Span::from_millis(30 * 60_000);
/// How long a bank takes to decide a dispute.
const DISPUTE: Span = Span::from_millis(2 * 24 * 3_600_000);

/// One visit as it will be.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    number: u64,
    shopper: usize,
    entered: ShopTime,
    left: ShopTime,
    goods: Vec<Goods>,
    probability: Prob,
    /// What a reviewer, if asked, will say.
    verdict: Decision,
    /// What the shopper says days later, and what a reviewer makes of it.
    complaint: Option<(Span, Decision)>,
    /// The shopper's bank takes the money back days later.
    dispute: Option<Span>,
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    Arrive(usize),
    Leave(usize),
    Complain(usize),
    Dispute(usize),
    /// The dispute is over: every other one is won.
    DisputeEnds(usize),
    Review,
    Mischief(Trouble),
}

/// Everything that will happen.
pub(super) struct Plan {
    visits: Vec<Visit>,
    troubles: Vec<(ShopTime, Trouble)>,
    end: ShopTime,
    shop: Arc<Shop>,
}

/// A month under way.
pub(super) struct Month {
    plan: Plan,
    events: BTreeMap<(ShopTime, u64), Event>,
    count: u64,
    inside: BTreeSet<usize>,
    carts: BTreeMap<CartId, usize>,
    accepted_before: BTreeSet<CartId>,
    owed: BTreeMap<CartId, i64>,
    disputed: BTreeSet<CartId>,
}

/// Throws the month of a seed.
pub(super) fn plan(shop: &Arc<Shop>, options: &Options) -> Plan {
    let mut dice = dice(options.seed, "drill/month");
    let days = i64::from(options.days.max(1));
    let mut visits = Vec::new();
    for day in 0..days {
        for _ in 0..options.visits_per_day {
            let second = dice.random_range(7 * 3_600..22 * 3_600);
            let entered = BEGINNING + DAY * day + Span::from_millis(second * 1_000 + dice.random_range(0..1_000));
            let number = visits.len() as u64 + 1;
            visits.push(visit(number, entered, shop, &mut dice));
        }
    }
    let mut troubles = Vec::new();
    let mut window = |troubles: &mut Vec<(ShopTime, Trouble)>, minutes: i64, trouble: fn(bool) -> Trouble| {
        let begin = BEGINNING + Span::from_millis(dice.random_range(0..days * 24 * 60) * 60_000);
        troubles.extend([(begin, trouble(true)), (begin + Span::from_millis(minutes * 60_000), trouble(false))]);
    };
    // A day without the provider, some shorter silences, and a disk that is full for a while.
    window(&mut troubles, 24 * 60, Trouble::Outage);
    for _ in 0..days / 5 {
        window(&mut troubles, 40, Trouble::Outage);
        window(&mut troubles, 25, Trouble::DiskFull);
    }
    for _ in 0..days * 12 {
        let at = BEGINNING + Span::from_millis(dice.random_range(0..days * 24 * 3_600_000));
        troubles.push((at, Trouble::Die));
    }
    for _ in 0..days {
        let at = BEGINNING + Span::from_millis(dice.random_range(0..days * 24 * 3_600_000));
        troubles.push((at, Trouble::ClockStep(Span::from_millis(dice.random_range(-600_000..600_000)))));
    }
    Plan { visits, troubles, end: BEGINNING + DAY * (days + 8), shop: shop.clone() }
}

fn visit(number: u64, entered: ShopTime, shop: &Shop, dice: &mut Dice) -> Visit {
    let goods = basket(shop, dice);
    let fewer = || -> Vec<Goods> { goods.iter().skip(1).cloned().collect() };
    let verdict = match dice.random_range(0..10) {
        0 => Decision::Reject,
        1..4 => Decision::Change { lines: basket(shop, dice) },
        _ => Decision::Accept,
    };
    let days = |dice: &mut Dice| DAY * dice.random_range(1..6) + Span::from_millis(dice.random_range(0..80_000_000));
    let complaint = dice.random_bool(0.04).then(|| {
        let made_of_it = match dice.random_range(0..3) {
            0 => Decision::Accept,
            1 => Decision::Reject,
            _ => Decision::Change { lines: fewer() },
        };
        (days(dice), made_of_it)
    });
    Visit {
        number,
        shopper: dice.random_range(0..SHOPPERS) as usize,
        entered,
        left: entered + Span::from_millis(dice.random_range(20_000..1_200_000)),
        goods: goods.clone(),
        probability: Prob::new(if dice.random_bool(0.1) { 0.6 } else { 0.99 }),
        verdict,
        dispute: (complaint.is_none() && dice.random_bool(0.005)).then(|| days(dice)),
        complaint,
    }
}

/// Some goods that have a price.
fn basket(shop: &Shop, dice: &mut Dice) -> Vec<Goods> {
    let priced: Vec<&SkuId> = shop
        .catalogue()
        .products()
        .iter()
        .filter(|product| product.price.is_some())
        .map(|product| &product.sku)
        .collect();
    let mut goods: BTreeMap<&SkuId, u32> = BTreeMap::new();
    for _ in 0..dice.random_range(0..7) {
        *goods.entry(priced[dice.random_range(0..priced.len())]).or_insert(0) += 1;
    }
    goods.into_iter().map(|(sku, units)| Goods { sku: sku.clone(), quantity: Quantity::new(units) }).collect()
}

impl Month {
    pub(super) fn new(plan: Plan) -> Self {
        let mut month = Month {
            events: BTreeMap::new(),
            count: 0,
            inside: BTreeSet::new(),
            carts: BTreeMap::new(),
            accepted_before: BTreeSet::new(),
            owed: BTreeMap::new(),
            disputed: BTreeSet::new(),
            plan,
        };
        for index in 0..month.plan.visits.len() {
            month.at(month.plan.visits[index].entered, Event::Arrive(index));
        }
        for (at, trouble) in std::mem::take(&mut month.plan.troubles) {
            month.at(at, Event::Mischief(trouble));
        }
        month.at(BEGINNING + REVIEW_EVERY, Event::Review);
        month
    }

    /// What every cart should have paid, minor units.
    pub(super) fn into_owed(self) -> BTreeMap<CartId, i64> {
        self.owed
    }

    fn at(&mut self, at: ShopTime, event: Event) {
        self.count += 1;
        self.events.insert((at, self.count), event);
    }

    /// Lets everything happen, in order of time, and settles in between.
    pub(super) fn run(&mut self, world: &mut World) -> Result<()> {
        for index in 0..SHOPPERS {
            world.enrol(&enrolment(index as usize, if index % 12 == 11 { "insufficient_funds" } else { "ok" }))?;
        }
        while let Some(((at, _), event)) = self.events.pop_first() {
            world.settle_until(at)?;
            self.happen(world, at, event)?;
        }
        Ok(())
    }

    /// Decides what still waits and settles what is still due, with nothing going wrong any more.
    pub(super) fn wind_up(&mut self, world: &mut World) -> Result<()> {
        for day in 0..40 {
            world.settle_until(self.plan.end + DAY * day)?;
            if !self.review(world)? && world.is_settled()? {
                return Ok(());
            }
        }
        world.find("a month after the end something still waits");
        Ok(())
    }

    fn happen(&mut self, world: &mut World, at: ShopTime, event: Event) -> Result<()> {
        match event {
            Event::Arrive(index) => self.arrive(world, index),
            Event::Leave(index) => self.leave(world, index),
            Event::Complain(index) => self.complain(world, index),
            Event::Dispute(index) => {
                let cart = cart(&self.plan.visits[index]);
                if world.dispute(cart)? {
                    self.disputed.insert(cart);
                    self.at(at + DISPUTE, Event::DisputeEnds(index));
                }
                Ok(())
            }
            Event::DisputeEnds(index) => world.close_dispute(cart(&self.plan.visits[index]), index % 2 == 0),
            Event::Review => {
                self.review(world)?;
                if at < self.plan.end {
                    self.at(at + REVIEW_EVERY, Event::Review);
                }
                Ok(())
            }
            Event::Mischief(trouble) => {
                world.trouble(trouble);
                Ok(())
            }
        }
    }

    fn arrive(&mut self, world: &mut World, index: usize) -> Result<()> {
        let visit = self.plan.visits[index].clone();
        if !self.inside.insert(visit.shopper) {
            return Ok(());
        }
        self.carts.insert(cart(&visit), index);
        self.owed.insert(cart(&visit), 0);
        match world.arrive(shopper(visit.shopper), cart(&visit))? {
            Door::Open { .. } => self.at(visit.left, Event::Leave(index)),
            Door::Shut { .. } => {
                self.inside.remove(&visit.shopper);
            }
        }
        Ok(())
    }

    fn leave(&mut self, world: &mut World, index: usize) -> Result<()> {
        let visit = self.plan.visits[index].clone();
        self.inside.remove(&visit.shopper);
        let receipt = receipt(&self.plan.shop, &visit);
        let case = world.close(&receipt, &Payer::Cart(cart(&visit)))?;
        if case.is_none() {
            self.owed.insert(cart(&visit), receipt.total.map_or(0, |total| total.minor));
        }
        if let Some((later, _)) = visit.complaint {
            self.at(visit.left + later, Event::Complain(index));
        }
        if let Some(later) = visit.dispute {
            self.at(visit.left + later, Event::Dispute(index));
        }
        Ok(())
    }

    fn complain(&mut self, world: &mut World, index: usize) -> Result<()> {
        world.contest(cart(&self.plan.visits[index]))
    }

    /// A person looks at everything that waits; whether there was anything.
    fn review(&mut self, world: &mut World) -> Result<bool> {
        let waiting = world.waiting()?;
        let any = !waiting.is_empty();
        for case in waiting {
            let Some(&index) = self.carts.get(&case.cart) else { continue };
            let decision = self.decision(world, &case, index)?;
            let verdict = Verdict { reviewer: "drill".to_owned(), at: world.now(), decision, note: String::new() };
            world.decide(&case, &verdict)?;
            self.follow(&case, &verdict.decision, index);
        }
        Ok(any)
    }

    fn decision(&mut self, world: &mut World, case: &Case, index: usize) -> Result<Decision> {
        let visit = &self.plan.visits[index];
        Ok(match case.concerns.first() {
            Some(Concern::Doubt { .. }) => visit.verdict.clone(),
            Some(Concern::Contested { .. }) if self.disputed.contains(&case.cart) => Decision::Accept,
            Some(Concern::Contested { .. }) => {
                let decided = visit.complaint.as_ref().map_or(Decision::Accept, |(_, decided)| decided.clone());
                // A booked receipt only goes down, and a change here is meant for the first receipt.
                if matches!(decided, Decision::Change { .. }) && case.receipt != 1 { Decision::Accept } else { decided }
            }
            Some(Concern::Unpaid { .. }) => {
                // Once it is tried again as it is; then the shopper comes with another card.
                if !self.accepted_before.insert(case.cart) {
                    world.enrol(&enrolment(visit.shopper, "ok"))?;
                }
                Decision::Accept
            }
            _ => Decision::Accept,
        })
    }

    /// Keeps the list of who owes what.
    fn follow(&mut self, case: &Case, decision: &Decision, index: usize) {
        let visit = &self.plan.visits[index];
        let goods = match (case.concerns.first(), decision) {
            (Some(Concern::Doubt { .. }), Decision::Accept) => visit.goods.clone(),
            (_, Decision::Accept) => return,
            (_, Decision::Change { lines }) => lines.clone(),
            (_, Decision::Reject) => Vec::new(),
        };
        let base = receipt(&self.plan.shop, visit);
        let total = cart::reprice(&self.plan.shop, &base, &goods).total;
        self.owed.insert(case.cart, total.map_or(0, |total| total.minor));
    }
}

fn shopper(index: usize) -> ShopperId {
    ShopperId::derived(&["drill", &index.to_string()])
}

fn cart(visit: &Visit) -> CartId {
    CartId::derived(&["drill", &visit.number.to_string()])
}

fn enrolment(index: usize, token: &str) -> Enrolment {
    let method =
        PaymentMethod { provider: "sandbox".to_owned(), customer: format!("regular {index}"), token: token.to_owned() };
    Enrolment { id: shopper(index), name: None, contact: None, method: Some(method), gate_digest: None }
}

/// What the engine would write for a visit.
fn receipt(shop: &Shop, visit: &Visit) -> Receipt {
    let empty = Receipt {
        visit: VisitId::from_first_track(crate::base::TrackId::new(visit.number)),
        entered: visit.entered,
        left: visit.left,
        closing: Closing::Left,
        lines: Vec::new(),
        taxes: Vec::new(),
        total: Some(Money::new(0, shop.policy().currency)),
        probability: visit.probability,
        interrupted: None,
    };
    Receipt { probability: visit.probability, ..cart::reprice(shop, &empty, &visit.goods) }
}
