//! The documents of an AutoCheckout folder as they stand in its files. They are protocol buffers turned to JSON and put
//! through MongoDB: a zero may be left out, and numbers and times come plain or as extended JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::base::ShopTime;

/// A number, plain or as `{"$numberDouble": "1.5"}` and its kin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Number(pub(super) f64);

/// A time: Unix seconds, RFC 3339 text, or `{"$date": …}` around text or milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant(pub(super) ShopTime);

/// A code: text, or a whole number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Code(pub(super) String);

/// Base64 text, plain or as `{"$binary": …}`.
#[derive(Debug, Default)]
pub(super) struct Base64<'a>(pub(super) Cow<'a, str>);

#[derive(Debug, Deserialize)]
pub(super) struct PlateMessage<'a> {
    pub(super) timestamp: Option<Instant>,
    pub(super) date_time: Option<Instant>,
    #[serde(borrow)]
    pub(super) document: Option<PlateDocument<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PlateDocument<'a> {
    #[serde(borrow)]
    pub(super) plate_data: Option<PlateData<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PlateData<'a> {
    pub(super) plate_id: Option<PlateKey>,
    pub(super) freq_samp: Option<Number>,
    #[serde(borrow)]
    pub(super) values: Option<Values<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Values<'a> {
    #[serde(borrow, default)]
    pub(super) data: Base64<'a>,
    #[serde(default)]
    pub(super) shape: Vec<Number>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct PlateKey {
    pub(super) shelf_id: ShelfKey,
    pub(super) plate_index: Number,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct ShelfKey {
    pub(super) gondola_id: GondolaKey,
    pub(super) shelf_index: Number,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct GondolaKey {
    pub(super) id: Number,
}

#[derive(Debug, Deserialize)]
pub(super) struct TargetMessage {
    pub(super) timestamp: Option<Instant>,
    pub(super) date_time: Option<Instant>,
    pub(super) document: Option<TargetDocument>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TargetDocument {
    pub(super) targets: Option<TargetList>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TargetList {
    pub(super) targets: Option<Vec<Target>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Target {
    pub(super) target_id: Option<CodeKey>,
    pub(super) head: Option<JointWire>,
    pub(super) neck: Option<JointWire>,
    pub(super) l_shoulder: Option<JointWire>,
    pub(super) r_shoulder: Option<JointWire>,
    pub(super) l_elbow: Option<JointWire>,
    pub(super) r_elbow: Option<JointWire>,
    pub(super) l_wrist: Option<JointWire>,
    pub(super) r_wrist: Option<JointWire>,
    pub(super) hands: Option<Vec<JointWire>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct CodeKey {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Code>,
}

/// A product, with the type of its barcode where somebody says it.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct ProductKey {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) barcode_type: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Code>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct JointWire {
    pub(super) point: Option<Triple>,
    pub(super) score: Option<Number>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Triple {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) x: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) y: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) z: Option<Number>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct FacingWire {
    #[serde(default)]
    pub(super) plate_ids: Vec<PlateKey>,
    pub(super) planogram_product_id: Option<CodeKey>,
    pub(super) global_coordinates: Option<Coordinates>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Coordinates {
    pub(super) transform: Transform,
    pub(super) dim_x: Number,
    pub(super) dim_y: Number,
    pub(super) dim_z: Number,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Transform {
    pub(super) translation: Triple,
    pub(super) rotation: Triple,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ProductWire {
    pub(super) product_id: Option<ProductKey>,
    #[serde(default)]
    pub(super) metadata: ProductData,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct ProductData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<Number>,
}

impl Triple {
    /// The coordinates where there is any; one that is left out is 0.
    pub(super) fn coordinates(&self) -> Option<[f64; 3]> {
        let seen = [self.x, self.y, self.z];
        seen.iter().any(Option::is_some).then(|| seen.map(|number| number.unwrap_or_default().0))
    }
}

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.fract() == 0.0 && self.0.abs() < 1e15 {
            true => serializer.serialize_i64(self.0 as i64),
            false => serializer.serialize_f64(self.0),
        }
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Any of the ways a scalar is written.
enum Scalar<'a> {
    Number(f64),
    Whole(i128),
    Text(Cow<'a, str>),
    Date(Box<Scalar<'a>>),
}

impl Scalar<'_> {
    fn number(&self) -> Option<f64> {
        match self {
            Scalar::Number(number) => Some(*number),
            Scalar::Whole(whole) => Some(*whole as f64),
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Date(_) => None,
        }
    }

    fn time(&self) -> Option<ShopTime> {
        match self {
            Scalar::Date(inner) => match (&**inner, inner.number()) {
                (_, Some(millis)) => ShopTime::from_unix_secs(millis / 1e3),
                (inner, None) => inner.time(),
            },
            Scalar::Text(text) if self.number().is_none() => {
                let nanos = text.trim().parse::<jiff::Timestamp>().ok()?.as_nanosecond();
                i64::try_from(nanos).ok().map(ShopTime::from_nanos)
            }
            scalar => ShopTime::from_unix_secs(scalar.number()?),
        }
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text or an object such as {\"$numberDouble\": \"1.5\"} or {\"$date\": \"…\"}")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Whole(i128::from(number)))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Whole(i128::from(number)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "$date" => found = Some(Scalar::Date(Box::new(map.next_value()?))),
                "$numberDouble" | "$numberLong" | "$numberInt" | "$numberDecimal" | "$binary" | "base64" => {
                    found = Some(map.next_value()?);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        found.ok_or_else(|| de::Error::custom("an object without $date, $numberDouble, $numberLong or $numberInt"))
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Scalar::deserialize(deserializer)?.number();
        number.map(Number).ok_or_else(|| de::Error::custom("this is not a number"))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let time = Scalar::deserialize(deserializer)?.time();
        time.map(Instant).ok_or_else(|| de::Error::custom("this is not a time: Unix seconds or RFC 3339 text"))
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => Ok(Code(text.into_owned())),
            Scalar::Whole(whole) => Ok(Code(whole.to_string())),
            Scalar::Number(_) => Err(de::Error::custom(
                "a code of a number that is not whole, or has more than 64 bits: write it as text, in quotes",
            )),
            Scalar::Date(_) => Err(de::Error::custom("this is not a code: text or a whole number")),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Base64<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => Ok(Base64(text)),
            _ => Err(de::Error::custom("this is not base64 text")),
        }
    }
}
