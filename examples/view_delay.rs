//! How soon a screen shows what was picked: simulated trips go through both lanes, and for every take it is looked how much
//! later than the plate came to rest the view lane's cart had it, what the lane cost, and how often it was corrected.
//! `cargo run --release --example view_delay [SEEDS] [SECONDS] [FIRST]`: seeds of each scenario, by how much people are told of later
//! than weights, and the first of the seeds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aisle::base::LaneReport;
use aisle::base::{ShopTime, SkuId, Span, VisitId};
use aisle::facts::{Body, Fact, Movement, OpenVisit, Topic, VisitClosed};
use aisle::live::View;
use aisle::pipeline::{Engine, Options};
use aisle::shop::Shop;
use aisle::sim::{self, Level, Scenario};
use aisle::truth::{TrueAction, Truth};

/// What the trips came to.
#[derive(Default)]
struct Sums {
    delays_secs: Vec<f64>,
    /// Takes that the cart never had before its visit was over.
    unseen: usize,
    view: Duration,
    deciding: Duration,
    shop_secs: f64,
    corrections: LaneReport,
}

/// A take that is not in the cart yet: whose, and how much of what there will be then.
struct Waited {
    visit: VisitId,
    sku: SkuId,
    units: i64,
    at: ShopTime,
}

fn main() -> aisle::base::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seeds: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(3);
    let delay_secs: f64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0.3);
    let first: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let shop = Arc::new(sim::demo_shop());
    for level in [Level::Clean, Level::Room] {
        let mut sums = Sums::default();
        for scenario in Scenario::ALL {
            for seed in first..first + seeds {
                let trip = sim::trip(&sim::Options { shop: shop.clone(), scenario, level, seed, secs: None })?;
                play(&shop, &sooner(trip.facts, delay_secs), &trip.truth, &mut sums);
            }
        }
        sums.delays_secs.sort_by(f64::total_cmp);
        let Sums { delays_secs, unseen, view, deciding, shop_secs, corrections } = sums;
        let part = |share: f64| delays_secs.get(((delays_secs.len() as f64 - 1.0) * share) as usize).copied();
        let cost = |time: Duration| 1e3 * time.as_secs_f64() / shop_secs;
        println!(
            "{}: {} takes shown, {unseen} never; after {:.2} s half of them, {:.2} s 95 %, {:.2} s 99 %",
            level.name(),
            delays_secs.len(),
            part(0.5).unwrap_or_default(),
            part(0.95).unwrap_or_default(),
            part(0.99).unwrap_or_default(),
        );
        println!(
            "  {:.2} ms a second of shop time for the view lane, {:.2} ms for the deciding one",
            cost(view),
            cost(deciding)
        );
        println!("  {corrections:?}");
    }
    Ok(())
}

/// The same facts with people told of so much later than weights.
fn sooner(mut facts: Vec<Fact>, delay_secs: f64) -> Vec<Fact> {
    let earlier = Span::from_secs(sim::PEOPLE_DELAY_SECS - delay_secs);
    let people = facts.iter_mut().filter(|fact| fact.body.topic() == Topic::People);
    people.for_each(|fact| fact.stamp.arrived = fact.stamp.arrived - earlier);
    facts.sort_by_key(|fact| fact.stamp.arrived);
    facts
}

fn play(shop: &Arc<Shop>, facts: &[Fact], truth: &Truth, sums: &mut Sums) {
    let mut engine = Engine::new(shop, Options::USUAL);
    let mut view = View::new(shop, Options::USUAL);
    let mut waited = takes(&truth.actions);
    for fact in facts {
        let mut closed: Vec<VisitClosed> = Vec::new();
        let begun = Instant::now();
        engine.take(fact.clone(), &mut |fact| {
            if let Body::Visit(visit) = &fact.body {
                closed.push(visit.clone());
            }
        });
        let decided = Instant::now();
        view.take(fact);
        for closed in &closed {
            let goods = closed.lines.iter().map(|line| (line.sku.clone(), line.quantity.get())).collect();
            view.closed(closed.visit, goods);
        }
        if view.is_due() || !closed.is_empty() {
            view.reset_to(&engine);
        }
        sums.deciding += decided - begun;
        sums.view += decided.elapsed();
        let carts = view.carts();
        waited.retain(|take| {
            let is_shown = take.at <= fact.stamp.arrived && carts.iter().any(|open| holds(open, take));
            if is_shown {
                sums.delays_secs.push(fact.stamp.arrived.secs_since(take.at));
            }
            !is_shown
        });
    }
    sums.unseen += waited.len();
    let at = |fact: &Fact| fact.stamp.at;
    let span = facts.iter().map(at).max().zip(facts.iter().map(at).min());
    sums.shop_secs += span.map_or(0.0, |(last, first)| last.secs_since(first));
    let LaneReport { resets, compared, corrected, lines, .. } = view.corrections();
    sums.corrections.resets += resets;
    sums.corrections.compared += compared;
    sums.corrections.corrected += corrected;
    sums.corrections.lines += lines;
}

/// Every take, with what the cart holds of its product then.
fn takes(actions: &[TrueAction]) -> Vec<Waited> {
    let mut held: BTreeMap<(VisitId, SkuId), i64> = BTreeMap::new();
    let mut waited = Vec::new();
    let mut actions: Vec<&TrueAction> = actions.iter().collect();
    actions.sort_by_key(|action| action.span.end);
    for action in actions {
        let units = i64::from(action.quantity.get());
        let held = held.entry((action.visit, action.sku.clone())).or_default();
        match action.movement {
            Movement::Take => {
                *held += units;
                let (visit, sku) = (action.visit, action.sku.clone());
                waited.push(Waited { visit, sku, units: *held, at: action.span.end });
            }
            Movement::Return => *held -= units,
        }
    }
    waited
}

fn holds(open: &OpenVisit, take: &Waited) -> bool {
    let has = |line: &aisle::facts::OpenLine| line.sku == take.sku && take.units <= i64::from(line.quantity.get());
    open.visit == take.visit && open.lines.iter().any(has)
}
