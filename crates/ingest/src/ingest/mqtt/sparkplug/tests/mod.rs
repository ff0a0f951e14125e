//! Nodes as they speak: bytes in, facts and requests out. And a node of another maker's, where one is named.

mod fuzz;
mod node;

use std::collections::BTreeMap;
use std::time::Duration;

use prost::Message as _;

use super::host::{Host, Note, Out};
use super::payload::{Metric, Payload, Value};
use crate::base::{PlateId, ShopTime, Span};
use crate::facts::{Body, Fact, PlateBatch};
use crate::ingest::devices::{self, Sparkplug};
use crate::ingest::mqtt::boards::Moment;

/// Milliseconds since the epoch at which scenes begin.
const BEGUN: i64 = 1_700_000_000_000;
const FLOAT: u32 = 9;

/// A host with the plates 1 and 2 on a device, and plate 3 on the node itself, which reads kilograms.
fn settings() -> Sparkplug {
    let metric = |device: Option<&str>, name: &str, plate: u16, grams: f64| devices::Metric {
        node: "n".to_owned(),
        device: device.map(str::to_owned),
        name: name.to_owned(),
        plate: PlateId::new(1, 1, plate),
        grams,
    };
    let metrics =
        vec![metric(Some("d"), "w2", 2, 1.0), metric(Some("d"), "w1", 1, 1.0), metric(None, "own", 3, 1_000.0)];
    Sparkplug { group: "g".to_owned(), host: "aisle".to_owned(), metrics }
}

/// A host, and time.
struct Scene {
    host: Host,
    millis: i64,
    seq: u64,
    facts: Vec<Fact>,
    asked: u64,
    counts: BTreeMap<&'static str, u64>,
    notes: Vec<(String, Note)>,
}

impl Scene {
    fn new() -> Self {
        let mut scene = Scene {
            host: Host::new(&settings(), &[]),
            millis: 0,
            seq: 0,
            facts: Vec::new(),
            asked: 0,
            counts: BTreeMap::new(),
            notes: Vec::new(),
        };
        scene.host.connected(scene.moment());
        scene
    }

    /// Both the node and its device are born; their plates read 10, 20 and 30 g.
    fn born() -> Self {
        let mut scene = Scene::new();
        scene.birth(7);
        scene.send("DBIRTH/n/d", vec![named("w1", 1, 10.0), named("w2", 2, 20.0), named("other", 9, 0.0)]);
        scene
    }

    fn birth(&mut self, bd_seq: u64) {
        self.seq = 0;
        self.send("NBIRTH/n", vec![bd(bd_seq), named("own", 3, 0.03)]);
    }

    fn moment(&self) -> Moment {
        let now = ShopTime::from_nanos((BEGUN + self.millis) * 1_000_000);
        Moment { now, elapsed: Duration::from_millis(self.millis as u64) }
    }

    /// The next message of the node.
    fn send(&mut self, topic: &str, metrics: Vec<Metric>) {
        let seq = self.seq;
        self.seq = (self.seq + 1) % 256;
        self.send_as(topic, Some(seq), metrics);
    }

    fn send_as(&mut self, topic: &str, seq: Option<u64>, metrics: Vec<Metric>) {
        let payload = Payload { timestamp: Some((BEGUN + self.millis) as u64), metrics, seq };
        self.bytes(topic, &payload.encode_to_vec());
    }

    fn bytes(&mut self, topic: &str, bytes: &[u8]) {
        let mut out = Out::default();
        self.host.message(&format!("spBv1.0/g/{topic}"), bytes, false, self.moment(), &mut out);
        self.note(out);
    }

    /// Time goes on, as it does for the host.
    fn wait(&mut self, millis: i64) {
        let end = self.millis + millis;
        while self.millis < end {
            self.millis = (self.millis + 100).min(end);
            let mut out = Out::default();
            self.host.tick(self.moment(), &mut out);
            self.note(out);
        }
    }

    fn note(&mut self, out: Out) {
        for said in &out.say {
            assert_eq!((said.topic.as_str(), said.is_retained), ("spBv1.0/g/NCMD/n", false));
            assert_eq!(said.payload, Payload::rebirth((BEGUN + self.millis) as u64));
        }
        self.asked += out.say.len() as u64;
        self.facts.extend(out.facts);
        self.notes.extend(out.notes);
        for (what, more) in out.counts {
            *self.counts.entry(what).or_default() += more;
        }
    }

    fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    fn told(&self, source: &str) -> Option<Note> {
        let of = |(other, note): &&(String, Note)| other == source && matches!(note, Note::Told(_));
        self.notes.iter().rev().find(of).map(|(_, note)| *note)
    }

    /// The rows of a source: milliseconds since the beginning, and what each plate read; without gaps, one after the other.
    fn rows(&self, source: &str) -> Vec<(f64, Vec<f32>)> {
        let mut rows = Vec::new();
        for fact in self.facts.iter().filter(|fact| fact.stamp.source.as_str() == source) {
            let batch = batch(fact);
            assert!(batch.is_well_formed() && fact.stamp.at == batch.first_at);
            for (row, grams) in batch.grams.chunks(batch.plates.len()).enumerate() {
                let at = (batch.row_at(row).as_nanos() - BEGUN * 1_000_000) as f64 * 1e-6;
                rows.push((at, grams.to_vec()));
            }
        }
        rows
    }

    /// The rows of the device, which have to be without gaps.
    fn even(&self) -> Vec<(f64, Vec<f32>)> {
        let rows = self.rows("sparkplug/n/d");
        for pair in rows.windows(2) {
            assert!((pair[1].0 - pair[0].0 - 16.666_667).abs() < 0.001, "{pair:?}");
        }
        rows
    }
}

fn batch(fact: &Fact) -> &PlateBatch {
    let Body::Plates(batch) = &fact.body else { panic!("{fact:?}") };
    batch
}

fn bd(number: u64) -> Metric {
    let value = Some(Value::Long(number));
    Metric { name: Some("bdSeq".to_owned()), datatype: Some(4), value, ..Metric::default() }
}

/// A metric as births have it.
fn named(name: &str, alias: u64, grams: f32) -> Metric {
    let value = Some(Value::Float(grams));
    Metric { name: Some(name.to_owned()), alias: Some(alias), datatype: Some(FLOAT), value, ..Metric::default() }
}

/// A metric as data have it.
fn short(alias: u64, grams: f32) -> Metric {
    Metric { alias: Some(alias), value: Some(Value::Float(grams)), ..Metric::default() }
}

/// The same, at a time of its own.
fn dated(alias: u64, grams: f32, millis: i64, is_historical: bool) -> Metric {
    let is_historical = is_historical.then_some(true);
    Metric { timestamp: Some((BEGUN + millis) as u64), is_historical, ..short(alias, grams) }
}

fn seconds(secs: f64) -> Span {
    Span::from_secs(secs)
}
