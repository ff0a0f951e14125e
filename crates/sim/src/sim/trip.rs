//! From options to a trip: stock, scripts, stage, bodies, plates, faults, facts, truth.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::figure::Moment;
use super::moment::body::Bodies;
use super::moment::goods;
use super::moment::scene::Scene;
use super::roll::Roll;
use super::sensors::faults::{Faults, Level};
use super::sensors::plates::{self, Readings, SAMPLE_HERTZ};
use super::sensors::tracker;
use super::stage::Stage;
use super::stage::play::{Deed, Play, Scan};
use super::stage::ways::Ways;
use super::stock::{Stock, Wrongness};
use super::story::casting::Casting;
use super::story::scenario;
use super::story::script::Step;
use super::{Options, Scenario};
use crate::base::{CartId, Error, PlateId, Quantity, Result, ShopTime, SkuId, SourceId, Span, TimeRange, VisitId};
use crate::facts::{Body, EntryRole, Fact, GateScan, PlateBatch, Stamp};
use crate::shop::{Shop, ZoneKind};
use crate::truth::{Purchase, PurchasedItem, TrueAction, Truth};

/// Samples in a message of plates.
const SAMPLES_PER_MESSAGE: usize = 12;
/// Seconds between two rows of samples, in nanoseconds.
const PERIOD: Span = Span::from_nanos(16_666_667);
/// Sunday, 4 January 2026, 08:00 UTC; trips of different seeds begin at different minutes after it.
const EPOCH_SECS: i64 = 1_767_513_600;
/// How much later than the weight people are told of, seconds, as in the shop that trips are modelled on.
pub const PEOPLE_DELAY_SECS: f64 = 2.31;

/// How long an open shop is open where nobody says, seconds.
const OPEN_SECS: f64 = 120.0;
/// How long before the end of a recording an open shop asks everybody to leave, seconds.
const CLOSING_SECS: f64 = 15.0;
/// The part of a short recording that this is at most.
const CLOSING_SHARE_MAX: f64 = 0.4;

/// A trip and the truth about it.
#[derive(Clone, Debug)]
pub struct Trip {
    /// The shop it happened in.
    pub shop: Arc<Shop>,
    /// Everything the sensors said, in order of arrival.
    pub facts: Vec<Fact>,
    /// What really happened.
    pub truth: Truth,
}

/// Everything that happens in a trip, before any sensor looks at it.
pub(super) struct Performance {
    options: Options,
    seed: u64,
    pub(super) stock: Stock,
    pub(super) play: Arc<Play>,
    pub(super) bodies: Bodies,
    faults: Faults,
    clock: Clock,
    scene: OnceLock<Scene>,
}

/// Simulates a trip.
///
/// # Errors
/// When it takes longer than the options' `secs`, or nobody can come to an open shop within them: says how long.
pub fn trip(options: &Options) -> Result<Trip> {
    Performance::new(options).map(|performance| performance.trip())
}

impl Performance {
    /// Lets everything happen.
    ///
    /// # Errors
    /// When it takes longer than the options' `secs`, or nobody can come to an open shop within them: says how long.
    pub(super) fn new(options: &Options) -> Result<Self> {
        let performance = Performance::play(options);
        let (name, needed) = (options.scenario.name(), performance.play.end);
        match options.secs {
            Some(secs) if secs < needed => Err(Error::usage(format!(
                "`{name}` with seed {} takes {needed:.1} s, which is longer than {secs} s",
                options.seed
            ))
            .hint(format!("give it {:.0} seconds or more, or take another seed", needed.ceil()))),
            Some(secs) if performance.is_idle() => Err(Error::usage(format!(
                "`{name}` with seed {}: nobody can come and go within {secs} s",
                options.seed
            ))
            .hint(match performance.least_secs(secs) {
                Some(least) => format!("give it {least} seconds or more, or take another seed"),
                None => "take another seed".to_owned(),
            })),
            _ => Ok(performance),
        }
    }

