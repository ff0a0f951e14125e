//! The host application of Sparkplug B: it takes the messages of edge nodes as a broker delivers them, and the time, and gives
//! facts of plates and requests to begin anew. It never takes a value for true whose node, device or number it does not know,
//! and never talks to anybody itself.

use std::collections::BTreeMap;
use std::time::Duration;

use prost::Message as _;

use super::node::{AHEAD_MAX, Kind, Node, Numbered, Plate, REORDER, Unit, time};
use super::payload::Payload;
use super::rows::{Rows, Troubles};
use crate::base::{ShopTime, Span};
use crate::facts::Fact;
use crate::ingest::devices::{Board, Sparkplug};
use crate::ingest::mqtt::boards::Moment;
use crate::ingest::mqtt::wire::Said;
use crate::ports::HealthWord;

/// Silence after which what a device read last is not held any more, where the shop's file says nothing.
const SILENCE: Span = Span::from_millis(3_000);

/// What comes of a message or of time.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) facts: Vec<Fact>,
    pub(super) say: Vec<Said>,
    /// By source.
    pub(super) notes: Vec<(String, Note)>,
    /// Counted of no device.
    pub(super) counts: Vec<(&'static str, u64)>,
}

/// What is to be known of a source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Note {
    /// It was heard; how far its clock is ahead.
    Stirred(Option<Span>),
    /// Something is counted.
    Count(&'static str, u64),
    /// Its numbers do not follow each other.
    Fell,
    /// How it is, why, and what to do; none where that is over.
    Told(Option<(HealthWord, &'static str, &'static str)>),
}

/// All nodes of a shop.
pub(in crate::ingest::mqtt) struct Host {
    group: String,
    nodes: BTreeMap<String, Node>,
}

impl Host {
    pub(in crate::ingest::mqtt) fn new(settings: &Sparkplug, boards: &[Board]) -> Self {
        let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
        let mut named: BTreeMap<(String, Option<String>), Vec<_>> = BTreeMap::new();
        for metric in &settings.metrics {
            named.entry((metric.node.clone(), metric.device.clone())).or_default().push(metric);
        }
        for ((name, device), mut metrics) in named {
            // In the order of the shelf, whatever the file says.
            metrics.sort_by_key(|metric| metric.plate);
            let source = match &device {
                Some(device) => format!("sparkplug/{name}/{device}"),
                None => format!("sparkplug/{name}"),
            };
            let silence = boards.iter().find(|board| board.source == source).map_or(SILENCE, |board| board.silence);
            let rows = Rows::new(&source, metrics.iter().map(|metric| metric.plate).collect());
            let plate = |(place, metric): (usize, &&crate::ingest::devices::Metric)| {
                (metric.name.clone(), Plate::new(place, metric.grams))
            };
            let metrics = metrics.iter().enumerate().map(plate).collect();
            let unit = Unit { device, rows, metrics, is_alive: false, heard: None, is_resting: false, silence };
            nodes.entry(name.clone()).or_insert_with(|| Node::new(&name)).units.push(unit);
        }
        Host { group: settings.group.clone(), nodes }
    }

    /// A connection to the broker has come: all nodes have to begin, by themselves or asked.
    pub(super) fn connected(&mut self, moment: Moment) {
        self.nodes.values_mut().for_each(|node| node.wait_for_birth(moment.elapsed));
    }

    /// The connection to the broker is lost: nothing that was known is known any more.
    pub(super) fn disconnected(&mut self, moment: Moment, out: &mut Out) {
        for node in self.nodes.values_mut() {
            let waiting = node.forget(moment.elapsed);
            count(out, "dropped_unborn", waiting);
            for unit in &mut node.units {
                end_unit(unit, None, moment, out);
            }
        }
    }

    /// Takes a message.
    pub(super) fn message(&mut self, topic: &str, bytes: &[u8], is_retained: bool, moment: Moment, out: &mut Out) {
        let mut levels = topic.split('/').skip(2);
        let (kind, node, device) = (levels.next(), levels.next(), levels.next());
        let Some(node) = node.and_then(|node| self.nodes.get_mut(node)) else {
            // Nodes of others, which the shop does not know.
            return count(out, "of_other_nodes", 1);
        };
        if is_retained {
            return count(out, "dropped_retained", 1);
        }
        let Ok(payload) = Payload::decode(bytes) else {
            note_all(node, Note::Count("dropped_undecodable", 1), out);
            return count(out, "dropped_undecodable", 1);
        };
        let kind = match kind {
            Some("NBIRTH") => return node_birth(node, &payload, moment, out),
            Some("NDEATH") => return node_death(node, &payload, moment, out),
            Some("NDATA") => Kind::NodeData,
            Some("DBIRTH") => Kind::DeviceBirth,
            Some("DDATA") => Kind::DeviceData,
            Some("DDEATH") => Kind::DeviceDeath,
            // Commands of this host and of others.
            Some("NCMD" | "DCMD") => return,
            _ => return count(out, "dropped_unknown_topic", 1),
        };
        let device = device.map(str::to_owned);
        if (kind == Kind::NodeData) != device.is_none() {
            return count(out, "dropped_unknown_topic", 1);
        }
        let Some(number) = payload.seq.and_then(|number| u8::try_from(number).ok()) else {
            return count(out, "dropped_unnumbered", 1);
        };
        numbered(node, Numbered { number, kind, device, payload, moment }, out);
    }

