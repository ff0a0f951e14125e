//! The topics of a shop: what is said where. It takes a shop's name and topics as a broker delivers them, gives what they are
//! about, and never looks at a payload.

use crate::base::text;
use crate::facts::Topic;

/// Letters of a source, as of any other name.
const SOURCE_LETTERS_MAX: usize = 200;
/// Kinds of facts that may be sent, by the level of the topic that names them.
const KINDS: [(&str, Topic); 7] = [
    ("plates", Topic::Plates),
    ("people", Topic::People),
    ("seen", Topic::Seen),
    ("gates", Topic::Gate),
    ("shelf", Topic::BoardEvent),
    ("doors", Topic::Door),
    ("tags", Topic::Tags),
];
/// What aisle itself says below a shop's topic.
const OWN: [&str; 2] = ["status", "health"];
/// Where gates are, and what stands behind the name of one that asks, and of one that is answered.
const GATES: &str = "gates";
const ASK: &str = "/ask";
const ANSWER: &str = "/answer";

/// The topics of one shop.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Topics {
    /// `aisle/<shop>/`
    prefix: String,
}

/// What a topic is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum About<'a> {
    /// A fact of this kind, of this source.
    Fact(Topic, &'a str),
    /// A question of this gate.
    Ask(&'a str),
    /// Something that aisle itself said.
    Own,
    /// Nothing that there is.
    Unknown,
}

impl Topics {
    /// Of the shop of this name.
    pub(super) fn new(shop: &str) -> Self {
        Topics { prefix: format!("aisle/{}/", slug(shop)) }
    }

    /// What a topic is about.
    pub(super) fn about<'a>(&self, topic: &'a str) -> About<'a> {
        let Some(rest) = topic.strip_prefix(&self.prefix) else { return About::Unknown };
        let (kind, source) = rest.split_once('/').unwrap_or((rest, ""));
        if OWN.contains(&kind) {
            return About::Own;
        }
        if kind == GATES && source.ends_with(ANSWER) {
            return About::Own;
        }
        if let Some(gate) = source.strip_suffix(ASK).filter(|_| kind == GATES) {
            let is_name = !gate.is_empty() && text::flaw(gate, SOURCE_LETTERS_MAX).is_none();
            return if is_name { About::Ask(gate) } else { About::Unknown };
        }
        match KINDS.iter().find(|(name, _)| *name == kind) {
            Some((_, topic)) if !source.is_empty() && text::flaw(source, SOURCE_LETTERS_MAX).is_none() => {
                About::Fact(*topic, source)
            }
            _ => About::Unknown,
        }
    }

    /// What is subscribed to: everything, so that a message under a wrong name is seen and counted.
    pub(super) fn filter(&self) -> String {
        format!("{}#", self.prefix)
    }

    /// Whether the shop is there: `online` or `offline`, retained.
    pub(super) fn status(&self) -> String {
        format!("{}status", self.prefix)
    }

    /// How a device is.
    pub(super) fn health(&self, device: &str) -> String {
        format!("{}health/{}", self.prefix, device.replace(['+', '#', '\0'], "-"))
    }

    /// Where a gate is answered.
    pub(super) fn answer(&self, gate: &str) -> String {
        format!("{}{GATES}/{gate}{ANSWER}", self.prefix)
    }
}

/// A name as a level of a topic: letters a to z, digits and `-`; everything else becomes one `-`, and none stands at the ends.
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "shop".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_level_of_a_topic() {
        let slugs = [("Corner Shop", "corner-shop"), (" Łódź / 1 ", "d-1"), ("a#+/b", "a-b"), ("おにぎり", "shop")];
        for (name, expected) in slugs {
            assert_eq!(slug(name), expected, "{name}");
        }
    }

    #[test]
    fn a_topic_says_the_kind_and_the_source() {
        let topics = Topics::new("Demo");
        let cases = [
            ("aisle/demo/plates/gondola/1", About::Fact(Topic::Plates, "gondola/1")),
            ("aisle/demo/gates/east", About::Fact(Topic::Gate, "east")),
            ("aisle/demo/gates/door/1/ask", About::Ask("door/1")),
            ("aisle/demo/gates/door/1/answer", About::Own),
            ("aisle/demo/gates/ask", About::Fact(Topic::Gate, "ask")),
            ("aisle/demo/gates//ask", About::Unknown),
            ("aisle/demo/doors/a/ask", About::Fact(Topic::Door, "a/ask")),
            ("aisle/demo/shelf/board/1", About::Fact(Topic::BoardEvent, "board/1")),
            ("aisle/demo/doors/cooler", About::Fact(Topic::Door, "cooler")),
            ("aisle/demo/tags/reader/1", About::Fact(Topic::Tags, "reader/1")),
            ("aisle/demo/plates/", About::Unknown),
            ("aisle/demo/plates", About::Unknown),
            ("aisle/demo/plate/1", About::Unknown),
            ("aisle/demo/plates/a\u{202e}b", About::Unknown),
            ("aisle/other/plates/1", About::Unknown),
            ("aisle/demo/health/gondola/1", About::Own),
            ("aisle/demo/status", About::Own),
        ];
        for (topic, expected) in cases {
            assert_eq!(topics.about(topic), expected, "{topic}");
        }
        assert_eq!(topics.about(&topics.answer("door/1")), About::Own);
        assert_eq!(topics.health("a+/#"), "aisle/demo/health/a-/-");
    }
}
