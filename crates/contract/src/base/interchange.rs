//! How times, spans and money are written for programs outside, such as those that call the HTTP API: RFC 3339, ISO 8601 and
//! amounts that say their exponent. It takes any value and writes it as JSON does, with these changed wherever they stand in
//! it. Facts, recordings and books keep their own numbers and never pass here.

use std::fmt::Display;

use jiff::SignedDuration;
use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Value, json};

use super::{Currency, ShopTime};

/// Decimals of a second in a time.
const DECIMALS: usize = 3;
/// Decimals of a second where a digest is made of the time, or a place in a list is.
pub const DECIMALS_EXACT: usize = 9;
/// The struct whose times must be exact: the digests of the ledger are made of them.
const EXACT: &str = "Transfer";

/// A value as programs outside get it. Times have three decimals of a second, those of transfers nine.
pub struct Interchange<T>(pub T);

/// What the description of such a value says where its own type says something else; `None` where it does not.
pub fn described(name: &str) -> Option<Value> {
    match name {
        "ShopTime" => Some(json!({
            "description": "A time: RFC 3339 in UTC, to the millisecond; of a transfer to the nanosecond, which its digest is \
                            made of.",
            "type": "string",
            "format": "date-time",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}([0-9]{6})?Z$",
        })),
        "Span" => Some(json!({
            "description": "How long: an ISO 8601 duration.",
            "type": "string",
            "format": "duration",
            "pattern": "^-?PT",
        })),
        "Money" => Some(json!({
            "description": "An amount of one currency: `minor` divided by ten to the power of `exponent`.",
            "type": "object",
            "properties": {
                "minor": { "description": "How many minor units (cents, fen).", "type": "integer", "format": "int64" },
                "currency": { "description": "Of which currency, ISO 4217.", "$ref": "#/components/schemas/Currency" },
                "exponent": {
                    "description": "Digits of the minor unit behind the decimal point, as ISO 4217 has them for the currency.",
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 4,
                },
            },
            "required": ["minor", "currency", "exponent"],
        })),
        _ => None,
    }
}

impl<T: Serialize> Serialize for Interchange<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Within { value: &self.0, exact: false }.serialize(serializer)
    }
}

/// A value within another one.
struct Within<'a, T: ?Sized> {
    value: &'a T,
    exact: bool,
}

impl<T: Serialize + ?Sized> Serialize for Within<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Writer { inner: serializer, exact: self.exact })
    }
}

/// Writes a value, looking at the names of types on the way.
struct Writer<S> {
    inner: S,
    exact: bool,
}

/// The parts of a value, on the way.
struct Parts<P> {
    inner: P,
    exact: bool,
    /// Of an amount: what its currency is, once that was said.
    money: Option<Option<Currency>>,
}

impl<P> Parts<P> {
    fn of(inner: P, exact: bool) -> Self {
        Parts { inner, exact, money: None }
    }
}

/// What a value of one number is.
fn number<T: Serialize + ?Sized, E: serde::ser::Error>(value: &T) -> Result<i64, E> {
    let written = serde_json::to_value(value).map_err(E::custom)?;
    written.as_i64().ok_or_else(|| E::custom("a time is not a whole number"))
}

/// Methods that hand a plain value on as it is.
macro_rules! plain {
    ($($method:ident: $kind:ty),*) => {$(
        fn $method(self, value: $kind) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )*};
}

impl<S: Serializer> Serializer for Writer<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<S::SerializeSeq>;
    type SerializeTuple = Parts<S::SerializeTuple>;
    type SerializeTupleStruct = Parts<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<S::SerializeTupleVariant>;
    type SerializeMap = Parts<S::SerializeMap>;
    type SerializeStruct = Parts<S::SerializeStruct>;
    type SerializeStructVariant = Parts<S::SerializeStructVariant>;

    plain!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_f32: f32, serialize_f64: f64, serialize_char: char, serialize_str: &str,
        serialize_bytes: &[u8], serialize_unit_struct: &'static str
    );

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Within { value, exact: self.exact })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        match name {
            "ShopTime" => {
                let decimals = if self.exact { DECIMALS_EXACT } else { DECIMALS };
                self.inner.collect_str(&ShopTime::from_nanos(number(value)?).rfc3339(decimals))
            }
            "Span" => self.inner.collect_str(&SignedDuration::from_nanos(number(value)?)),
            _ => self.inner.serialize_newtype_struct(name, &Within { value, exact: self.exact }),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_variant(name, index, variant, &Within { value, exact: self.exact })
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(Parts::of(self.inner.serialize_seq(len)?, self.exact))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        Ok(Parts::of(self.inner.serialize_tuple(len)?, self.exact))
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        Ok(Parts::of(self.inner.serialize_tuple_struct(name, len)?, self.exact))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        Ok(Parts::of(self.inner.serialize_tuple_variant(name, index, variant, len)?, self.exact))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Parts::of(self.inner.serialize_map(len)?, self.exact))
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let is_money = name == "Money";
        let inner = self.inner.serialize_struct(name, len + usize::from(is_money))?;
        Ok(Parts { inner, exact: self.exact || name == EXACT, money: is_money.then_some(None) })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        Ok(Parts::of(self.inner.serialize_struct_variant(name, index, variant, len)?, self.exact))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

