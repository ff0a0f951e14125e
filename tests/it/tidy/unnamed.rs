//! Public items that nothing but tests names: the compiler leaves them alone, for others might use them.

use std::collections::BTreeMap;

use super::Offence;
use super::source::Source;

/// What is there for those who build on the library, and why no command needs it.
const FOR_LIBRARY_USERS: [(&str, &str, &str); 7] = [
    ("src/live/shop.rs", "with_sink", "whoever records or watches an open shop hears its facts by it"),
    (
        "crates/api/src/api/mod.rs",
        "with_hold_wait",
        "whoever serves the API from a program of their own knows its gates",
    ),
    ("crates/money/src/payment/stripe/enrol.rs", "enrolled", "the shopper's page, which is not ours, ends with it"),
    ("crates/money/src/payment/wechat/mod.rs", "confirmation", "the shopper's page, which is not ours, begins with it"),
    (
        "crates/vision/src/tracking/floor/mod.rs",
        "foot_point",
        "boxes of foreign detectors; its figure is that of a test",
    ),
    ("crates/vision/src/vision/model.rs", "detect", "one picture through one network; commands look at whole films"),
    ("crates/vision/src/vision/model.rs", "embed", "one picture through one network; commands look at whole films"),
];

/// What a public item may be.
const KINDS: [&str; 8] = ["fn", "struct", "enum", "const", "static", "trait", "type", "union"];

/// Words between `pub` and the kind.
const QUALITIES: [&str; 4] = ["const", "async", "unsafe", "extern"];

/// Takes all sources but tests; items of those below `benches` and `examples` are not looked at, what they name counts.
pub(super) fn check_names_used(sources: &[Source]) -> Vec<Offence> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        for word in named(source) {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut offences = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test() && is_library(&source.path)) {
        for (line, name) in public_items(source) {
            let listed = FOR_LIBRARY_USERS.iter().any(|(path, item, _)| source.path == *path && name == *item);
            let named = 1 < counts.get(name).copied().unwrap_or_default();
            let message = match (named, listed) {
                (false, false) => format!("nothing but tests names `{name}`: use it, or take it away"),
                (true, true) => format!("`{name}` is used: take it off the list in tests/it/tidy/unnamed.rs"),
                _ => continue,
            };
            offences.push(Offence { path: source.path.clone(), line, message });
        }
    }
    offences
}

fn is_library(path: &str) -> bool {
    path.starts_with("src/") || path.starts_with("crates/")
}

/// The words of a file but for its imports, which hand names on and use none.
fn named(source: &Source) -> impl Iterator<Item = &str> {
    let mut imports = false;
    source.words.iter().map(|word| word.text.as_str()).filter(move |text| {
        imports = (imports || *text == "use") && *text != ";";
        !imports
    })
}

fn public_items(source: &Source) -> Vec<(usize, &str)> {
    let mut items = Vec::new();
    for (at, word) in source.words.iter().enumerate().filter(|(_, word)| word.text == "pub") {
        let is_kind = |at: usize| KINDS.contains(&source.text_at(at));
        let mut kind = at + 1;
        while QUALITIES.contains(&source.text_at(kind))
            && (is_kind(kind + 1) || QUALITIES.contains(&source.text_at(kind + 1)))
        {
            kind += 1;
        }
        if is_kind(kind) {
            items.push((word.line, source.text_at(kind + 1)));
        }
    }
    items
}