    fn play(options: &Options) -> Self {
        let shop = &options.shop;
        let seed = seed_of(options);
        let gross = if options.level == Level::Room { Roll::new(seed, "catalogue").uniform(0.01, 0.03) } else { 0.0 };
        let stock = Stock::new(shop, Wrongness { gross }, seed);
        // Where nothing was measured for cameras the floor is open and people walk as they always did.
        let measured = options.scenario.is_free() || shop.room().is_some() || !shop.cameras().is_empty();
        let ways = measured.then(|| Arc::new(Ways::new(shop)));
        let mut play = enact_within(options, &stock, ways.as_ref(), measured, seed);
        let least = if play.actors.is_empty() { 0.0 } else { play.end };
        play.end = options.secs.map_or(play.end, |secs| secs.max(least));
        let play = Arc::new(play);
        let plates: Vec<usize> = shop.shelves().iter().map(|shelf| shelf.plates.len()).collect();
        let faults = Faults::draw(options.level, &play, &plates, seed);
        let clock = Clock { origin: origin_of(seed), people: faults.clock };
        let bodies = Bodies::new(Arc::clone(&play), ways, seed);
        Performance { options: options.clone(), seed, stock, play, bodies, faults, clock, scene: OnceLock::new() }
    }

    /// Whether nobody comes to an open shop that has something to take.
    fn is_idle(&self) -> bool {
        self.options.scenario.is_open() && self.play.actors.is_empty() && !self.stock.units.is_empty()
    }

    /// The least whole number of seconds in which somebody can come and go, where so many were too few.
    fn least_secs(&self, secs: f64) -> Option<u32> {
        let ways = Arc::new(Ways::new(&self.options.shop));
        let comes = |more: &u32| {
            let options = Options { secs: Some(f64::from(*more)), ..self.options.clone() };
            !enact_within(&options, &self.stock, Some(&ways), true, self.seed).actors.is_empty()
        };
        (secs.max(0.0).ceil() as u32..=OPEN_SECS as u32).find(comes)
    }

    /// The facts of the trip and the truth about it.
    pub(super) fn trip(&self) -> Trip {
        let (shop, play, seed, clock) = (&self.options.shop, &*self.play, self.seed, self.clock);
        let mut facts = people_facts(&self.bodies, play, &self.faults, self.options.level, clock, seed);
        facts.extend(gate_facts(shop, play, clock, seed));
        let falls = self.bodies.footfalls(seed);
        let mut gondolas: Vec<u16> = shop.shelves().iter().map(|shelf| shelf.id.gondola).collect();
        gondolas.dedup();
        let samples = (play.end * SAMPLE_HERTZ) as usize / SAMPLES_PER_MESSAGE * SAMPLES_PER_MESSAGE;
        for gondola in gondolas {
            let readings = plates::render(shop, &self.stock, play, &falls, gondola, samples, seed);
            facts.extend(plate_facts(shop, gondola, readings, &self.faults, clock, seed));
        }
        facts.sort_by(|a, b| {
            let key = |fact: &Fact| (fact.stamp.arrived, fact.stamp.source.clone(), fact.stamp.sequence);
            key(a).cmp(&key(b))
        });
        Trip { shop: Arc::clone(shop), facts, truth: truth_of(self.options.scenario, play, &self.faults, clock) }
    }

    /// Everything that there is to be seen at an instant, seconds from the beginning of the trip. May be asked by
    /// several threads at once; the first one works out the footsteps.
    pub(super) fn moment(&self, time: f64) -> Moment {
        self.scene().moment(&self.options.shop, &self.stock, &self.bodies, &self.play, time)
    }

    /// What legs, heads and hands do.
    pub(super) fn scene(&self) -> &Scene {
        self.scene.get_or_init(|| Scene::new(&self.bodies, &self.play))
    }

    /// When the set of things that rest on shelves changes, seconds, in order of time.
    pub(super) fn shelf_changes(&self) -> Vec<f64> {
        goods::shelf_changes(&self.play.goods)
    }

    /// What everything random in the trip follows from.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The visit of an actor.
    pub(super) fn visit(&self, actor: usize) -> VisitId {
        self.faults.visit(actor)
    }

    /// Where it happens.
    pub(super) fn shop(&self) -> Arc<Shop> {
        Arc::clone(&self.options.shop)
    }

    /// The shop's time at so many seconds from the beginning of the trip.
    pub(super) fn at(&self, secs: f64) -> ShopTime {
        self.clock.at(secs)
    }
}

/// How long before the end of the recording an open shop asks everybody out, seconds.
fn closing_secs(options: &Options) -> f64 {
    options.secs.map_or(CLOSING_SECS, |secs| CLOSING_SECS.min(secs * CLOSING_SHARE_MAX))
}

