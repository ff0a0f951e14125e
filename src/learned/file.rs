//! The file: TOML, with a head that says what it is and of which shop.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::digest::sha256;
use crate::base::limits::{CLOCK_OFFSET_SPAN_MAX, LEARNED_FILE_BYTES_MAX};
use crate::base::{Error, Grams, PlateId, Result, ShopTime, SkuId, Span};
use crate::fusion::{self, LearnedClock, LearnedWeight, LearnedWrists};
use crate::geometry::Point;
use crate::pipeline::Knowledge;
use crate::shelf::PlateNoise;
use crate::shop::{Shop, ShopDraft};
use crate::tracking::{Passage, SeenDoors, SeenPlace};

/// Rises with every change that an older aisle could not read.
const FORMAT: u32 = 1;
const AISLE: &str = env!("CARGO_PKG_VERSION");
const HEAD: &str = "\
# What aisle has learned of this shop while it was open. It is read when the shop opens and written while it is.
# Whatever is deleted here is learned anew. Times are UTC.

";
/// Weights, metres and counts beyond these make no sense.
const GRAMS_MAX: f64 = 50_000.0;
const METRES_MAX: f64 = 100_000.0;
const COUNT_MAX: f64 = 1e12;
/// One unit that was weighed otherwise than the catalogue says may have been another product: an engine is told of it from two on, where the
/// catalogue says anything. Two agree within this share and these grams.
const UNITS_MIN: u32 = 2;
const AGREE_SHARE: f64 = 0.03;
const AGREE_GRAMS: f64 = 3.0;

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    format: u32,
    pub(super) aisle: String,
    pub(super) shop: String,
    pub(super) written: Moment,
    pub(super) clock: Option<ClockEntry>,
    pub(super) wrists: Option<WristEntry>,
    pub(super) doors: Option<DoorEntries>,
    #[serde(default)]
    pub(super) weights: Vec<WeightEntry>,
    #[serde(default)]
    pub(super) plates: Vec<PlateEntry>,
}

/// How far the people's clock is behind the plates'.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockEntry {
    pub(super) people_behind_secs: f64,
    pub(super) sigma_secs: f64,
    /// Changes of weight that it was learned from.
    pub(super) changes: u32,
    pub(super) at: Moment,
}

/// How near wrists are to what they take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WristEntry {
    pub(super) metres: f64,
    pub(super) near_takes: f64,
    pub(super) far_takes: f64,
    pub(super) at: Moment,
    /// Digest of the cameras.
    pub(super) rests_on: String,
}

/// Where people come from, and go to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoorEntries {
    pub(super) open_secs: f64,
    /// Digest of walls, zones and cameras.
    pub(super) rests_on: String,
    #[serde(default)]
    pub(super) places: Vec<DoorEntry>,
}

/// A place where visits begin, or people are lost for good, or lost and found again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoorEntry {
    pub(super) passage: Passage,
    pub(super) x_metres: f64,
    pub(super) y_metres: f64,
    pub(super) people: f64,
    pub(super) at: Moment,
}

/// What a unit weighs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WeightEntry {
    pub(super) sku: SkuId,
    pub(super) grams: f64,
    /// What the catalogue said then.
    pub(super) catalogue_grams: Option<f64>,
    pub(super) units: u32,
    pub(super) at: Moment,
}

/// How much a plate trembles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlateEntry {
    /// Its name, `gondola-shelf-plate`.
    pub(super) plate: String,
    pub(super) sigma_grams: f64,
    /// For how long it was at rest.
    pub(super) quiet_secs: f64,
    pub(super) at: Moment,
}

/// What tells whether it is one of these files, and of which aisle.
#[derive(Deserialize)]
struct Head {
    format: Option<u32>,
    aisle: Option<String>,
}

/// An instant as text.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Moment(pub(super) ShopTime);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339(3))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let nanos = text.parse::<jiff::Timestamp>().ok().and_then(|at| i64::try_from(at.as_nanosecond()).ok());
        let wrong = || serde::de::Error::custom(format!("`{text}` is no instant such as 2026-12-01T00:00:00Z"));
        nanos.map(|nanos| Moment(ShopTime::from_nanos(nanos))).ok_or_else(wrong)
    }
}

