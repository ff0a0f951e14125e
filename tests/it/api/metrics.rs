//! What `/metrics` says, held against the text form of Prometheus by a strict reader.

use std::collections::{BTreeMap, BTreeSet};

use aisle::api::Role;
use aisle::base::{DropReason, Span, Stage, StageReport};
use aisle::ports::{Delivery, DeviceHealth, DeviceKind, HealthBoard, Intake, LiveBoard, ReportBoard};

use super::{NOON, World};

/// A metric with all its samples.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    /// By name and labels, as written.
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

fn is_name(name: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().all(sound) && name.starts_with(|first: char| first.is_ascii_lowercase())
}

/// Reads what is in braces: names and quoted values, separated by commas.
fn labels(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").expect("a name and a quote");
        let (mut value, mut escaped, mut end) = (String::new(), false, None);
        for (place, sign) in after.char_indices() {
            match (escaped, sign) {
                (false, '\\') => escaped = true,
                (false, '"') => {
                    end = Some(place);
                    break;
                }
                (true, sign) => {
                    assert!(['\\', '"', 'n'].contains(&sign), "\\{sign} in {text}");
                    value.push(if sign == 'n' { '\n' } else { sign });
                    escaped = false;
                }
                (false, sign) => value.push(sign),
            }
        }
        assert!(is_name(name), "{name} in {text}");
        assert_eq!(labels.insert(name.to_owned(), value), None, "{name} twice in {text}");
        rest = &after[end.expect("a closing quote") + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    labels
}

/// Reads all of it; whatever is not in form is a failure.
fn read(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'));
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let (mut current, mut seen) = (String::new(), BTreeSet::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("a name and words");
            assert!(is_name(name) && words.ends_with('.'), "{line}");
            let kind =
                lines.next().and_then(|line| line.strip_prefix("# TYPE ")?.strip_prefix(name)?.strip_prefix(' '));
            let kind = kind.expect("the type stands behind the help").to_owned();
            assert!(["counter", "gauge", "histogram"].contains(&kind.as_str()), "{kind}");
            let family = Family { kind, samples: Vec::new() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} is told twice");
            current = name.to_owned();
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        assert!(seen.insert(series.to_owned()), "{series} twice");
        let (name, inside) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels(inside.strip_suffix('}').expect("a closing brace"));
        let family = families.get_mut(&current).expect("a help before samples");
        let part = name.strip_prefix(current.as_str()).expect("samples stand behind their own help");
        let parts: &[&str] = if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(parts.contains(&part), "{line}");
        let value: f64 = value.parse().expect("a number");
        family.samples.push((name.to_owned(), labels, value));
    }
    families
}

/// What lints of Prometheus ask for, and what every histogram has to be.
fn check(families: &BTreeMap<String, Family>) {
    for (name, family) in families {
        assert_eq!(family.kind == "counter", name.ends_with("_total"), "{name}");
        for unit in ["_millis", "_nanos", "_minutes", "_count", "_sum", "_bucket"] {
            assert!(!name.ends_with(unit), "{name}");
        }
        if family.kind != "gauge" {
            assert!(family.samples.iter().all(|(_, _, value)| 0.0 <= *value), "{name}");
        }
        if family.kind == "histogram" {
            check_histogram(name, family);
        }
    }
}

fn check_histogram(name: &str, family: &Family) {
    let mut series: BTreeMap<BTreeMap<String, String>, Vec<(String, f64)>> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for (sample, labels, value) in &family.samples {
        let mut labels = labels.clone();
        match labels.remove("le") {
            Some(end) => series.entry(labels).or_default().push((end, *value)),
            None if sample.ends_with("_count") => drop(counts.insert(labels, *value)),
            None => {}
        }
    }
    assert!(!series.is_empty(), "{name}");
    for (labels, buckets) in &series {
        let ends: Vec<&str> = buckets.iter().map(|(end, _)| end.as_str()).collect();
        assert_eq!(ends, ["0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "1", "5", "30", "+Inf"]);
        assert!(buckets.is_sorted_by_key(|(_, count)| *count), "{labels:?}: {buckets:?}");
        assert_eq!(buckets.last().map(|(_, count)| *count), counts.get(labels).copied());
    }
}

#[test]
fn metrics_are_in_form_with_and_without_an_engine() {
    let board = ReportBoard::default();
    let (health, intake) = (HealthBoard::default(), Intake::bounded(1));
    let keeper = std::thread::spawn(move || intake.1.iter().for_each(|delivery: Delivery| delivery.kept.tell()));
    let mut camera = DeviceHealth::new("camera/left \"1\"", DeviceKind::Camera, NOON);
    (camera.heard, camera.rate_hertz, camera.expected_hertz) = (Some(NOON), Some(f64::NAN), Some(15.0));
    camera.clock_offset_secs = Some(-0.5);
    camera.count("reconnects", 1);
    camera.certificates = [("ca_file".to_owned(), NOON - Span::from_millis(43_200_000))].into();
    health.add(camera);
    let world = World::with(|api, _| {
        api.with_board(board.clone()).with_health(health).with_live(LiveBoard::default()).with_intake(intake.0)
    });
    world.enter("1");
    world.settle();
    let metrics = || world.ask(Role::Operator, "GET", "/metrics", None);
    let closed = metrics();
    assert_eq!(closed.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(!closed.text().contains("aisle_stage"), "no engine runs");
    check(&read(&closed.text()));

    board.show(vec![
        StageReport::new(Stage::Reorder, 12, 5)
            .dropping(DropReason::Late, 3)
            .dropping(DropReason::ClockJump, 0)
            .holding(4, Span::from_millis(1_100)),
        StageReport::new(Stage::Book, 2, 2),
    ]);
    let open = metrics().text();
    let families = read(&open);
    check(&families);
    for line in [
        "aisle_device_certificate_days{device=\"camera/left \\\"1\\\"\",certificate=\"ca_file\"} -0.5",
        "aisle_stage_received_total{stage=\"reorder\"} 12",
        "aisle_stage_sent_total{stage=\"reorder\"} 5",
        "aisle_stage_dropped_total{stage=\"reorder\",reason=\"late\"} 3",
        "aisle_stage_dropped_total{stage=\"reorder\",reason=\"clock_jump\"} 0",
        "aisle_stage_depth{stage=\"reorder\"} 4",
        "aisle_stage_delay_seconds{stage=\"reorder\"} 1.1",
        "aisle_stage_delay_seconds{stage=\"book\"} 0",
    ] {
        assert!(open.lines().any(|other| other == line), "{line} in\n{open}");
    }
    drop(world);
    keeper.join().unwrap();
    let page = std::fs::read_to_string("docs/reference/api.md").unwrap();
    for name in families.keys() {
        assert!(page.contains(&format!("`{name}`")), "the page does not tell of {name}");
    }
    for name in DropReason::ALL.map(DropReason::name).into_iter().chain(Stage::ALL.map(Stage::name)) {
        assert!(page.contains(&format!("`{name}`")), "the page does not tell of {name}");
    }
}