/// Lets the scripts be written and played; an open shop closes as early as it must for everybody to be gone in time.
fn enact_within(options: &Options, stock: &Stock, ways: Option<&Arc<Ways>>, gates: bool, seed: u64) -> Play {
    let mut play = enact(options, stock, ways, gates, 0.0, seed);
    let late = |play: &Play| options.secs.is_some_and(|secs| secs < play.end);
    let mut earlier = 0.0;
    while options.scenario.is_open() && late(&play) && !play.actors.is_empty() {
        earlier += closing_secs(options) / 3.0;
        play = enact(options, stock, ways, gates, earlier, seed);
    }
    play
}

/// Lets the scripts be written and played; an open shop closes so much `earlier` than it must, seconds.
fn enact(options: &Options, stock: &Stock, ways: Option<&Arc<Ways>>, gates: bool, earlier: f64, seed: u64) -> Play {
    let open = options.scenario.is_open();
    let closes = if open { options.secs.unwrap_or(OPEN_SECS) - closing_secs(options) - earlier } else { f64::INFINITY };
    let mut scripts = scenario::write(options.scenario, &mut Casting::new(&options.shop, stock, seed), closes);
    if gates && !options.scenario.is_free() {
        scripts.iter_mut().for_each(|script| script.steps.insert(0, Step::Scan { people: 1 }));
    }
    Stage::perform(&options.shop, stock.clone(), scripts, ways.cloned(), closes, seed)
}

/// The trip's own seed: scenarios and levels of one number differ.
fn seed_of(options: &Options) -> u64 {
    let scenario = Scenario::every().position(|scenario| scenario == options.scenario).unwrap_or(0) as u64;
    let level = u64::from(options.level == Level::Room);
    options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (scenario << 8) ^ level
}

fn origin_of(seed: u64) -> ShopTime {
    let minutes = Roll::new(seed, "epoch").uniform(0.0, 100_000.0);
    ShopTime::from_nanos(EPOCH_SECS * 1_000_000_000) + Span::from_secs(minutes * 60.0)
}

/// The plates' clock, and what the people's clock shows beside it.
#[derive(Clone, Copy)]
struct Clock {
    origin: ShopTime,
    people: f64,
}

impl Clock {
    fn at(self, secs: f64) -> ShopTime {
        self.origin + Span::from_secs(secs)
    }
}

fn people_facts(bodies: &Bodies, play: &Play, faults: &Faults, level: Level, clock: Clock, seed: u64) -> Vec<Fact> {
    let mut roll = Roll::new(seed, "people wire");
    let source = SourceId::new("people");
    let mut facts = Vec::new();
    for (sequence, seen) in tracker::frames(bodies, play, faults, level == Level::Room, seed).into_iter().enumerate() {
        let late = if roll.chance(faults.late) { roll.uniform(0.1, 3.0) } else { 0.0 };
        let delay = roll.bounded(PEOPLE_DELAY_SECS, 0.04) + late;
        let stamp = Stamp {
            source: source.clone(),
            sequence: sequence as u64,
            at: clock.at(seen.at + clock.people),
            arrived: clock.at(seen.at + delay),
        };
        if roll.chance(faults.lost * 0.5) {
            continue;
        }
        facts.push(Fact { stamp, body: Body::People(seen.frame) });
    }
    facts
}

/// What the gates say: tokens are read at once, and lost by nobody.
fn gate_facts(shop: &Shop, play: &Play, clock: Clock, seed: u64) -> Vec<Fact> {
    let zone = shop.zones().iter().find(|zone| zone.kind == ZoneKind::Entrance);
    let gate = zone.map_or("entrance", |zone| zone.name.as_str());
    let source = SourceId::new(&format!("gate/{gate}"));
    let mut roll = Roll::new(seed, "gate wire");
    let fact = |(sequence, scan): (usize, &Scan)| {
        let cart = CartId::derived(&["simulated", &seed.to_string(), &scan.actor.to_string()]);
        let arrived = clock.at(scan.at + roll.uniform(0.02, 0.15));
        let stamp = Stamp { source: source.clone(), sequence: sequence as u64, at: clock.at(scan.at), arrived };
        Fact {
            stamp,
            body: Body::Gate(GateScan { cart, gate: gate.to_owned(), people: scan.people, role: EntryRole::Shopper }),
        }
    };
    play.scans.iter().enumerate().map(fact).collect()
}

