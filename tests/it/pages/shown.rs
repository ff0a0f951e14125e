//! What a page shows, held against what there is: lines of an output, JSON, parts of a shop.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::super::cli::steady;
use super::root;
use super::shell::Shell;

/// Lines of an output that a failure shows.
const LINES_MAX: usize = 60;

/// Whether these lines stand in an output, in this order.
pub(super) fn check_text(shown: &[String], said: &str) -> Result<(), String> {
    let plain = |line: &str| steady(line).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = said.lines().map(plain);
    for line in shown.iter().filter(|line| !line.trim().is_empty() && line.trim() != "\u{2026}") {
        let wanted = plain(line);
        if !rest.any(|other| other == wanted) {
            let said = end_of(said, LINES_MAX);
            return Err(format!("what was typed above does not say this, or not in this order:\n{line}\nbut:\n{said}"));
        }
    }
    Ok(())
}

/// Whether it is JSON; with a file, the JSON that the file holds; else, where the commands above said JSON, one of the same form.
pub(super) fn check_json(shown: &str, said: Option<&str>, file: Option<&Path>) -> Result<(), String> {
    let parse = |text: &str| serde_json::from_str::<Value>(text);
    let shown = parse(shown).map_err(|error| format!("this is no JSON: {error}"))?;
    if let Some(file) = file {
        let name = file.file_name().unwrap_or_default().display();
        let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
        let held = parse(&text).map_err(|error| format!("{name} holds no JSON: {error}"))?;
        return if held == shown { Ok(()) } else { Err(format!("{name} holds something else:\n{held:#}")) };
    }
    // What curl shows of its progress stands before it.
    let last = said.and_then(|said| said.find(['{', '[']).and_then(|at| last_of(&said[at..])));
    match last {
        Some(last) => same_form(&shown, &last).map_err(|place| format!("`{place}` is not as it was said:\n{last:#}")),
        None => Ok(()),
    }
}

/// The last of the documents that a text consists of.
fn last_of(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().map_while(Result::ok).last()
}

/// Whether two documents have the same fields with values of the same kinds; else the first place that has not.
fn same_form(shown: &Value, said: &Value) -> Result<(), String> {
    match (shown, said) {
        (Value::Object(shown), Value::Object(said)) => {
            let other =
                shown.keys().find(|key| !said.contains_key(*key)).or(said.keys().find(|key| !shown.contains_key(*key)));
            if let Some(key) = other {
                return Err(key.clone());
            }
            shown.iter().try_for_each(|(key, value)| {
                same_form(value, &said[key]).map_err(|place| match place.as_str() {
                    "" => key.clone(),
                    _ => format!("{key}/{place}"),
                })
            })
        }
        (Value::Array(shown), Value::Array(said)) => {
            shown.iter().zip(said).try_for_each(|(shown, said)| same_form(shown, said))
        }
        (Value::Null, _) | (_, Value::Null) => Ok(()),
        (shown, said) if std::mem::discriminant(shown) == std::mem::discriminant(said) => Ok(()),
        _ => Err(String::new()),
    }
}

/// Tables that only `devices.toml` has.
const OF_DEVICES: [&str; 5] = ["broker", "sparkplug", "board", "gate", "pictures"];

/// Whether the demonstration shop is in order with this as a part of its files. What names a broker, a board, a gate or pictures is a
/// whole `devices.toml`, of the shop with its cameras.
pub(super) fn check_toml(text: &str, shell: &mut Shell) -> Result<(), String> {
    let mut part: toml::Table = text.parse().map_err(|error| format!("this is no TOML: {error}"))?;
    let (from, to) = (root().join("calibration/demo"), shell.folder().join("shop-of-the-page"));
    if to.exists() {
        fs::remove_dir_all(&to).unwrap();
    }
    fs::create_dir_all(&to).unwrap();
    if part.keys().any(|key| OF_DEVICES.contains(&key.as_str())) {
        fs::copy(from.join("cameras.toml"), to.join("cameras.toml")).unwrap();
        fs::write(to.join("devices.toml"), text).unwrap();
        part.clear();
    }
    for name in ["shop.toml", "catalogue.toml", "planogram.toml"] {
        let mut table: toml::Table = fs::read_to_string(from.join(name)).unwrap().parse().unwrap();
        for (key, value) in part.iter().filter(|(key, _)| file_of(key) == name) {
            merge(table.entry(key.clone()), value);
        }
        fs::write(to.join(name), table.to_string()).unwrap();
    }
    match shell.run("aisle check shop-of-the-page")? {
        said if said.status == 0 => Ok(()),
        said => Err(format!("`aisle check` of a shop with this ends with status {}\n{}", said.status, said.text)),
    }
}

/// The file of a shop in which a key stands.
fn file_of(key: &str) -> &'static str {
    match key {
        "product" => "catalogue.toml",
        "shelf" => "planogram.toml",
        _ => "shop.toml",
    }
}

fn merge(entry: toml::map::Entry<'_, String, toml::Value>, value: &toml::Value) {
    match (entry.or_insert(value.clone()), value) {
        (toml::Value::Table(old), toml::Value::Table(new)) => {
            new.iter().for_each(|(key, value)| merge(old.entry(key.clone()), value));
        }
        // A list that was not there is this one.
        (toml::Value::Array(old), toml::Value::Array(new)) if old != new => old.extend(new.iter().cloned()),
        (old, new) => *old = new.clone(),
    }
}

/// The last lines of a text, indented.
pub(super) fn end_of(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(most);
    lines[from..].iter().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn outputs_are_compared() {
    let said = "a  1.5 g\nb 12:13:14 x\nc 1.49 USD\n";
    let check = |shown: &[&str]| check_text(&shown.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), said);
    assert!(check(&["a 2.5 g", "", "c   1.49 USD"]).is_ok());
    assert!(check(&["b 22:23:24 x"]).is_ok());
    assert!(check(&["c 1.59 USD"]).is_err());
    assert!(check(&["b 22:23:24 x", "a 2.5 g"]).is_err());
    let shown = r#"{"a": 1, "b": [{"c": "x"}]}"#;
    assert!(check_json(shown, Some("noise\n{\"x\": 1}\n{\"b\": [{\"c\": \"y\"}], \"a\": 2}"), None).is_ok());
    assert!(check_json(shown, Some(r#"{"b": [{"c": 2}], "a": 2}"#), None).unwrap_err().contains("`b/c`"));
    assert!(check_json(shown, Some(r#"{"b": [], "a": 2, "d": 1}"#), None).unwrap_err().contains("`d`"));
    assert!(check_json("{", None, None).is_err());
}