    /// Time goes on.
    pub(super) fn tick(&mut self, moment: Moment, out: &mut Out) {
        for node in self.nodes.values_mut() {
            if node.gap_since.is_some_and(|since| since + REORDER <= moment.elapsed) {
                lose(node, moment, out);
            }
            if node.asks(moment.elapsed) {
                let millis = u64::try_from(moment.now.as_nanos() / 1_000_000).unwrap_or(0);
                let topic = format!("spBv1.0/{}/NCMD/{}", self.group, node.name);
                out.say.push(Said { topic, payload: Payload::rebirth(millis), is_sure: false, is_retained: false });
                count(out, "rebirths_asked", 1);
            }
            if node.gap_since.is_none() && node.birth.is_some() {
                hold(node, moment, out);
            }
            for unit in &mut node.units {
                tell_troubles(unit, out);
            }
        }
    }
}

/// What the devices read last is held while they are heard.
fn hold(node: &mut Node, moment: Moment, out: &mut Out) {
    let Some(ahead) = node.clock.ahead() else { return };
    let device_now = ShopTime::from_nanos(nanos(moment.elapsed)) + ahead;
    for unit in node.units.iter_mut().filter(|unit| unit.is_alive && !unit.is_resting) {
        let Some((heard, at)) = unit.heard else { continue };
        if unit.silence.as_secs() < moment.elapsed.saturating_sub(heard).as_secs_f64() {
            unit.is_resting = true;
            unit.rows.end(Some(at), false, moment.now, &mut out.facts);
        } else {
            unit.rows.hold(device_now, moment.now, &mut out.facts);
        }
    }
}

fn node_birth(node: &mut Node, payload: &Payload, moment: Moment, out: &mut Out) {
    let waiting = node.forget(moment.elapsed);
    count(out, "dropped_unborn", waiting);
    count(out, "births", 1);
    for unit in &mut node.units {
        end_unit(unit, None, moment, out);
    }
    node.be_born(payload, moment.elapsed);
    note_clock(node, payload, moment);
    if let Some(unit) = node.unit(None) {
        unit.is_alive = true;
    }
    take(node, None, payload, moment, out);
}

fn node_death(node: &mut Node, payload: &Payload, moment: Moment, out: &mut Out) {
    let Some(birth) = &node.birth else { return };
    // A will that is said late belongs to a connection that is over.
    let is_current = payload.bd_seq().is_none() || birth.bd_seq.is_none() || payload.bd_seq() == birth.bd_seq;
    if !is_current {
        return count(out, "deaths_ignored", 1);
    }
    count(out, "deaths", 1);
    let waiting = node.forget(moment.elapsed);
    count(out, "dropped_unborn", waiting);
    for unit in &mut node.units {
        end_unit(unit, None, moment, out);
        let told = (HealthWord::Offline, "the broker says that its node died", "check its power and its network");
        out.notes.push((unit.rows.source().to_owned(), Note::Told(Some(told))));
    }
}

/// Takes a message in its turn, or lets it wait for those before it.
fn numbered(node: &mut Node, message: Numbered, out: &mut Out) {
    let elapsed = message.moment.elapsed;
    let Some(birth) = &node.birth else {
        count(out, "dropped_unborn", 1);
        return node.want_birth(elapsed);
    };
    match message.number.wrapping_sub(birth.next) {
        0 => in_turn(node, &message, out),
        1..AHEAD_DISTANCE if node.ahead.len() < AHEAD_MAX => {
            node.gap_since.get_or_insert(elapsed);
            node.ahead.push(message);
            return;
        }
        1..AHEAD_DISTANCE => return lose(node, message.moment, out),
        // It came before.
        _ => return count(out, "dropped_duplicate", 1),
    }
    // What waited for it.
    while let Some(next) = node.birth.as_ref().map(|birth| birth.next)
        && let Some(place) = node.ahead.iter().position(|other| other.number == next)
    {
        let message = node.ahead.swap_remove(place);
        in_turn(node, &message, out);
    }
    if node.ahead.is_empty() {
        node.gap_since = None;
    }
}

/// A number that is less than half of all numbers ahead is of a later message; else of an earlier one.
const AHEAD_DISTANCE: u8 = 128;

