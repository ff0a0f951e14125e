//! Names of things. Dense or composite ids are small and `Copy`; names people read are shared text.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::plain;

/// One shelf board of one gondola, written `gondola-shelf`; both count from 1, shelf 1 is the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShelfId {
    /// The gondola (free-standing unit) number.
    pub gondola: u16,
    /// The board of that gondola, from the floor up.
    pub shelf: u16,
}

/// One weight plate, written `gondola-shelf-plate`; plates count from 1, from left to right seen from the shopper's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlateId {
    /// The board it lies on.
    pub shelf: ShelfId,
    /// The plate on that board.
    pub plate: u16,
}

/// A person as one tracker names them; a person may go through several. Trackers count with 64 bits, some of them below
/// zero: any number from -2^63 to 2^64 - 1. Written as decimal text in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(i128);

/// One stay of one shopper: named after the first track the shopper was seen as. Written as decimal text in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VisitId(TrackId);

/// A product as the shop's catalogue names it: a GTIN where it has one, else the shop's own code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SkuId(Arc<str>);

/// Who made a fact: a device, a service or a stage, such as `gondola/1` or `people`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SourceId(Arc<str>);

/// A camera as the shop names it, such as `entrance`: unique in the shop, part of channel names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CameraId(Arc<str>);

impl ShelfId {
    /// Names a board.
    pub const fn new(gondola: u16, shelf: u16) -> Self {
        ShelfId { gondola, shelf }
    }
}

impl PlateId {
    /// Names a plate.
    pub const fn new(gondola: u16, shelf: u16, plate: u16) -> Self {
        PlateId { shelf: ShelfId { gondola, shelf }, plate }
    }
}

impl TrackId {
    /// From the number the tracker gave.
    pub const fn new(number: u64) -> Self {
        // Every number of 64 bits fits.
        TrackId(number as i128)
    }

    /// From the number of a tracker that counts below zero too.
    pub const fn signed(number: i64) -> Self {
        TrackId(number as i128)
    }

    /// The last 64 bits of the number, for colours and counters: a number below zero shares them with one above.
    pub const fn number(self) -> u64 {
        self.0 as u64
    }
}

impl VisitId {
    /// The visit that begins with this track.
    pub const fn from_first_track(track: TrackId) -> Self {
        VisitId(track)
    }

    /// The visit's first track.
    pub const fn first_track(self) -> TrackId {
        self.0
    }

    /// As [`TrackId::number`] of the visit's first track.
    pub const fn number(self) -> u64 {
        self.0.number()
    }
}

impl SkuId {
    /// Names a product.
    pub fn new(code: &str) -> Self {
        SkuId(code.into())
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SourceId {
    /// Names a source.
    pub fn new(name: &str) -> Self {
        SourceId(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CameraId {
    /// Names a camera.
    pub fn new(name: &str) -> Self {
        CameraId(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CameraId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for ShelfId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.gondola, self.shelf)
    }
}

impl fmt::Display for PlateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.shelf, self.plate)
    }
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for VisitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SkuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ShelfId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a shelf: write gondola-shelf, such as 1-5");
        let (gondola, shelf) = text.split_once('-').ok_or_else(wrong)?;
        Ok(ShelfId { gondola: gondola.parse().map_err(|_| wrong())?, shelf: shelf.parse().map_err(|_| wrong())? })
    }
}

impl FromStr for PlateId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a plate: write gondola-shelf-plate, such as 1-5-11");
        let (shelf, plate) = text.rsplit_once('-').ok_or_else(wrong)?;
        Ok(PlateId { shelf: shelf.parse().map_err(|_| wrong())?, plate: plate.parse().map_err(|_| wrong())? })
    }
}

impl FromStr for TrackId {
    type Err = String;

