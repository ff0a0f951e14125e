//! What a recording holds that is played live: who speaks in it, of what kind and how often, its length, and its truth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::base::{Error, Result, ShopTime, Span};
use crate::facts::{Body, Topic};
use crate::ports::FactSource;
use crate::recording::Reader;
use crate::shop::Shop;
use crate::sim::Pluggable;
use crate::truth::Truth;

/// Facts of one source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) topic: Topic,
    count: u64,
    first: ShopTime,
    last: ShopTime,
}

impl Heard {
    /// Facts a second; none where there are too few to say.
    pub(super) fn rate_hertz(&self) -> Option<f64> {
        let secs = self.last.secs_since(self.first);
        (2 < self.count && 0.0 < secs).then(|| (self.count - 1) as f64 / secs)
    }

    /// Whether it is somebody who sends weights or people.
    pub(super) fn is_board(&self) -> bool {
        matches!(self.topic, Topic::Plates | Topic::People | Topic::Seen | Topic::BoardEvent | Topic::Shelf)
    }
}

/// What a recording holds.
pub(super) struct Film {
    pub(super) shop: Shop,
    pub(super) truth: Option<Truth>,
    /// When the first fact arrives.
    pub(super) first: ShopTime,
    /// From there to the last.
    pub(super) length: Span,
    pub(super) sources: BTreeMap<String, Heard>,
    /// Names of cameras that have frames.
    pub(super) cameras: BTreeSet<String>,
}

impl Film {
    pub(super) fn survey(path: &Path) -> Result<Self> {
        let mut reader = Reader::open(path)?;
        let (mut sources, mut cameras) = (BTreeMap::<String, Heard>::new(), BTreeSet::new());
        let mut range: Option<(ShopTime, ShopTime)> = None;
        while let Some(fact) = reader.next_fact()? {
            let (at, topic) = (fact.stamp.arrived, fact.body.topic());
            if !topic.is_ground() && topic != Topic::Shelf {
                continue;
            }
            range = Some(range.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
            let new = Heard { topic, count: 0, first: at, last: at };
            let heard = sources.entry(fact.stamp.source.to_string()).or_insert(new);
            (heard.count, heard.last) = (heard.count + 1, at);
            if let Body::Frame(frame) = &fact.body {
                cameras.insert(frame.camera.to_string());
            }
        }
        let Some((first, last)) = range else {
            return Err(Error::input("nothing is said in this recording, so there is nothing to play").at_path(path));
        };
        let (shop, truth) = (reader.shop().clone(), reader.truth().cloned());
        Ok(Film { shop, truth, first, length: last - first, sources, cameras })
    }

    pub(super) fn has(&self, topics: &[Topic]) -> bool {
        self.sources.values().any(|heard| topics.contains(&heard.topic))
    }

    /// The same film, of which nobody says where people are: there are cameras.
    pub(super) fn without_people(mut self) -> Self {
        self.sources.retain(|_, heard| heard.topic != Topic::People);
        self
    }

    pub(super) fn pluggable(&self, with_broker: bool, with_cameras: bool) -> Pluggable {
        let named = |wanted: &dyn Fn(&Heard) -> bool| {
            self.sources.iter().filter(|(_, heard)| wanted(heard)).map(|(source, _)| source.clone()).collect()
        };
        Pluggable {
            broker: with_broker,
            cameras: if with_cameras { named(&|heard| heard.topic == Topic::Frame) } else { BTreeSet::new() },
            boards: if with_broker { named(&Heard::is_board) } else { BTreeSet::new() },
        }
    }
}
