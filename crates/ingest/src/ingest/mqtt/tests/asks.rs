//! Gates that ask over MQTT: what they write, who answers, and what is kept of it, which is nothing.

use std::sync::Mutex;

use rumqttc::{Client, Event, Incoming, MqttOptions, QoS};
use serde_json::{Value, json};

use super::peer::{Mosquitto, publish_as};
use super::*;
use crate::ingest::mqtt::decode::Reason;
use crate::ports::{GateAsk, GateQuestion};

const TOKEN: &str = "aisle_of_the_gate";
const SHOWN: &str = "shown_by_a_shopper";

/// A desk at which every question is answered with what it said.
fn echo() -> GateDesk {
    GateDesk::new(|ask: GateAsk| {
        let body: Value = serde_json::from_slice(ask.body.reveal()).unwrap();
        let is_right = ask.token.reveal() == TOKEN;
        let answer = json!({ "question": ask.question.name(), "gate": ask.gate, "body": body });
        (ask.answer)(if is_right { 200 } else { 401 }, answer.to_string().into_bytes());
        Ok(())
    })
}

fn asks(desk: GateDesk) -> Asks {
    Asks { topics: Topics::new("Demo"), desk, outbox: Outbox::default(), clock: Arc::new(WallClock) }
}

fn question(ask: &str, token: &str, body: &Value) -> Vec<u8> {
    let at = WallClock.now().as_nanos();
    json!({ "id": "q-1", "at": at, "ask": ask, "token": token, "body": body }).to_string().into_bytes()
}

/// What was said last, and where.
fn said(asks: &Asks) -> (String, Value) {
    let said = asks.outbox.pop().unwrap();
    assert!(said.is_sure && !said.is_retained);
    (said.topic, serde_json::from_slice(&said.payload).unwrap())
}

#[test]
fn a_gate_is_answered_on_its_own_topic_under_the_name_of_its_question() {
    let asks = asks(echo());
    let body = json!({ "gate_token": SHOWN, "people": 2 });
    assert_eq!(asks.take("door/1", &question("enter", TOKEN, &body), false), Ok(true));
    let (topic, answer) = said(&asks);
    assert_eq!(topic, "aisle/demo/gates/door/1/answer");
    assert_eq!((&answer["id"], &answer["status"]), (&json!("q-1"), &json!(200)));
    assert!(answer["at"].as_i64().unwrap() <= WallClock.now().as_nanos());
    let expected = json!({ "gate_token": SHOWN, "people": 2, "gate": "door/1" });
    assert_eq!(answer["body"]["body"], expected, "which gate it is, its topic says");
    assert_eq!(asks.take("door/1", &question("leave", "aisle_wrong", &body), false), Ok(true));
    assert_eq!(said(&asks).1["status"], json!(401));
}

#[test]
fn where_nobody_answers_the_gate_is_told_so() {
    let asks = asks(GateDesk::default());
    assert_eq!(asks.take("door", &question("rule", TOKEN, &json!({})), false), Ok(false));
    let (_, answer) = said(&asks);
    assert_eq!((&answer["status"], &answer["body"]["status"]), (&json!(503), &json!(503)));
}

#[test]
fn what_is_no_question_is_told_without_a_word_of_it() {
    let asks = asks(echo());
    let whole = || json!({ "id": "q", "at": 1, "ask": "leave", "token": TOKEN, "body": {} });
    let wrong = |key: &str, value: Value| {
        let mut question = whole();
        question[key] = value;
        question
    };
    for question in [
        wrong("id", json!("")),
        wrong("id", json!("a b")),
        wrong("id", json!("q".repeat(65))),
        wrong("id", json!({ "token": TOKEN })),
        wrong("at", json!(TOKEN)),
        wrong("ask", json!(TOKEN)),
        wrong("token", json!([TOKEN])),
        wrong("body", json!([TOKEN])),
        wrong(TOKEN, json!(1)),
        json!([TOKEN]),
    ] {
        let refusal = asks.take("door", question.to_string().as_bytes(), false).unwrap_err();
        assert_eq!(refusal.reason, Reason::Undecodable, "{question}");
        assert!(!refusal.detail.contains(TOKEN), "{}", refusal.detail);
    }
    let kept = asks.take("door", whole().to_string().as_bytes(), true).unwrap_err();
    assert_eq!(kept.reason, Reason::Retained);
    let large = asks.take("door", &vec![b' '; (256 << 10) + 1], false).unwrap_err();
    assert_eq!(large.reason, Reason::TooLarge);
    assert!(asks.outbox.pop().is_none(), "what has no name cannot be answered");
}

#[test]
fn a_gate_asks_over_a_broker_and_nothing_of_it_is_kept() {
    let Some(broker) = Mosquitto::start() else { return };
    let unread = tempfile::tempdir().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let ours = asked.clone();
    let desk = GateDesk::new(move |ask: GateAsk| {
        ours.lock().unwrap().push((ask.question, ask.token.reveal().clone()));
        (ask.answer)(200, br#"{"door":"open","total":{"minor":350}}"#.to_vec());
        Ok(())
    });
    let mut opening = Opening { desk, ..Opening::at(broker.port) };
    opening.settings.unread = Some(unread.path().to_owned());
    let mut shop = opening.open();
    shop.wait_online();
    let (client, mut connection) = Client::new(MqttOptions::new("gate", "127.0.0.1", broker.port), 10);
    client.subscribe("aisle/demo/gates/out/answer", QoS::AtLeastOnce).unwrap();
    let answer = loop {
        match connection.recv_timeout(Duration::from_secs(20)).unwrap().unwrap() {
            Event::Incoming(Incoming::SubAck(_)) => {
                let question = question("leave", TOKEN, &json!({ "gate_token": SHOWN }));
                client.publish("aisle/demo/gates/out/ask", QoS::AtLeastOnce, false, question).unwrap();
            }
            Event::Incoming(Incoming::Publish(answer)) => break answer,
            _ => {}
        }
    };
    assert!(!answer.retain);
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!((&answer["id"], &answer["body"]["door"]), (&json!("q-1"), &json!("open")));
    assert_eq!(answer["body"]["total"]["minor"], json!(350));
    assert_eq!(*asked.lock().unwrap(), [(GateQuestion::Leave, TOKEN.to_owned())]);
    wait_for("health of the gate", || shop.count("gate/out", "asked") == 1);
    assert_eq!(shop.word("gate/out"), Some(HealthWord::Online));
    // What cannot be read is counted of the gate, and kept without what is in it; also under a wrong name.
    let broken = format!("{{\"token\":\"{TOKEN}\"");
    let topics = ["aisle/demo/gates/out/ask", "aisle/demo/gate/out/ask"];
    publish_as(broker.port, QoS::AtLeastOnce, false, topics.map(|topic| (topic.to_owned(), broken.clone().into())));
    wait_for("both", || {
        shop.count("gate/out", "dropped_undecodable") == 1 && shop.count(BROKER, "dropped_unknown_topic") == 1
    });
    shop.stop();
    let files: Vec<String> = std::fs::read_dir(unread.path())
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(files.len(), 2);
    assert!(files.iter().all(|file| !file.contains(TOKEN) && file.contains("not kept")), "{files:?}");
    assert!(shop.facts.is_empty(), "a question is no fact");
}
