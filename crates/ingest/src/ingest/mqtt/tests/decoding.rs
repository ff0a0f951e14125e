//! Payloads as somebody may send them.

use super::*;
use crate::ingest::mqtt::decode::{Decoded, Reason, decode};

const TOPIC: &str = "aisle/demo/plates/gondola/1";

fn reason(topic: &str, payload: &[u8], retained: bool) -> Option<Reason> {
    match decode(&Topics::new("demo"), topic, payload, retained, ShopTime::from_nanos(5)) {
        Ok(Decoded::Fact(fact)) => {
            assert_eq!(fact.stamp.arrived, ShopTime::from_nanos(5));
            None
        }
        Ok(Decoded::Own | Decoded::Ask(_)) => None,
        Err(refusal) => {
            assert!(!refusal.detail.is_empty() && !refusal.detail.contains('\n'), "{refusal:?}");
            Some(refusal.reason)
        }
    }
}

#[test]
fn a_payload_is_a_fact_of_its_topic_or_has_a_reason() {
    let good = json(&plates("gondola/1", 1, ShopTime::from_nanos(1)));
    let uneven = String::from_utf8(good.clone()).unwrap().replace("500.0]", "500.0,1.0]").into_bytes();
    let gate = br#"{"stamp":{"source":"east","sequence":1,"at":1,"arrived":1},"body":{"cart":"cart_0198f2c4a1b2c3d4e5f60718293a4b5c","gate":"east","people":2}}"#;
    let event = br#"{"stamp":{"source":"rfid","sequence":1,"at":1,"arrived":1},"body":{"shelf":"1-1","span":{"start":1,"end":2},"plates":[]}}"#;
    let door =
        br#"{"stamp":{"source":"cooler","sequence":1,"at":1,"arrived":1},"body":{"door":"cooler","state":"open"}}"#;
    let ajar = String::from_utf8_lossy(door).replace("open", "ajar").into_bytes();
    let tags = br#"{"stamp":{"source":"r/1","sequence":1,"at":1,"arrived":1},"body":{"reader":"r","reads":[{"epc":"3034257BF7194E4000001A85","antenna":1,"rssi_dbm":-61.5}]}}"#;
    let odd = String::from_utf8_lossy(tags).replace("1A85", "1A8").into_bytes();
    let cases: [(&str, &[u8], bool, Option<Reason>); 16] = [
        (TOPIC, &good, false, None),
        ("aisle/demo/gates/east", gate, false, None),
        ("aisle/demo/shelf/rfid", event, false, None),
        ("aisle/demo/doors/cooler", door, false, None),
        ("aisle/demo/doors/cooler", &ajar, false, Some(Reason::Undecodable)),
        ("aisle/demo/tags/r/1", tags, false, None),
        ("aisle/demo/tags/r/1", &odd, false, Some(Reason::Undecodable)),
        ("aisle/demo/gates/east/ask", b"whatever is in it", false, None),
        ("aisle/demo/status", b"online", true, None),
        (TOPIC, &good, true, Some(Reason::Retained)),
        (TOPIC, b"", false, Some(Reason::Undecodable)),
        (TOPIC, &uneven, false, Some(Reason::Undecodable)),
        ("aisle/demo/people/gondola/1", &good, false, Some(Reason::Undecodable)),
        ("aisle/demo/plates/gondola/2", &good, false, Some(Reason::WrongSource)),
        ("aisle/demo/weights/gondola/1", &good, false, Some(Reason::UnknownTopic)),
        (TOPIC, &vec![b' '; (1 << 20) + 1], false, Some(Reason::TooLarge)),
    ];
    for (topic, payload, retained, expected) in cases {
        assert_eq!(reason(topic, payload, retained), expected, "{topic}");
    }
}

#[test]
fn payloads_that_dice_change_never_stop_it() {
    use rand::RngExt;
    let good = json(&plates("gondola/1", 1, ShopTime::from_nanos(1)));
    let mut dice = crate::base::rng::dice(14, "mqtt payloads");
    let mut facts = 0;
    for _ in 0..20_000 {
        let mut payload = good.clone();
        for _ in 0..dice.random_range(1..4) {
            let at = dice.random_range(0..payload.len());
            match dice.random_range(0..3) {
                0 => payload[at] = dice.random(),
                1 => payload.truncate(at.max(1)),
                _ => payload.insert(at, b"0123456789-.e\"{}[],:n"[dice.random_range(0..21)]),
            }
        }
        facts += usize::from(reason(TOPIC, &payload, false).is_none());
    }
    assert!((100..19_000).contains(&facts), "{facts} of them are facts still");
}
