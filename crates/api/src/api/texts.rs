//! The texts of the shopper's page: all of them in one table, in every language, and none outside of it.

use std::collections::{BTreeMap, BTreeSet};

use super::dashboard::OF_VISIT;

/// What is written into the page's modules and is no text for people: names of keys, of headers and of what browsers have.
const NO_TEXTS: [&str; 6] = ["Content-Type", "text/html", "application/json", "Authorization", "Accept", "aisle"];

fn file(name: &str) -> &'static str {
    OF_VISIT.iter().find(|(other, ..)| *other == name).unwrap().2
}

/// The table: of each language every text, by its key.
fn table() -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    let whole = file("texts.js").split("export const TEXTS = {").nth(1).unwrap().split("\n};").next().unwrap();
    let mut table: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    let (mut language, mut key) = ("", "");
    for line in whole.lines().map(str::trim) {
        if let Some(name) = line.strip_suffix(": {") {
            language = name;
            continue;
        }
        if let Some((name, _)) = line.split_once(':').filter(|(name, _)| is_key(name)) {
            key = name;
        }
        if let Some((_, rest)) = line.split_once('"') {
            let text = rest.rsplit_once('"').unwrap().0;
            assert!(table.entry(language).or_default().insert(key, text).is_none(), "{language} has {key} twice");
        }
    }
    table
}

fn is_key(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// What stands in braces.
fn values(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
}

/// The strings of a module, without comments; of templates, the parts between values.
fn strings(code: &'static str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for line in code.lines().map(str::trim).filter(|line| !["//", "/*", "*"].iter().any(|sign| line.starts_with(sign)))
    {
        found.extend(line.split('"').skip(1).step_by(2));
        for template in line.split('`').skip(1).step_by(2) {
            found.extend(template.split("${").map(|part| part.rsplit_once('}').map_or(part, |(_, rest)| rest)));
        }
    }
    found
}

#[test]
fn every_language_has_every_text_with_the_same_values() {
    let table = table();
    assert_eq!(table.keys().copied().collect::<Vec<_>>(), ["en", "zh"]);
    let (english, chinese) = (&table["en"], &table["zh"]);
    assert!(80 < english.len());
    assert_eq!(english.keys().collect::<Vec<_>>(), chinese.keys().collect::<Vec<_>>());
    for (key, text) in english {
        assert_eq!(values(text), values(chinese[key]), "{key}");
        assert!(!text.trim().is_empty() && !chinese[key].trim().is_empty(), "{key}");
        // Except for its own name of the other language, each is written in its own letters.
        let is_chinese = |text: &str| text.chars().any(|sign| ('\u{4e00}'..='\u{9fff}').contains(&sign));
        if *key != "other" && *key != "tag" {
            assert!(!is_chinese(text) && is_chinese(chinese[key]), "{key}");
        }
    }
}

#[test]
fn every_text_is_used_and_every_text_that_is_used_is_there() {
    let table = table();
    let english = &table["en"];
    let mut used: BTreeSet<&str> = ["tag", "other"].into();
    for (name, _, code) in OF_VISIT.iter().filter(|(name, ..)| name.ends_with(".js")) {
        let is_call = |at: &usize| {
            let before = code[..*at].chars().next_back();
            before.is_none_or(|sign| !sign.is_alphanumeric() && sign != '_' && sign != '.')
        };
        let called = code.match_indices("t(").map(|(at, _)| at).filter(is_call).filter_map(|at| {
            let rest = &code[at + 2..];
            Some(&rest[..rest.find(')')?])
        });
        for arguments in called {
            let plain = if arguments.starts_with('`') { "" } else { arguments };
            for key in plain.split('"').skip(1).step_by(2).filter(|key| is_key(key)) {
                let is_value = ["code", "link", "sure", "settled"].contains(&key);
                assert!(is_value || english.contains_key(key), "{name} asks for {key}");
                used.insert(key);
            }
            // Such as t(`standing_${word}`).
            if let Some((prefix, _)) = arguments.strip_prefix('`').and_then(|rest| rest.split_once("${")) {
                let family = english.keys().filter(|key| key.starts_with(prefix) && key.len() > prefix.len());
                used.extend(family);
            }
        }
        // Such as t(`${word}_title`), of these three.
        if code.contains("`${word}_title`") {
            used.extend(["cart_title", "waiting_title", "receipt_title"]);
        }
    }
    let idle: Vec<_> = english.keys().filter(|key| !used.contains(*key)).collect();
    assert!(idle.is_empty(), "nobody uses {idle:?}");
}

#[test]
fn no_text_stands_outside_of_the_table() {
    let mut looked = 0;
    for (name, _, code) in OF_VISIT.iter().filter(|(name, ..)| name.ends_with(".js") && *name != "texts.js") {
        for text in strings(code) {
            let is_foreign = text.chars().any(|sign| sign.is_alphabetic() && !sign.is_ascii());
            let begins = text.trim_start().chars().next().is_some_and(|sign| sign.is_ascii_uppercase());
            // Words for people have a capital in front, or a letter, a space and a letter.
            let bytes = text.as_bytes();
            let spaced = bytes
                .windows(3)
                .any(|three| three[0].is_ascii_alphabetic() && three[1] == b' ' && three[2].is_ascii_alphabetic());
            let is_method = ["POST", "DELETE"].contains(&text) || NO_TEXTS.iter().any(|other| text.trim() == *other);
            let is_class = text.split_whitespace().all(is_key);
            assert!(!is_foreign, "{name}: {text}");
            assert!(!begins || is_method, "{name}: {text}");
            assert!(!spaced || is_class, "{name}: {text}");
            looked += 1;
        }
    }
    assert!(100 < looked, "{looked}");
    // The page itself has the name of the program, and what those read whose browser runs nothing.
    let html = file("visit.html");
    let text: String = html.split('>').skip(1).map(|part| part.split('<').next().unwrap().trim()).collect();
    assert_eq!(text, "aisleaisleThis page needs JavaScript. 本页面需要 JavaScript。");
}
