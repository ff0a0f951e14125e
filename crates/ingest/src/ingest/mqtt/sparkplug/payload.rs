//! The payload of Sparkplug B messages, as far as weights need it: numbers of fields and of types are those of the
//! specification (version 3.0, chapter 6). It takes and gives bytes; fields that it does not know are passed over.

use prost::{Message, Oneof};

/// Types of metrics that are signed and stand in an unsigned field.
const INT_8: u32 = 1;
const INT_16: u32 = 2;
const INT_32: u32 = 3;
const INT_64: u32 = 4;
/// The type of truth values.
const BOOLEAN: u32 = 11;
/// The metric by which a node is asked to begin anew.
const REBIRTH: &str = "Node Control/Rebirth";
/// The metric that says which connection of a node a birth and a death belong to.
const BD_SEQ: &str = "bdSeq";
/// The property that says how good a value is, and the number for good.
const QUALITY: &str = "Quality";
const GOOD: u32 = 192;

/// A payload.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Payload {
    /// Milliseconds since the Unix epoch.
    #[prost(uint64, optional, tag = "1")]
    pub(super) timestamp: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    pub(super) metrics: Vec<Metric>,
    /// Number of the message within its node, 0 to 255.
    #[prost(uint64, optional, tag = "3")]
    pub(super) seq: Option<u64>,
}

/// A metric.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Metric {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    /// Stands for the name once a birth said both.
    #[prost(uint64, optional, tag = "2")]
    pub(super) alias: Option<u64>,
    /// Milliseconds since the Unix epoch.
    #[prost(uint64, optional, tag = "3")]
    pub(super) timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    pub(super) datatype: Option<u32>,
    #[prost(bool, optional, tag = "5")]
    pub(super) is_historical: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    pub(super) is_null: Option<bool>,
    #[prost(message, optional, tag = "9")]
    pub(super) properties: Option<Properties>,
    #[prost(oneof = "Value", tags = "10, 11, 12, 13, 14, 15")]
    pub(super) value: Option<Value>,
}

/// What a metric reads.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Value {
    #[prost(uint32, tag = "10")]
    Int(u32),
    #[prost(uint64, tag = "11")]
    Long(u64),
    #[prost(float, tag = "12")]
    Float(f32),
    #[prost(double, tag = "13")]
    Double(f64),
    #[prost(bool, tag = "14")]
    Boolean(bool),
    #[prost(string, tag = "15")]
    Text(String),
}

/// Properties of a metric: names, and as many values.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Properties {
    #[prost(string, repeated, tag = "1")]
    keys: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    values: Vec<Property>,
}

/// A property, where it is a whole number.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Property {
    #[prost(uint32, optional, tag = "3")]
    int: Option<u32>,
}

impl Payload {
    /// The payload that asks a node for its births.
    pub(super) fn rebirth(now_millis: u64) -> Vec<u8> {
        let metric = Metric {
            name: Some(REBIRTH.to_owned()),
            timestamp: Some(now_millis),
            datatype: Some(BOOLEAN),
            value: Some(Value::Boolean(true)),
            ..Metric::default()
        };
        Payload { timestamp: Some(now_millis), metrics: vec![metric], seq: None }.encode_to_vec()
    }

    /// Which connection of the node it belongs to.
    pub(super) fn bd_seq(&self) -> Option<u64> {
        let metric = self.metrics.iter().find(|metric| metric.name.as_deref() == Some(BD_SEQ))?;
        match metric.value {
            Some(Value::Long(number)) => Some(number),
            Some(Value::Int(number)) => Some(u64::from(number)),
            _ => None,
        }
    }
}

impl Metric {
    /// The reading as a number: none where it says that there is none, or is of a kind that is no number. `datatype` is what the
    /// birth said.
    pub(super) fn number(&self, datatype: Option<u32>) -> Option<f64> {
        if self.is_null == Some(true) || !self.is_good() {
            return None;
        }
        let number = match (self.value.as_ref()?, self.datatype.or(datatype)) {
            (Value::Int(bits), Some(INT_8)) => f64::from(*bits as u8 as i8),
            (Value::Int(bits), Some(INT_16)) => f64::from(*bits as u16 as i16),
            (Value::Int(bits), Some(INT_32)) => f64::from(*bits as i32),
            (Value::Int(bits), _) => f64::from(*bits),
            (Value::Long(bits), Some(INT_64 | INT_32)) => *bits as i64 as f64,
            (Value::Long(bits), _) => *bits as f64,
            (Value::Float(number), _) => f64::from(*number),
            (Value::Double(number), _) => *number,
            (Value::Boolean(_) | Value::Text(_), _) => return None,
        };
        number.is_finite().then_some(number)
    }

    fn is_good(&self) -> bool {
        let Some(properties) = &self.properties else { return true };
        let quality = properties.keys.iter().zip(&properties.values).find(|(key, _)| *key == QUALITY);
        quality.and_then(|(_, value)| value.int).is_none_or(|quality| quality == GOOD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn payloads_are_as_the_specification_numbers_them() {
        let death = bytes("0880d095ffbc3112120a0562645365711880d095ffbc3120045807");
        let death = Payload::decode(death.as_slice()).unwrap();
        assert_eq!((death.timestamp, death.bd_seq(), death.seq), (Some(1_700_000_000_000), Some(7), None));
        let rebirth = bytes("0880d095ffbc3112210a144e6f646520436f6e74726f6c2f526562697274681880d095ffbc31200b7001");
        let ours = Payload::decode(Payload::rebirth(1_700_000_000_000).as_slice()).unwrap();
        assert_eq!(ours, Payload::decode(rebirth.as_slice()).unwrap());
    }

    #[test]
    fn a_number_is_read_by_its_type() {
        let cases = [
            (Value::Int(0xff), Some(INT_8), Some(-1.0)),
            (Value::Int(0xffff_ffff), Some(INT_8), Some(-1.0)),
            (Value::Int(0xfffe), Some(INT_16), Some(-2.0)),
            (Value::Int(0xffff_fffd), Some(INT_32), Some(-3.0)),
            (Value::Int(0xffff_fffd), Some(7), Some(4_294_967_293.0)),
            (Value::Long(u64::MAX), Some(INT_64), Some(-1.0)),
            (Value::Long(9), Some(7), Some(9.0)),
            (Value::Float(f32::NAN), Some(9), None),
            (Value::Double(2.5), None, Some(2.5)),
            (Value::Boolean(true), Some(BOOLEAN), None),
            (Value::Text("1".to_owned()), Some(12), None),
        ];
        for (value, datatype, expected) in cases {
            let metric = Metric { value: Some(value.clone()), ..Metric::default() };
            assert_eq!(metric.number(datatype), expected, "{value:?} of type {datatype:?}");
        }
        let null = Metric { is_null: Some(true), value: Some(Value::Double(1.0)), ..Metric::default() };
        assert_eq!(null.number(None), None);
        let stale = Properties { keys: vec![QUALITY.to_owned()], values: vec![Property { int: Some(500) }] };
        let stale = Metric { properties: Some(stale), value: Some(Value::Double(1.0)), ..Metric::default() };
        assert_eq!(stale.number(None), None);
    }
}
