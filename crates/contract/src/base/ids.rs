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
/// zero, or give names; each goes out as it came in. Written as text in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(Name);

/// Numbers in their order, then names in that of their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
    Below(i64),
    Number(u64),
    /// Zeros behind the end.
    Text([u8; TRACK_LETTERS_MAX]),
}

/// Letters of a track that is no number: those of a UUID.
const TRACK_LETTERS_MAX: usize = 36;

/// One stay of one shopper: named after the first track the shopper was seen as. Written as text in JSON.
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
        TrackId(Name::Number(number))
    }

    /// From the number of a tracker that counts below zero too.
    pub const fn signed(number: i64) -> Self {
        TrackId(if number < 0 { Name::Below(number) } else { Name::Number(number as u64) })
    }

    /// 64 bits of it, for colours and counters: the number itself, or what a number below zero or a name may share with
    /// another one.
    pub fn number(self) -> u64 {
        match self.0 {
            Name::Below(number) => number as u64,
            Name::Number(number) => number,
            Name::Text(letters) => {
                letters.iter().fold(0, |number: u64, letter| number.rotate_left(7) ^ u64::from(*letter))
            }
        }
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
    pub fn number(self) -> u64 {
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
        match &self.0 {
            Name::Below(number) => number.fmt(f),
            Name::Number(number) => number.fmt(f),
            Name::Text(letters) => {
                let length = letters.iter().position(|letter| *letter == 0).unwrap_or(letters.len());
                f.pad(std::str::from_utf8(&letters[..length]).unwrap_or_default())
            }
        }
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

    /// A number in its one spelling; every other text is a name, so that nothing goes out in another way than it came in.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse::<u64>().map(TrackId::new).ok().or_else(|| text.parse().map(TrackId::signed).ok());
        if let Some(track) = number.filter(|track| track.to_string() == text) {
            return Ok(track);
        }
        if !(1..=TRACK_LETTERS_MAX).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let shown = plain(text);
            let form = format!("1 to {TRACK_LETTERS_MAX} letters, digits and signs of ASCII, without spaces");
            return Err(format!("`{shown}` is not a track: {form}"));
        }
        let mut letters = [0; TRACK_LETTERS_MAX];
        letters[..text.len()].copy_from_slice(text.as_bytes());
        Ok(TrackId(Name::Text(letters)))
    }
}

impl FromStr for VisitId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(VisitId).map_err(|reason: String| reason.replacen("is not a track", "is not a visit", 1))
    }
}

/// A track where no person reads: as few bytes as it needs.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Packed {
    Number(u64),
    Below(i64),
    Text(String),
}

impl From<TrackId> for Packed {
    fn from(track: TrackId) -> Self {
        match track.0 {
            Name::Below(number) => Packed::Below(number),
            Name::Number(number) => Packed::Number(number),
            Name::Text(_) => Packed::Text(track.to_string()),
        }
    }
}

impl TryFrom<Packed> for TrackId {
    type Error = String;

    fn try_from(packed: Packed) -> Result<Self, String> {
        match packed {
            Packed::Number(number) => Ok(TrackId::new(number)),
            Packed::Below(number) => Ok(TrackId::signed(number)),
            Packed::Text(text) => text.parse(),
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
                let from: fn($numbers) -> Result<$id, String> = $from;
                from(<$numbers>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
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
    ShelfId: "^[0-9]+-[0-9]+$", (u16, u16), |id| (id.gondola, id.shelf), |(gondola, shelf)| Ok(ShelfId { gondola, shelf });
    PlateId: "^[0-9]+-[0-9]+-[0-9]+$", (ShelfId, u16), |id| (id.shelf, id.plate), |(shelf, plate)| Ok(PlateId { shelf, plate });
    TrackId: "^[!-~]{1,36}$", Packed, |id| (*id).into(), TrackId::try_from;
    VisitId: "^[!-~]{1,36}$", Packed, |id| id.0.into(), |packed| TrackId::try_from(packed).map(VisitId);
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_tracker_has_one_spelling_and_no_double() {
        let uuid = "0198f2c4-a1b2-73d4-e5f6-0718293a4b5c";
        let numbers = ["-9223372036854775808", "-1", "0", "1", "9223372036854775808", "18446744073709551615"];
        let ends = [&numbers[..], &["+1", "-0", uuid, "007", "18446744073709551616", "1e3", "a-9"]].concat();
        let tracks: Vec<TrackId> = ends.iter().map(|text| text.parse().unwrap()).collect();
        assert!(
            tracks[..7].is_sorted() && tracks.iter().collect::<std::collections::BTreeSet<_>>().len() == ends.len()
        );
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
        for wrong in ["", "1 ", "a b", "a\u{1b}", "é", &"x".repeat(37)] {
            assert!(wrong.parse::<TrackId>().is_err(), "{wrong}");
        }
    }
}
