//! Payloads and topics of anybody's: each becomes a fact of its topic, a question, or is refused with a reason that says nothing of it
//! that steers a terminal.

use super::*;
use crate::ingest::attack::target;
use crate::ingest::mqtt::decode::{Decoded, decode};
use crate::ports::GateAsk;

/// A topic, a line end and a payload.
const MESSAGES: [&[u8]; 10] = [
    b"aisle/demo/plates/gondola/1\n{\"stamp\":{\"source\":\"gondola/1\",\"sequence\":1,\"at\":1,\"arrived\":1},\"body\":{\"first_at\":1,\"period\":16666667,\"plates\":[\"1-1-1\",\"1-1-2\"],\"grams\":[1.5,null,2.25,500.0]}}",
    b"aisle/demo/people/people\n{\"stamp\":{\"source\":\"people\",\"sequence\":1,\"at\":1,\"arrived\":1},\"body\":{\"people\":[{\"track\":\"7\",\"joints\":{\"head\":{\"position\":[0.05,-0.5,1.6],\"score\":0.9}}}]}}",
    b"aisle/demo/seen/left\n{\"stamp\":{\"source\":\"left\",\"sequence\":1,\"at\":1,\"arrived\":1},\"body\":{\"camera\":\"left\",\"size_pixels\":[640,360],\"detections\":[{\"class\":\"person\",\"bounds\":{\"left\":10.5,\"top\":20.0,\"right\":90.0,\"bottom\":200.25},\"score\":0.9,\"keypoints\":[],\"embedding\":[]}]}}",
    b"aisle/demo/gates/east\n{\"stamp\":{\"source\":\"east\",\"sequence\":1,\"at\":1,\"arrived\":1},\"body\":{\"cart\":\"cart_0198f2c4a1b2c3d4e5f60718293a4b5c\",\"gate\":\"east\",\"people\":2,\"role\":\"staff\"}}",
    b"aisle/demo/shelf/board/1\n{\"stamp\":{\"source\":\"board/1\",\"sequence\":1,\"at\":2,\"arrived\":2},\"body\":{\"shelf\":\"1-1\",\"span\":{\"start\":1,\"end\":2},\"plates\":[{\"plate\":\"1-1-1\",\"levels\":[{\"quiet\":{\"start\":0,\"end\":1},\"grams\":0.0,\"sigma\":0.5},{\"quiet\":{\"start\":2,\"end\":3},\"grams\":-350.0,\"sigma\":0.7}]}]}}",
    b"aisle/demo/doors/cooler\n{\"stamp\":{\"source\":\"cooler\",\"sequence\":1,\"at\":1,\"arrived\":1},\"body\":{\"door\":\"cooler\",\"state\":\"open\"}}",
    b"aisle/demo/tags/reader\n{\"stamp\":{\"source\":\"reader\",\"sequence\":1,\"at\":1,\"arrived\":1},\"body\":{\"reader\":\"exit\",\"reads\":[{\"epc\":\"3034257BF7194E4000001A85\",\"antenna\":1,\"rssi_dbm\":-61.5}]}}",
    b"aisle/demo/gates/out/ask\n{\"id\":\"q-1\",\"at\":1,\"ask\":\"leave\",\"token\":\"aisle_x\",\"body\":{\"gate_token\":\"y\"}}",
    b"aisle/demo/gates/door/1/ask\n{\"id\":\"q-2\",\"at\":1,\"ask\":\"enter\",\"token\":\"aisle_x\",\"body\":{\"people\":2}}",
    b"aisle/demo/status\nonline",
];

fn message(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (topic, payload) = (String::from_utf8_lossy(&input[..end]), &input[(end + 1).min(input.len())..]);
    let topics = Topics::new("demo");
    let is_plain = |detail: &str| !detail.is_empty() && crate::base::text::unruly(detail).next().is_none();
    for retained in [false, true] {
        let arrived = ShopTime::from_nanos(5);
        match decode(&topics, &topic, payload, retained, arrived) {
            Ok(Decoded::Fact(fact)) => {
                assert!(!retained && fact.stamp.arrived == arrived && topic.ends_with(fact.stamp.source.as_str()));
                // Whatever is taken can be recorded, and read back from there.
                let written = json(&fact);
                assert!(crate::recording::decode(fact.body.topic(), &written).is_ok());
            }
            Ok(Decoded::Ask(gate)) => asked(&topics, &gate, payload, retained),
            Ok(Decoded::Own) => {}
            Err(refusal) => assert!(is_plain(&refusal.detail), "{refusal:?}"),
        }
    }
}

fn asked(topics: &Topics, gate: &str, payload: &[u8], retained: bool) {
    let desk = GateDesk::new(|ask: GateAsk| {
        assert!(serde_json::from_slice::<serde_json::Map<_, _>>(ask.body.reveal()).is_ok());
        (ask.answer)(200, b"{}".to_vec());
        Ok(())
    });
    let asks = Asks { topics: topics.clone(), desk, outbox: Outbox::default(), clock: Arc::new(WallClock) };
    match asks.take(gate, payload, retained) {
        Ok(is_answered) => assert!(is_answered && !retained && asks.outbox.pop().is_some()),
        Err(refusal) => assert!(asks.outbox.pop().is_none() && !refusal.detail.contains("aisle_")),
    }
}

target!(messages, 4_000, &MESSAGES, message);