impl Document {
    /// # Errors
    /// When the text is too long, damaged, nothing of the kind, or of another format.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        if LEARNED_FILE_BYTES_MAX < bytes.len() as u64 {
            return Err(Error::input(format!("it is longer than {LEARNED_FILE_BYTES_MAX} bytes")));
        }
        let damaged = |what: &str| Error::input(format!("what was learned is damaged: {what}"));
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is no text in UTF-8"))?;
        let head: Head = toml::from_str(text).map_err(|error| damaged(error.message()))?;
        match head {
            Head { format: Some(FORMAT), aisle: Some(_) } => {}
            Head { format: Some(format), aisle: Some(aisle) } => {
                return Err(Error::input(format!(
                    "what was learned has format {format}, of aisle {aisle}; this is aisle {AISLE}, which reads format {FORMAT}"
                )));
            }
            Head { .. } => return Err(Error::input("this is not what aisle learned of a shop: it names no format")),
        }
        let document: Document = toml::from_str(text).map_err(|error| damaged(error.message()))?;
        document.check().map_err(|what| damaged(&what))?;
        Ok(document)
    }

    /// # Errors
    /// What makes no sense, in words.
    fn check(&self) -> std::result::Result<(), String> {
        let within = |name: &str, value: f64, least: f64, most: f64| match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(format!("{name} is {value}, and must be from {least} to {most}")),
        };
        if let Some(clock) = &self.clock {
            let span = CLOCK_OFFSET_SPAN_MAX.as_secs();
            within("clock.people_behind_secs", clock.people_behind_secs, -span, span)?;
            within("clock.sigma_secs", clock.sigma_secs, 0.0, span)?;
        }
        if let Some(wrists) = &self.wrists {
            within("wrists.metres", wrists.metres, 0.0, 10.0)?;
            within("wrists.near_takes", wrists.near_takes, 0.0, COUNT_MAX)?;
            within("wrists.far_takes", wrists.far_takes, 0.0, COUNT_MAX)?;
        }
        for weight in &self.weights {
            within(&format!("grams of {}", weight.sku), weight.grams, f64::MIN_POSITIVE, GRAMS_MAX)?;
        }
        for plate in &self.plates {
            plate.plate.parse::<PlateId>()?;
            within(&format!("sigma_grams of {}", plate.plate), plate.sigma_grams, 0.0, GRAMS_MAX)?;
            within(&format!("quiet_secs of {}", plate.plate), plate.quiet_secs, 0.0, COUNT_MAX)?;
        }
        if let Some(doors) = &self.doors {
            within("doors.open_secs", doors.open_secs, 0.0, COUNT_MAX)?;
            for door in &doors.places {
                within("x_metres of a door", door.x_metres, -METRES_MAX, METRES_MAX)?;
                within("y_metres of a door", door.y_metres, -METRES_MAX, METRES_MAX)?;
                within("people of a door", door.people, 0.0, COUNT_MAX)?;
            }
        }
        Ok(())
    }

    pub(super) fn text(&self) -> Result<String> {
        let text = toml::to_string(self);
        let text = text.map_err(|error| Error::input(format!("what was learned cannot be written: {error}")))?;
        Ok(format!("{HEAD}{text}"))
    }

    pub(super) fn of(shop: &Shop, before: Option<&Document>, learned: &Knowledge, at: ShopTime) -> Self {
        let Knowledge { fusion: fusion::Learned { weights, wrists, clock }, noise, doors } = learned;
        let catalogue = |sku: &SkuId| shop.catalogue().get(sku)?.weight.map(|weight| rounded(weight.value(), 2));
        let weights: Vec<WeightEntry> = weights
            .iter()
            .map(|LearnedWeight { sku, unit, units, at }| WeightEntry {
                sku: sku.clone(),
                grams: rounded(unit.value(), 2),
                catalogue_grams: catalogue(sku),
                units: *units,
                at: Moment(*at),
            })
            .map(|weight| {
                let earlier = before.and_then(|before| before.weight(&weight.sku));
                weight.beside(earlier)
            })
            .collect();
        let plates: Vec<PlateEntry> = noise
            .iter()
            .map(|PlateNoise { plate, sigma, quiet, at }| PlateEntry {
                plate: plate.to_string(),
                sigma_grams: rounded(sigma.value(), 3),
                quiet_secs: rounded(quiet.as_secs(), 0),
                at: Moment(*at),
            })
            .collect();
        let clock = clock.map(|LearnedClock { offset, sigma, events, at }| ClockEntry {
            people_behind_secs: rounded(offset.as_secs(), 3),
            sigma_secs: rounded(sigma.as_secs(), 3),
            changes: events,
            at: Moment(at),
        });
        let wrists = wrists.map(|LearnedWrists { near, metres, far, at }| WristEntry {
            metres: rounded(metres, 4),
            near_takes: rounded(near, 1),
            far_takes: rounded(far, 1),
            at: Moment(at),
            rests_on: cameras_of(shop),
        });
        let doors = (!doors.places.is_empty()).then(|| DoorEntries {
            open_secs: rounded(doors.open.as_secs(), 0).max(0.0),
            rests_on: floor_of(shop),
            places: doors.places.iter().map(DoorEntry::of).collect(),
        });
        let before = before.cloned().unwrap_or(Document {
            format: FORMAT,
            aisle: String::new(),
            shop: String::new(),
            written: Moment(at),
            clock: None,
            wrists: None,
            doors: None,
            weights: Vec::new(),
            plates: Vec::new(),
        });
        Document {
            format: FORMAT,
            aisle: AISLE.to_owned(),
            shop: shop.name().to_owned(),
            written: Moment(at),
            clock: clock.or(before.clock),
            wrists: wrists.or(before.wrists),
            doors: doors.or(before.doors),
            weights: merged(weights, before.weights, |weight| weight.sku.clone()),
            plates: merged(plates, before.plates, |plate| plate.plate.parse::<PlateId>().ok()),
        }
    }

    fn weight(&self, sku: &SkuId) -> Option<&WeightEntry> {
        self.weights.iter().find(|weight| weight.sku == *sku)
    }

    pub(super) fn knowledge(&self) -> Knowledge {
        let weight = |weight: &WeightEntry| LearnedWeight {
            sku: weight.sku.clone(),
            unit: Grams::new(weight.grams),
            units: weight.units,
            at: weight.at.0,
        };
        let plate = |plate: &PlateEntry| {
            Some(PlateNoise {
                plate: plate.plate.parse().ok()?,
                sigma: Grams::new(plate.sigma_grams),
                quiet: Span::from_secs(plate.quiet_secs),
                at: plate.at.0,
            })
        };
        let wrists = self.wrists.as_ref().map(|wrists| LearnedWrists {
            near: wrists.near_takes,
            metres: wrists.metres,
            far: wrists.far_takes,
            at: wrists.at.0,
        });
        let clock = self.clock.as_ref().map(|clock| LearnedClock {
            offset: Span::from_secs(clock.people_behind_secs),
            sigma: Span::from_secs(clock.sigma_secs),
            events: clock.changes,
            at: clock.at.0,
        });
        let doors = self.doors.as_ref().map(|doors| SeenDoors {
            places: doors.places.iter().map(DoorEntry::seen).collect(),
            open: Span::from_secs(doors.open_secs),
        });
        let believed = self.weights.iter().filter(|one| UNITS_MIN <= one.units || one.catalogue_grams.is_none());
        Knowledge {
            fusion: fusion::Learned { weights: believed.map(weight).collect(), wrists, clock },
            noise: self.plates.iter().filter_map(plate).collect(),
            doors: doors.unwrap_or_default(),
        }
    }
}