fn in_turn(node: &mut Node, message: &Numbered, out: &mut Out) {
    let Numbered { kind, device, payload, moment, .. } = message;
    if let Some(birth) = &mut node.birth {
        birth.next = birth.next.wrapping_add(1);
    }
    note_clock(node, payload, *moment);
    let device = device.as_deref();
    match kind {
        Kind::NodeData => take(node, None, payload, *moment, out),
        Kind::DeviceBirth => {
            node.name_metrics(device, payload);
            if let Some(unit) = node.unit(device) {
                end_unit(unit, None, *moment, out);
                unit.is_alive = true;
                take(node, device, payload, *moment, out);
            }
        }
        Kind::DeviceData => match node.unit(device).map(|unit| unit.is_alive) {
            Some(true) => take(node, device, payload, *moment, out),
            Some(false) => {
                count(out, "dropped_unborn", 1);
                node.want_birth(moment.elapsed);
            }
            None => {}
        },
        Kind::DeviceDeath => {
            if let Some(unit) = node.unit(device) {
                end_unit(unit, time(payload.timestamp), *moment, out);
                let remedy = "check the device and its cable to its node";
                let told = (HealthWord::Offline, "its node says that it died", remedy);
                out.notes.push((unit.rows.source().to_owned(), Note::Told(Some(told))));
            }
        }
    }
}

/// Takes what a message says of a device's plates.
fn take(node: &mut Node, device: Option<&str>, payload: &Payload, moment: Moment, out: &mut Out) {
    let said = node.read(device, payload, moment.now);
    if 0 < said.unknown {
        count(out, "unknown_aliases", said.unknown);
        node.want_birth(moment.elapsed);
    }
    let Some(unit) = node.unit(device) else { return };
    let source = unit.rows.source().to_owned();
    let at = time(payload.timestamp);
    let mut note = |note: Note| out.notes.push((source.clone(), note));
    note(Note::Stirred(at.map(|at| at - moment.now)));
    note(Note::Told(match said.twice {
        0 => None,
        _ => Some((
            HealthWord::Degraded,
            "its node gives one alias to two metrics, which are not told apart",
            "give each metric of the node an alias of its own",
        )),
    }));
    for (what, more) in [("dropped_no_number", said.no_numbers), ("dropped_alias_twice", said.twice)] {
        if 0 < more {
            note(Note::Count(what, more));
        }
    }
    let last = said.readings.last().map(|reading| reading.at);
    unit.is_resting = false;
    unit.heard = Some((moment.elapsed, at.max(last).unwrap_or(moment.now)));
    unit.rows.take(&said.readings, moment.now, &mut out.facts);
    if !said.past.is_empty() {
        unit.rows.take_past(&said.past, moment.now, &mut out.facts);
    }
}

/// A message of a node never came: what its plates read is not known.
fn lose(node: &mut Node, moment: Moment, out: &mut Out) {
    let waiting = node.forget(moment.elapsed);
    count(out, "sequence_gaps", 1);
    count(out, "dropped_after_gap", waiting);
    for unit in &mut node.units {
        end_unit(unit, None, moment, out);
        out.notes.push((unit.rows.source().to_owned(), Note::Fell));
    }
    node.want_birth(moment.elapsed);
}

/// Nothing is known of a device any more, from `at` or from when it was heard last.
fn end_unit(unit: &mut Unit, at: Option<ShopTime>, moment: Moment, out: &mut Out) {
    let at = at.or(unit.heard.map(|(_, at)| at)).filter(|_| !unit.is_resting);
    unit.rows.end(at, true, moment.now, &mut out.facts);
    (unit.is_alive, unit.is_resting, unit.heard) = (false, false, None);
}

fn note_clock(node: &mut Node, payload: &Payload, moment: Moment) {
    if let Some(at) = time(payload.timestamp) {
        node.clock.take(at - ShopTime::from_nanos(nanos(moment.elapsed)), moment.elapsed);
    }
}

fn note_all(node: &Node, note: Note, out: &mut Out) {
    out.notes.extend(node.units.iter().map(|unit| (unit.rows.source().to_owned(), note)));
}

fn tell_troubles(unit: &mut Unit, out: &mut Out) {
    let Troubles { late, leaps, past_unused } = std::mem::take(&mut unit.rows.troubles);
    for (what, more) in [("late_readings", late), ("clock_leaps", leaps), ("dropped_past", past_unused)] {
        if 0 < more {
            out.notes.push((unit.rows.source().to_owned(), Note::Count(what, more)));
        }
    }
}

fn count(out: &mut Out, what: &'static str, more: u64) {
    if 0 < more {
        out.counts.push((what, more));
    }
}

fn nanos(elapsed: Duration) -> i64 {
    i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
}
