//! Bytes of nodes that nobody meant well: what comes of them are whole batches, and counts.

use super::*;
use crate::ingest::attack::target;

/// What comes before a message in a row of them: its topic by number, and how many bytes it has, of which two tell.
const HEAD: usize = 3;
const TOPICS: [&str; 8] =
    ["NBIRTH/n", "DBIRTH/n/d", "DDATA/n/d", "NDATA/n", "DDEATH/n/d", "NDEATH/n", "DDATA/n", "STATE/aisle"];

/// A row of messages as bytes.
fn row(messages: &[(u8, Payload)]) -> Vec<u8> {
    let mut row = Vec::new();
    for (topic, payload) in messages {
        let bytes = payload.encode_to_vec();
        row.push(*topic);
        row.extend((bytes.len() as u16).to_be_bytes());
        row.extend(bytes);
    }
    row
}

fn payload(seq: u64, metrics: Vec<Metric>) -> Payload {
    Payload { timestamp: Some(BEGUN as u64), metrics, seq: Some(seq) }
}

/// A birth, data and a death; and data with times of its own, and a gap.
fn examples() -> [Vec<u8>; 2] {
    let birth = [
        (0, payload(0, vec![bd(7), named("own", 3, 0.03)])),
        (1, payload(1, vec![named("w1", 1, 10.0), named("w2", 2, 20.0), named("other", 9, 0.0)])),
    ];
    let data = [(2, payload(2, vec![dated(1, 11.0, 100, false)])), (5, payload(0, vec![bd(7)]))];
    let gap = [(2, payload(9, vec![dated(2, 21.0, -5_000, true)])), (4, payload(10, Vec::new()))];
    [row(&[birth.to_vec(), data.to_vec()].concat()), row(&[birth.to_vec(), gap.to_vec()].concat())]
}

fn messages(input: &[u8]) {
    let (mut scene, mut rest) = (Scene::new(), input);
    while HEAD <= rest.len() {
        let topic = TOPICS[usize::from(rest[0]) % TOPICS.len()];
        let length = usize::from(u16::from_be_bytes([rest[1], rest[2]])).min(rest.len() - HEAD);
        scene.bytes(topic, &rest[HEAD..HEAD + length]);
        scene.wait(100);
        rest = &rest[HEAD + length..];
    }
    scene.wait(3_000);
    assert!(scene.facts.iter().all(|fact| batch(fact).is_well_formed()));
}

target!(nodes, 600, &examples().each_ref().map(Vec::as_slice), messages);