impl WeightEntry {
    /// One unit of today and one of an earlier day, of which the engine was not told, are two where they agree.
    fn beside(mut self, before: Option<&WeightEntry>) -> Self {
        let is_single = |weight: &WeightEntry| weight.units == 1 && weight.catalogue_grams.is_some();
        if let Some(before) = before.filter(|before| is_single(before) && is_single(&self) && before.at < self.at)
            && (before.grams - self.grams).abs() < AGREE_SHARE * self.grams + AGREE_GRAMS
        {
            (self.grams, self.units) = (rounded((self.grams + before.grams) / 2.0, 2), 2);
        }
        self
    }
}

impl DoorEntry {
    fn of(seen: &SeenPlace) -> Self {
        let SeenPlace { passage, place, count, at } = *seen;
        let (x_metres, y_metres) = (rounded(place.x, 2), rounded(place.y, 2));
        DoorEntry { passage, x_metres, y_metres, people: rounded(count, 1), at: Moment(at) }
    }

    fn seen(&self) -> SeenPlace {
        let place = Point::new(self.x_metres, self.y_metres, 0.0);
        SeenPlace { passage: self.passage, place, count: self.people, at: self.at.0 }
    }
}

/// The new entries, and those of before of which there is no new one, by name.
fn merged<T, K: Ord>(new: Vec<T>, before: Vec<T>, name: impl Fn(&T) -> K) -> Vec<T> {
    let mut all = new;
    let names: std::collections::BTreeSet<K> = all.iter().map(&name).collect();
    all.extend(before.into_iter().filter(|entry| !names.contains(&name(entry))));
    all.sort_by_key(|entry| name(entry));
    all
}

/// What doors rest on.
pub(super) fn floor_of(shop: &Shop) -> String {
    let ShopDraft { room, zones, cameras, .. } = shop.draft();
    digest_of(&(room, zones, cameras))
}

/// What wrists rest on.
pub(super) fn cameras_of(shop: &Shop) -> String {
    digest_of(&shop.draft().cameras)
}

/// The beginning of a digest, long enough to tell two states of a shop apart.
fn digest_of(part: &impl Serialize) -> String {
    // What a checked shop holds can be written as JSON.
    let text = serde_json::to_vec(part).unwrap_or_default();
    sha256(&text)[..16].to_owned()
}

/// For people to read.
fn rounded(value: f64, decimals: i32) -> f64 {
    let unit = 10f64.powi(decimals);
    (value * unit).round() / unit
}