fn plate_facts(
    shop: &Shop,
    gondola: u16,
    mut readings: Vec<Readings>,
    faults: &Faults,
    clock: Clock,
    seed: u64,
) -> Vec<Fact> {
    let mut roll = Roll::new(seed, &format!("wire/{gondola}"));
    let source = SourceId::new(&format!("gondola/{gondola}"));
    readings.iter_mut().for_each(|readings| hush(readings, faults));
    let ids = |readings: &Readings| shop.shelves()[readings.shelf].plates.iter().map(|plate| plate.id);
    let plates: Vec<PlateId> = readings.iter().flat_map(ids).collect();
    let samples = readings.first().and_then(|readings| readings.rows.first()).map_or(0, Vec::len);
    let phase = roll.uniform(0.0, 0.2);
    let mut facts = Vec::new();
    for (sequence, first) in (0..samples).step_by(SAMPLES_PER_MESSAGE).enumerate() {
        let rows = first..(first + SAMPLES_PER_MESSAGE).min(samples);
        let last = (rows.end - 1) as f64 / SAMPLE_HERTZ;
        // A message carries the time it was sent; it leaves a few milliseconds early or late.
        let sent = last + roll.bounded(0.0, 0.0028);
        let wire = if roll.chance(0.1) { roll.uniform(0.01, 0.08) } else { roll.uniform(0.001, 0.006) };
        let late = if roll.chance(faults.late) { roll.uniform(0.1, 3.0) } else { 0.0 };
        let period_secs = PERIOD.as_secs() * (rows.len() - 1) as f64;
        let mut grams = Vec::with_capacity(rows.len() * plates.len());
        for row in rows {
            grams.extend(readings.iter().flat_map(|readings| readings.rows.iter().map(move |plate| plate[row])));
        }
        let batch =
            PlateBatch { first_at: clock.at(sent - period_secs), period: PERIOD, plates: plates.clone(), grams };
        let stamp = Stamp {
            source: source.clone(),
            sequence: sequence as u64,
            at: clock.at(sent),
            arrived: clock.at(sent + wire + late + phase * 0.01),
        };
        let (lost, doubled) = (roll.chance(faults.lost), roll.chance(faults.doubled));
        let again = roll.uniform(0.01, 0.6);
        if lost {
            continue;
        }
        let fact = Fact { stamp, body: Body::Plates(batch) };
        if doubled {
            let mut copy = fact.clone();
            copy.stamp.arrived = copy.stamp.arrived + Span::from_secs(again);
            facts.push(copy);
        }
        facts.push(fact);
    }
    facts
}

/// Takes out what silent plates did not say.
fn hush(readings: &mut Readings, faults: &Faults) {
    for silence in faults.silences.iter().filter(|silence| silence.shelf == readings.shelf) {
        let Some(row) = readings.rows.get_mut(silence.plate) else { continue };
        let start = ((silence.start * SAMPLE_HERTZ) as usize).min(row.len());
        let end = ((silence.end * SAMPLE_HERTZ).min(1e12) as usize).clamp(start, row.len());
        row[start..end].fill(f32::NAN);
    }
}

fn truth_of(scenario: Scenario, play: &Play, faults: &Faults, clock: Clock) -> Truth {
    let visit = |actor: usize| faults.visit(actor);
    let receipts = play.owed.iter().enumerate().map(|(actor, owed)| {
        let mut counts: BTreeMap<&SkuId, u32> = BTreeMap::new();
        for sku in owed {
            *counts.entry(sku).or_default() += 1;
        }
        let item = |(sku, count): (&SkuId, u32)| PurchasedItem { barcode: sku.clone(), quantity: Quantity::new(count) };
        Purchase { target_id: visit(actor), products: counts.into_iter().map(item).collect() }
    });
    let action = |deed: &Deed| TrueAction {
        visit: visit(deed.actor),
        span: TimeRange::new(clock.at(deed.start), clock.at(deed.end)),
        movement: deed.movement,
        sku: deed.sku.clone(),
        quantity: Quantity::new(deed.count),
        plates: deed.plates.clone(),
    };
    Truth {
        case: scenario.name().to_owned(),
        receipts: receipts.collect(),
        actions: play.deeds.iter().map(action).collect(),
        ghosts: faults.ghosts.iter().map(|ghost| ghost.track).collect(),
        tracks: (0..play.actors.len()).flat_map(|actor| faults.tracks(actor)).collect(),
    }
}
