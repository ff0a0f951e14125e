//! What today came to, and how late the shop is.

use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use super::devices::age;
use super::problem::Problem;
use super::reply::{Json, Nothing};
use super::route::Call;
use crate::base::{Error, Money, ShopTime, Span};
use crate::db::carts::{self, CartState, Sold};

/// What the book says is asked of it again after this time.
const KEPT: Span = Span::from_millis(5_000);
/// Receipts that are read while nobody else can use the book.
const ROWS: u32 = 200;

/// What hours are counted by: a day has 23 to 25 of them.
const HOUR: Span = Span::from_millis(3_600_000);
/// Hours of a day at most, also of the longest.
const HOURS_MAX: usize = 26;

/// How full the queues of an open shop are: name, how many are in it, how many may be.
pub type Queues = Arc<dyn Fn() -> Vec<(&'static str, u64, u64)> + Send + Sync>;

/// Today, since midnight in the shop's zone. What follows from the book is five seconds old at most.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Today")]
pub(super) struct TodayView {
    /// When today began.
    since: ShopTime,
    /// Who is inside now.
    shoppers_inside: u64,
    /// Who has left with a receipt since then, and who is inside now.
    visits: u64,
    /// Receipts of those who have left since then.
    receipts: u64,
    /// Of these, those that wait for a person.
    for_review: u64,
    /// What the other ones come to as they are now; none where one of them has no total. Who works here is not counted.
    sales: Option<Money>,
    /// Units on them.
    units: u64,
    /// The same hour by hour, from midnight to the one that is not over.
    hours: Vec<HourView>,
}

/// An hour of today.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TodayHour")]
struct HourView {
    /// When it began.
    since: ShopTime,
    /// Receipts of those who left in it.
    receipts: u64,
    /// Of these, those that wait for a person.
    for_review: u64,
    /// What the other ones come to; none where one of them has no total.
    sales: Option<Money>,
    /// Units on them.
    units: u64,
}

/// What receipts come to.
#[derive(Clone, Copy, PartialEq)]
struct Tally {
    receipts: u64,
    for_review: u64,
    sales: Option<Money>,
    units: u64,
}

/// What the book says of today.
#[derive(Clone, PartialEq)]
struct Sums {
    since: ShopTime,
    read: ShopTime,
    /// How often a recording that is watched had been jumped by then.
    jumps: u64,
    day: Tally,
    hours: Vec<Tally>,
}

/// What was read last, so that many who look cost the book no more than one.
#[derive(Default)]
pub(super) struct Today(Mutex<Option<Sums>>);

/// How late everything is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Delays")]
pub(super) struct DelaysView {
    /// The stages of the engine, and of vision where frames are looked at here, in the order in which facts pass them.
    stages: Vec<StageView>,
    /// What screens show.
    view: Behind,
    /// Queues whose filling is known.
    queues: Vec<QueueView>,
}

/// A stage.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StageDelay")]
struct StageView {
    /// Its name, as in the metrics.
    stage: &'static str,
    /// How many wait in it.
    waiting: u64,
    /// How far the oldest that waits is behind the newest that came, seconds; 0 where nothing waits.
    delay_secs: f64,
}

/// What screens show.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ViewDelay")]
struct Behind {
    /// How long ago the newest was true that is shown of where people are, seconds; none where nothing is known of people.
    behind_secs: Option<f64>,
}

/// A queue.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QueueFilling")]
struct QueueView {
    /// Its name, as in the plan of an open shop.
    name: &'static str,
    /// How many are in it.
    holds: u64,
    /// How many may be.
    holds_max: u64,
}

/// `GET /v1/today`
pub(super) fn today(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<TodayView>, Problem> {
    // Whoever comes while it is read waits for what that finds.
    let mut kept = call.api.today.0.lock().unwrap_or_else(PoisonError::into_inner);
    let since = midnight(call)?;
    let jumps = call.api.replay.as_ref().map_or(0, |desk| desk.state().jumps);
    let is_new = |sums: &Sums| (sums.since, sums.jumps) == (since, jumps) && (call.now - sums.read).abs() < KEPT;
    let sums = match kept.take_if(|sums| is_new(sums)) {
        Some(sums) => sums,
        None => read(call, since, jumps)?,
    };
    *kept = Some(sums.clone());
    drop(kept);
    let carts = call.api.streams.as_ref().map(|streams| streams.board().carts());
    let shoppers_inside = match carts {
        Some(carts) => carts.map_or(0, |(_, visits)| visits.len() as u64),
        // No engine runs here: who has an open cart is inside.
        None => open_carts(call)?,
    };
    let Tally { receipts, for_review, sales, units } = sums.day;
    let visits = receipts + shoppers_inside;
    let hours = sums.hours.iter().enumerate().map(|(index, tally)| HourView::new(since, index, *tally)).collect();
    Ok(Json(TodayView { since, shoppers_inside, visits, receipts, for_review, sales, units, hours }))
}

impl HourView {
    fn new(midnight: ShopTime, index: usize, tally: Tally) -> Self {
        let Tally { receipts, for_review, sales, units } = tally;
        HourView { since: midnight + HOUR * index as i64, receipts, for_review, sales, units }
    }
}

/// When today began on the clocks of the shop.
fn midnight(call: &Call<'_>) -> Result<ShopTime, Problem> {
    let zone = call.api.till().shop().zone().clone();
    let day = call.now.zoned(&zone).start_of_day();
    let nanos = day.ok().and_then(|day| i64::try_from(day.timestamp().as_nanosecond()).ok());
    nanos.map(ShopTime::from_nanos).ok_or_else(|| Error::broken("today has no beginning").into())
}

fn read(call: &Call<'_>, since: ShopTime, jumps: u64) -> Result<Sums, Problem> {
    let shop = call.api.till().shop().clone();
    let nothing = Some(Money::new(0, shop.policy().currency));
    let none = Tally { receipts: 0, for_review: 0, sales: nothing, units: 0 };
    let mut sums = Sums { since, read: call.now, jumps, day: none, hours: vec![none; hour_of(since, call.now) + 1] };
    let mut after = (since, String::new());
    loop {
        let rows =
            call.read(|till| till.with(|session| carts::sold(session, shop.name(), (after.0, &after.1), ROWS)))?;
        let is_last = rows.len() < ROWS as usize;
        if let Some(last) = rows.last() {
            after = (last.left_at, last.cart.to_string());
        }
        for sold in &rows {
            sums.day.add(sold);
            let hour = hour_of(since, sold.left_at);
            if let Some(tally) = sums.hours.get_mut(hour) {
                tally.add(sold);
            }
        }
        if is_last {
            return Ok(sums);
        }
    }
}

fn open_carts(call: &Call<'_>) -> Result<u64, Problem> {
    let open = call.read(|till| {
        let shop = till.shop().name().to_owned();
        till.with(|session| carts::count_in_state(session, &shop, CartState::Open))
    })?;
    Ok(open)
}

/// In which hour of the day that began then this is, from 0 on.
fn hour_of(midnight: ShopTime, at: ShopTime) -> usize {
    let hours = (at - midnight).as_nanos() / HOUR.as_nanos();
    usize::try_from(hours).unwrap_or(0).min(HOURS_MAX - 1)
}

impl Tally {
    fn add(&mut self, sold: &Sold) {
        self.receipts += 1;
        if sold.state == CartState::Review {
            self.for_review += 1;
        } else if sold.is_billed {
            self.units += sold.receipt.lines.iter().map(|line| u64::from(line.quantity.get())).sum::<u64>();
            self.sales = self.sales.zip(sold.receipt.total).and_then(|(sum, total)| sum.checked_add(total));
        }
    }
}

/// `GET /v1/delays`
pub(super) fn delays(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<DelaysView>, Problem> {
    let stage = |report: crate::base::StageReport| StageView {
        stage: report.stage.name(),
        waiting: report.depth,
        delay_secs: report.delay.as_secs(),
    };
    let queue = |(name, holds, holds_max)| QueueView { name, holds, holds_max };
    let shown = call.api.streams.as_ref().and_then(|streams| streams.board().people_at());
    let queues = call.api.queues.as_ref().map(|queues| queues()).unwrap_or_default();
    Ok(Json(DelaysView {
        stages: call.api.board.latest().into_iter().map(stage).collect(),
        view: Behind { behind_secs: shown.map(|at| age(at, call.now)) },
        queues: queues.into_iter().map(queue).collect(),
    }))
}
