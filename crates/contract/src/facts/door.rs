//! What switches at doors and readers of RFID tags say. They are facts as they are; no stage concludes anything from them yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::limits::{NAME_LETTERS_MAX, TAG_READS_MAX};
use crate::base::text;

/// Hexadecimal digits of one word of a tag's memory.
const WORD_DIGITS: usize = 4;
/// Words of the longest code: the length in a tag's protocol control word has five bits.
const EPC_WORDS_MAX: usize = 31;

crate::named_enum! {
    /// How a door is.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum DoorState as "state of a door" {
        /// Somebody or something can get through.
        Open = "open",
        /// Nobody can, before it is opened.
        Closed = "closed",
    }
}

/// A switch at a door says how the door is. A ground fact: when it changes, and from time to time meanwhile if the switch does so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoorSwitch {
    /// The door, as the shop calls it: of a room, a cabinet, a cooler.
    pub door: String,
    /// How it is.
    pub state: DoorState,
}

/// The tags that one reader of RFID has read, such as in one round of its antennas. A ground fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagReads {
    /// The reader, as the shop calls it.
    pub reader: String,
    /// What was read, as the reader gives it; a tag stands here once for each antenna, or oftener.
    pub reads: Vec<TagRead>,
}

/// One tag at one antenna.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagRead {
    /// The Electronic Product Code, in the binary coding of the GS1 EPC Tag Data Standard, as hexadecimal digits: whole words of
    /// 16 bits, at most 31, such as 24 digits of an SGTIN-96.
    pub epc: String,
    /// Which antenna of the reader; readers count them from 1.
    pub antenna: u16,
    /// How strong the tag's answer was, dBm, where the reader says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rssi_dbm: Option<f64>,
}

impl DoorSwitch {
    /// What of it means nothing.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn flaw(&self) -> Result<(), String> {
        name("door", &self.door)
    }
}

impl TagReads {
    /// What of it means nothing.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn flaw(&self) -> Result<(), String> {
        name("reader", &self.reader)?;
        if TAG_READS_MAX < self.reads.len() {
            return Err(format!("{} reads of tags; at most {TAG_READS_MAX} may be in one fact", self.reads.len()));
        }
        for (number, TagRead { epc, rssi_dbm, .. }) in self.reads.iter().enumerate() {
            let digits = epc.len();
            let is_whole = 0 < digits && digits.is_multiple_of(WORD_DIGITS) && digits <= EPC_WORDS_MAX * WORD_DIGITS;
            if !is_whole || !epc.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                let number = number + 1;
                return Err(format!(
                    "`epc` of read {number} is no code: write whole words of {WORD_DIGITS} hexadecimal digits, at most \
                     {EPC_WORDS_MAX} of them"
                ));
            }
            if rssi_dbm.is_some_and(|rssi| !rssi.is_finite()) {
                return Err(format!("`rssi_dbm` of read {} is no finite number", number + 1));
            }
        }
        Ok(())
    }
}

fn name(what: &str, name: &str) -> Result<(), String> {
    match text::flaw(name, NAME_LETTERS_MAX) {
        None if name.is_empty() => Err(format!("the {what} has no name")),
        None => Ok(()),
        Some(flaw) => Err(format!("the name of the {what} {flaw}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(epc: &str) -> TagReads {
        let read = TagRead { epc: epc.to_owned(), antenna: 1, rssi_dbm: Some(-61.5) };
        TagReads { reader: "cooler".to_owned(), reads: vec![read] }
    }

    #[test]
    fn codes_are_whole_words_in_hexadecimal() {
        for epc in ["3034257BF7194E4000001A85", "3034257bf7194e4000001a85", "e200", &"0".repeat(124)] {
            assert_eq!(read(epc).flaw(), Ok(()), "{epc}");
        }
        for epc in ["", "303", "30342", "urn:epc:id:sgtin:0614141.812345.6789", "303g", "ééé", &"0".repeat(128)] {
            assert!(read(epc).flaw().unwrap_err().starts_with("`epc` of read 1"), "{epc}");
        }
    }

    #[test]
    fn names_and_numbers_are_checked() {
        let mut reads = read("e200");
        reads.reads[0].rssi_dbm = Some(f64::NAN);
        assert!(reads.flaw().unwrap_err().contains("finite"));
        reads.reads = vec![read("e200").reads[0].clone(); TAG_READS_MAX + 1];
        assert!(reads.flaw().unwrap_err().contains("at most"));
        reads.reads.clear();
        assert_eq!(reads.flaw(), Ok(()), "a round in which nothing was read says something too");
        reads.reader = String::new();
        assert_eq!(reads.flaw().unwrap_err(), "the reader has no name");
        let door = DoorSwitch { door: "a\u{202e}b".to_owned(), state: DoorState::Closed };
        assert!(door.flaw().unwrap_err().starts_with("the name of the door"));
    }
}
