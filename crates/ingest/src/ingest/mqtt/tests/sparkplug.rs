//! A Sparkplug node of another maker's, over a real broker. `AISLE_TEST_SPARKPLUG` names a Python that has `pysparkplug`.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::peer::{Mosquitto, listen, named};
use super::*;
use crate::ingest::devices::Metric;

/// A node with a device of two plates that says something twenty times a second, and what it is commanded.
const NODE: &str = r#"
import itertools, sys, time
import pysparkplug as psp

def metric(name, value):
    return psp.Metric(timestamp=psp.get_current_timestamp(), name=name, datatype=psp.DataType.FLOAT, value=value)

def commanded(node, message):
    print("commanded", message.payload.metrics[0].name, message.payload.metrics[0].value, flush=True)

node = psp.EdgeNode("g", "n", (metric("own", 1.0),), cmd_callback=commanded)
node.register(psp.Device("d", (metric("w1", 100.0), metric("w2", 200.0))))
node.connect("127.0.0.1", port=int(sys.argv[1]))
time.sleep(1)
print("connected", flush=True)
for number in itertools.count():
    node.update_device("d", (metric("w1", 100.0 + number % 2),))
    time.sleep(0.05)
"#;

/// The node as a process.
struct Node {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Node {
    fn start(python: &str, port: u16) -> Self {
        let mut command = Command::new(python);
        command.arg("-c").arg(NODE).arg(port.to_string()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut node = Node { child, lines };
        assert_eq!(node.says(), "connected");
        node
    }

    fn says(&mut self) -> String {
        self.lines.next().expect("the node says something").unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn opening(port: u16) -> Opening {
    let metric = |name: &str, plate: u16| Metric {
        node: "n".to_owned(),
        device: Some("d".to_owned()),
        name: name.to_owned(),
        plate: PlateId::new(1, 1, plate),
        grams: 1.0,
    };
    let metrics = vec![metric("w1", 1), metric("w2", 2)];
    let mut opening = Opening::at(port);
    opening.settings.sparkplug = Some(Sparkplug { group: "g".to_owned(), host: "aisle".to_owned(), metrics });
    opening
}

#[test]
fn a_node_of_another_maker_is_asked_for_its_birth_and_heard_until_it_dies() {
    let Some(python) = named("AISLE_TEST_SPARKPLUG", "a Python with pysparkplug") else { return };
    let Some(broker) = Mosquitto::start() else { return };
    let mut shop = opening(broker.port).open();
    wait_for("a connection", || shop.word(SPARKPLUG) == Some(HealthWord::Online));
    let state = listen(broker.port, "spBv1.0/STATE/aisle", |_, _, retained| retained);
    assert!(String::from_utf8_lossy(&state).starts_with(r#"{"online":true,"timestamp":"#));
    let node = Node::start(&python, broker.port);
    let mut rows = 0;
    while rows < 60 {
        let fact = shop.keep();
        assert_eq!(fact.stamp.source.as_str(), "sparkplug/n/d");
        let Body::Plates(batch) = fact.body else { panic!() };
        rows += batch.rows();
        for row in batch.grams.chunks(2) {
            assert!((100.0..=101.0).contains(&row[0]) && row[1] == 200.0, "{row:?}");
        }
    }
    wait_for("health", || shop.word("sparkplug/n/d") == Some(HealthWord::Online));
    // Its power fails: the broker says its will.
    drop(node);
    let is_unknown = |fact: Fact| matches!(fact.body, Body::Plates(batch) if batch.grams.last().unwrap().is_nan());
    while !is_unknown(shop.keep()) {}
    wait_for("its death", || shop.count(SPARKPLUG, "deaths") == 1);
    wait_for("health", || shop.word("sparkplug/n/d") == Some(HealthWord::Offline));
    shop.stop();
    let state = listen(broker.port, "spBv1.0/STATE/aisle", |_, _, retained| retained);
    assert!(String::from_utf8_lossy(&state).starts_with(r#"{"online":false,"timestamp":"#));
    // A shop that opens while the node runs has missed its birth.
    let mut node = Node::start(&python, broker.port);
    let mut shop = opening(broker.port).open();
    assert_eq!(node.says(), "commanded Node Control/Rebirth True");
    assert!(shop.facts.is_empty(), "nothing is known without a birth");
    wait_for("what is dropped", || 0 < shop.count(SPARKPLUG, "dropped_unborn"));
    shop.stop();
}