impl<P: SerializeStruct> SerializeStruct for Parts<P> {
    type Ok = P::Ok;
    type Error = P::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), P::Error> {
        if let Some(currency) = &mut self.money
            && key == "currency"
        {
            let code = serde_json::to_value(value).map_err(P::Error::custom)?;
            *currency = Some(serde_json::from_value(code).map_err(P::Error::custom)?);
        }
        self.inner.serialize_field(key, &Within { value, exact: self.exact })
    }

    fn end(mut self) -> Result<P::Ok, P::Error> {
        if let Some(currency) = self.money {
            let currency = currency.ok_or_else(|| P::Error::custom("an amount does not say its currency"))?;
            self.inner.serialize_field("exponent", &currency.decimals())?;
        }
        self.inner.end()
    }
}

/// The parts of what has no names that matter.
macro_rules! parts {
    ($($kind:ident: $method:ident($($key:ident)?)),*) => {$(
        impl<P: $kind> $kind for Parts<P> {
            type Ok = P::Ok;
            type Error = P::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? value: &T) -> Result<(), P::Error> {
                self.inner.$method($($key,)? &Within { value, exact: self.exact })
            }

            fn end(self) -> Result<P::Ok, P::Error> {
                self.inner.end()
            }
        }
    )*};
}

parts!(
    SerializeSeq: serialize_element(),
    SerializeTuple: serialize_element(),
    SerializeTupleStruct: serialize_field(),
    SerializeTupleVariant: serialize_field(),
    SerializeStructVariant: serialize_field(key)
);

impl<P: SerializeMap> SerializeMap for Parts<P> {
    type Ok = P::Ok;
    type Error = P::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), P::Error> {
        self.inner.serialize_key(&Within { value: key, exact: self.exact })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), P::Error> {
        self.inner.serialize_value(&Within { value, exact: self.exact })
    }

    fn end(self) -> Result<P::Ok, P::Error> {
        self.inner.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;
    use serde_json::json;

    use super::super::{Money, ShopTime, Span, TimeRange};
    use super::Interchange;

    const AT: ShopTime = ShopTime::from_nanos(1_796_025_600_123_456_789);

    /// Every way in which a value can stand in another one.
    #[derive(Serialize)]
    struct Everything {
        at: ShopTime,
        never: Option<ShopTime>,
        range: TimeRange,
        pair: (Span, u8),
        #[serde(flatten)]
        act: Act,
        more: BTreeMap<&'static str, Vec<Act>>,
        named: Named,
        row: Transfer,
    }

    #[derive(Serialize)]
    #[serde(tag = "act", rename_all = "snake_case")]
    enum Act {
        Paid { amount: Option<Money> },
        Left(Left),
        Nothing,
    }

    #[derive(Serialize)]
    struct Left {
        at: ShopTime,
    }

    #[derive(Serialize)]
    enum Named {
        At(ShopTime),
        Both(ShopTime, Money),
    }

    #[derive(Serialize)]
    struct Transfer {
        at: ShopTime,
        within: Vec<Named>,
    }

    #[test]
    fn times_and_money_are_told_wherever_they_stand() {
        let amount = |minor, code: &str| Money::new(minor, code.parse().unwrap());
        let everything = Everything {
            at: AT,
            never: None,
            range: TimeRange::new(AT, ShopTime::from_nanos(0)),
            pair: (Span::from_millis(-1_500), 7),
            act: Act::Paid { amount: Some(amount(-149, "USD")) },
            more: [("a", vec![Act::Left(Left { at: AT }), Act::Paid { amount: None }, Act::Nothing])].into(),
            named: Named::Both(AT, amount(3, "JPY")),
            row: Transfer {
                at: AT,
                within: vec![Named::At(ShopTime::from_nanos(0)), Named::Both(AT, amount(5, "KWD"))],
            },
        };
        let (short, exact) = ("2026-11-30T08:00:00.123Z", "2026-11-30T08:00:00.123456789Z");
        assert_eq!(
            serde_json::to_value(Interchange(&everything)).unwrap(),
            json!({
                "at": short,
                "never": null,
                "range": { "start": "1970-01-01T00:00:00.000Z", "end": short },
                "pair": ["-PT1.5S", 7],
                "act": "paid",
                "amount": { "minor": -149, "currency": "USD", "exponent": 2 },
                "more": { "a": [{ "act": "left", "at": short }, { "act": "paid", "amount": null }, { "act": "nothing" }] },
                "named": { "Both": [short, { "minor": 3, "currency": "JPY", "exponent": 0 }] },
                "row": {
                    "at": exact,
                    "within": [
                        { "At": "1970-01-01T00:00:00.000000000Z" },
                        { "Both": [exact, { "minor": 5, "currency": "KWD", "exponent": 3 }] },
                    ],
                },
            })
        );
    }

    #[test]
    fn by_themselves_they_are_what_recordings_hold() {
        let kept = json!({ "at": AT, "span": Span::from_millis(1), "amount": Money::new(1, super::Currency::USD) });
        let numbers = json!({ "at": 1_796_025_600_123_456_789_i64, "span": 1_000_000,
            "amount": { "minor": 1, "currency": "USD" } });
        assert_eq!(kept, numbers);
        assert_eq!(serde_json::from_value::<ShopTime>(numbers["at"].clone()).unwrap(), AT);
    }

    #[test]
    fn the_ends_of_the_axis_are_told() {
        let ends = serde_json::to_value(Interchange([ShopTime::MIN, ShopTime::MAX])).unwrap();
        assert_eq!(ends, json!(["1677-09-21T00:12:43.145Z", "2262-04-11T23:47:16.854Z"]));
    }
}
