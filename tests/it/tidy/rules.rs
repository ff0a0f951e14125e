//! The rules themselves. Each takes a text and answers its offences.

use super::Offence;
use super::source::Source;

/// Floors from the ground up. On an ordered floor a module may use its left neighbours, on a blind one none.
const FLOORS: [Floor; 5] = [
    Floor { ordered: true, modules: &["base", "geometry", "image", "facts"] },
    Floor { ordered: true, modules: &["shop", "truth", "ports", "output", "recording"] },
    Floor {
        ordered: false,
        modules: &[
            "ingest",
            "shelf",
            "gate",
            "replay",
            "sim",
            "vision",
            "tracking",
            "identity",
            "fusion",
            "cart",
            "inventory",
            "review",
            "ledger",
            "payment",
            "label",
            "db",
            "document",
            "export",
            "eval",
        ],
    },
    Floor {
        ordered: true,
        modules: &["config", "till", "pipeline", "learned", "models", "telemetry", "album", "live"],
    },
    Floor { ordered: true, modules: &["api", "cli"] },
];

/// Rooms below the hall that may know what really happened; everybody above may.
const TRUTH_READERS: [&str; 5] = ["recording", "replay", "sim", "export", "eval"];

/// Whatever of a recording yields the truth: rooms that may not know it may not ask for these either.
const TRUTH_TYPE: &str = "Entry";
const TRUTH_CALL: &str = "next_entry";

/// Rooms that think: state, facts and a time in, facts out.
const THINKING: [&str; 9] =
    ["vision", "tracking", "identity", "fusion", "cart", "inventory", "review", "ledger", "shelf"];

/// Words that a thinking room has no use for, and why.
const IMPURE_WORDS: [(&str, &str); 11] = [
    ("Instant", "time comes in as a fact"),
    ("SystemTime", "time comes in as a fact"),
    ("HashMap", "its order changes from run to run; take BTreeMap"),
    ("HashSet", "its order changes from run to run; take BTreeSet"),
    ("Mutex", "locks live at the edges"),
    ("RwLock", "locks live at the edges"),
    ("OnceLock", "what is kept for the whole process lives at the edges"),
    ("LazyLock", "what is kept for the whole process lives at the edges"),
    ("Once", "what is kept for the whole process lives at the edges"),
    ("async", "async lives at the edges"),
    ("await", "async lives at the edges"),
];

/// Words of those that one file may use all the same: a process has one library of ONNX Runtime.
const PURE_ENOUGH: [(&str, &str); 1] = [("crates/vision/src/vision/onnxruntime.rs", "OnceLock")];

/// Paths that a thinking room has no use for, and why.
const IMPURE_PATHS: [(&[&str], &str); 8] = [
    (&["std", "fs"], "files live behind ports"),
    (&["std", "net"], "wires live behind ports"),
    (&["std", "env"], "settings come in checked"),
    (&["std", "thread"], "threads live in the pipeline"),
    (&["rand"], "dice live in the simulator"),
    (&["rand_chacha"], "dice live in the simulator"),
    (&["rand_distr"], "dice live in the simulator"),
    (&["crate", "base", "rng"], "dice live in the simulator"),
];

/// What makes a file or puts one in the place of another.
const WRITES: [[&str; 2]; 4] = [["fs", "write"], ["fs", "rename"], ["fs", "copy"], ["File", "create"]];

/// The files beside `output` that may: what is fetched goes on where it broke off, and a journal is appended to.
const WRITERS: [&str; 2] = ["src/models/download.rs", "src/live/journal.rs"];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "common", "prelude", "helpers", "misc"];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: [&str; 6] = ["/home/", "/root/", "/work/", "/Users/", "/tmp/", "C:\\"];

/// Lines of a file.
const LINES_MAX: usize = 800;

struct Floor {
    ordered: bool,
    modules: &'static [&'static str],
}

/// Where a module stands: floor and place on it.
fn place(module: &str) -> Option<(usize, usize)> {
    FLOORS
        .iter()
        .enumerate()
        .find_map(|(floor, row)| row.modules.iter().position(|other| *other == module).map(|place| (floor, place)))
}

pub(super) fn check_source(source: &Source) -> Vec<Offence> {
    let mut offences = check_size(&source.path, &source.text);
    check_floors(source, &mut offences);
    check_spouts(source, &mut offences);
    check_outputs(source, &mut offences);
    check_globs(source, &mut offences);
    check_names(source, &mut offences);
    check_head(source, &mut offences);
    check_todos(source, &mut offences);
    if THINKING.contains(&source.modules().first().copied().unwrap_or_default()) && !source.is_test() {
        check_purity(source, &mut offences);
    }
    offences
}

fn offence(source: &Source, line: usize, message: String) -> Offence {
    Offence { path: source.path.clone(), line, message }
}

fn check_floors(source: &Source, offences: &mut Vec<Offence>) {
    let Some(&here) = source.modules().first() else { return };
    let Some((floor, spot)) = place(here) else {
        offences.push(offence(source, 1, format!("module `{here}` stands on no floor; name it in tests/it/tidy")));
        return;
    };
    for (line, path) in source.paths() {
        let Some(there) = source.target(&path).filter(|there| *there != here) else { continue };
        // What is on no floor is an item of the crate root, or reported in its own file.
        let Some((other_floor, other_spot)) = place(there) else { continue };
        let left = FLOORS[floor].ordered && other_floor == floor && other_spot < spot;
        if floor <= other_floor && !left {
            let why = if other_floor == floor { "stands beside it" } else { "stands above it" };
            offences.push(offence(source, line, format!("`{here}` uses `{there}`, which {why}")));
        } else if there == "truth" && floor < 3 && !TRUTH_READERS.contains(&here) {
            offences.push(offence(source, line, format!("`{here}` reads the truth, which only judges and makers may")));
        }
    }
}