    /// Only in the one way in which it is written again, so that a number has one spelling.
    fn from_str(text: &str) -> Result<Self, String> {
        let shown = plain(text);
        let number: i128 = text.parse().map_err(|_| format!("`{shown}` is not a track: {TRACK_FORM}"))?;
        if !(i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number) {
            return Err(format!("`{shown}` is not a track: {TRACK_FORM}"));
        }
        match number.to_string() == text {
            true => Ok(TrackId(number)),
            false => Err(format!("`{shown}` is not a track: write {number}, without a plus or leading zeros")),
        }
    }
}

impl FromStr for VisitId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(VisitId).map_err(|reason: String| reason.replacen("is not a track", "is not a visit", 1))
    }
}

/// What a track may be called.
const TRACK_FORM: &str = "a whole number from -2^63 to 2^64 - 1";

/// A number of a tracker where no person reads: as few bytes as it needs.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Bits {
    Unsigned(u64),
    Signed(i64),
}

impl From<TrackId> for Bits {
    fn from(track: TrackId) -> Self {
        // A track that does not fit the one fits the other.
        u64::try_from(track.0).map_or(Bits::Signed(track.0 as i64), Bits::Unsigned)
    }
}

impl From<Bits> for TrackId {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::Unsigned(number) => TrackId::new(number),
            Bits::Signed(number) => TrackId::signed(number),
        }
    }
}

/// Ids that JSON carries as text: numbers above 2^53 do not survive every reader, and composites read better joined.
/// Where no person reads, they are their numbers.
macro_rules! as_text {
    ($($id:ident: $pattern:literal, $numbers:ty, $to:expr, $from:expr;)*) => {$(
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    return serializer.collect_str(self);
                }
                let numbers: fn(&$id) -> $numbers = $to;
                numbers(self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                    return text.parse().map_err(serde::de::Error::custom);
                }
                <$numbers>::deserialize(deserializer).map($from)
            }
        }

        impl JsonSchema for $id {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($id).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )*};
}

as_text!(
    ShelfId: "^[0-9]+-[0-9]+$", (u16, u16), |id| (id.gondola, id.shelf), |(gondola, shelf)| ShelfId { gondola, shelf };
    PlateId: "^[0-9]+-[0-9]+-[0-9]+$", (ShelfId, u16), |id| (id.shelf, id.plate), |(shelf, plate)| PlateId { shelf, plate };
    TrackId: "^(0|-?[1-9][0-9]*)$", Bits, |id| (*id).into(), TrackId::from;
    VisitId: "^(0|-?[1-9][0-9]*)$", Bits, |id| id.0.into(), |bits| VisitId(bits.into());
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_tracker_has_one_spelling_and_no_double() {
        let ends = ["-9223372036854775808", "-1", "0", "1", "9223372036854775808", "18446744073709551615"];
        let tracks: Vec<TrackId> = ends.iter().map(|text| text.parse().unwrap()).collect();
        assert!(tracks.is_sorted() && tracks.windows(2).all(|pair| pair[0] != pair[1]));
        for (text, track) in ends.iter().zip(&tracks) {
            let visit = VisitId::from_first_track(*track);
            assert_eq!((track.to_string().as_str(), visit.to_string().as_str()), (*text, *text));
            assert_eq!(serde_json::to_string(track).unwrap(), format!("\"{text}\""));
            let packed = rmp_serde::to_vec(&(track, visit)).unwrap();
            assert_eq!(rmp_serde::from_slice::<(TrackId, VisitId)>(&packed).unwrap(), (*track, visit));
        }
        // Checkpoints of earlier versions hold unsigned numbers.
        let packed = rmp_serde::to_vec(&u64::MAX).unwrap();
        assert_eq!(rmp_serde::from_slice::<VisitId>(&packed).unwrap().to_string(), ends[5]);
        for wrong in ["", "-", "+1", "01", "-0", "1 ", "1e3", "18446744073709551616", "-9223372036854775809"] {
            assert!(wrong.parse::<TrackId>().is_err(), "{wrong}");
        }
    }
}