/// Rooms below the hall that may not know the truth do not read recordings entry by entry, whose facts stand among it.
fn check_spouts(source: &Source, offences: &mut Vec<Offence>) {
    let here = source.modules().first().copied().unwrap_or_default();
    if place(here).is_none_or(|(floor, _)| 3 <= floor) || TRUTH_READERS.contains(&here) {
        return;
    }
    for (line, path) in source.paths() {
        if source.target(&path) == Some("recording") && path.contains(&TRUTH_TYPE) {
            offences.push(offence(source, line, format!("`{here}` reads the truth in recordings; ask for facts")));
        }
    }
    for word in source.words.iter().filter(|word| word.text == TRUTH_CALL) {
        offences.push(offence(source, word.line, format!("`{here}` reads the truth in recordings; ask for facts")));
    }
}

fn check_outputs(source: &Source, offences: &mut Vec<Offence>) {
    if source.is_test() || source.modules().first() == Some(&"output") || WRITERS.contains(&source.path.as_str()) {
        return;
    }
    for (line, path) in source.paths() {
        if WRITES.iter().any(|write| path.ends_with(write)) {
            offences.push(offence(source, line, format!("`{}`: results are written by `output`", path.join("::"))));
        }
    }
}

fn check_globs(source: &Source, offences: &mut Vec<Offence>) {
    let mut public = false;
    for (index, word) in source.words.iter().enumerate() {
        match word.text.as_str() {
            "use" => public = index != 0 && (source.text_at(index - 1) == "pub" || source.text_at(index - 1) == ")"),
            ";" => public = false,
            "*" if public => offences.push(offence(source, word.line, "`pub use` with a glob hides names".to_owned())),
            _ => {}
        }
    }
}

fn check_names(source: &Source, offences: &mut Vec<Offence>) {
    let in_path = source.modules().into_iter().map(|module| (1, module.to_owned()));
    let inline = source.words.windows(3).filter(|words| words[0].text == "mod" && words[2].text == "{");
    let named = inline.map(|words| (words[1].line, words[1].text.clone()));
    for (line, name) in in_path.chain(named) {
        if EMPTY_NAMES.contains(&name.as_str()) {
            offences.push(offence(source, line, format!("a module called `{name}` says nothing; name what it holds")));
        }
    }
}

fn check_head(source: &Source, offences: &mut Vec<Offence>) {
    let is_root = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| source.path.ends_with(name));
    if is_root && !source.text.starts_with("//!") {
        offences.push(offence(
            source,
            1,
            "a module begins with a `//!` head: what it takes, gives, never does".to_owned(),
        ));
    }
}

fn check_todos(source: &Source, offences: &mut Vec<Offence>) {
    for (index, line) in source.text.lines().enumerate() {
        let marked = ["TODO", "FIXME", "XXX"].iter().any(|mark| {
            line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == *mark)
        });
        let linked = line.contains("/issues/") || has_issue_number(line);
        if marked && !linked {
            offences.push(offence(source, index + 1, "a TODO names its issue, such as #12".to_owned()));
        }
    }
}

fn has_issue_number(line: &str) -> bool {
    line.split('#').skip(1).any(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
}

fn check_purity(source: &Source, offences: &mut Vec<Offence>) {
    let is_allowed = |word: &str| PURE_ENOUGH.iter().any(|(path, one)| source.path.ends_with(path) && word == *one);
    for word in source.words.iter().filter(|word| !is_allowed(&word.text)) {
        if let Some((_, why)) = IMPURE_WORDS.iter().find(|(impure, _)| *impure == word.text) {
            offences.push(offence(source, word.line, format!("a room that thinks has no `{}`: {why}", word.text)));
        }
    }
    for (line, path) in source.paths() {
        if let Some((impure, why)) = IMPURE_PATHS.iter().find(|(impure, _)| path.starts_with(impure)) {
            offences.push(offence(source, line, format!("a room that thinks has no `{}`: {why}", impure.join("::"))));
        }
    }
}

pub(super) fn check_size(path: &str, text: &str) -> Vec<Offence> {
    let lines = text.lines().count();
    if lines <= LINES_MAX {
        return Vec::new();
    }
    let message = format!("{lines} lines; up to {LINES_MAX} are read, split it by what it holds");
    vec![Offence { path: path.to_owned(), line: LINES_MAX + 1, message }]
}

/// A page of documentation: no path of the machine it was written on.
pub(super) fn check_page(path: &str, text: &str) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for machine in MACHINE_PATHS {
            // In the middle of a word it is part of a longer path or of a web address.
            let begins = |at: usize| !line[..at].ends_with(|l: char| l.is_alphanumeric() || "._-~/".contains(l));
            if line.match_indices(machine).any(|(at, _)| begins(at)) {
                let message = format!("`{machine}…` is a path of one machine");
                offences.push(Offence { path: path.to_owned(), line: index + 1, message });
            }
        }
    }
    offences
}
