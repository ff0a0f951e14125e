//! Words in code on pages: commands with their options, variables, and files of the repository, held against what there is;
//! and so are the examples that helps show, and the commands that messages and comments in the code name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::cli::ask;
use super::page::Page;
use super::{Fault, root};

/// Folders whose files pages name.
const FOLDERS: [&str; 9] =
    ["benches/", "calibration/", "crates/", "docs/", "examples/", "models/", "src/", "tests/", ".ci/"];
/// Options of other programs that pages name.
const FOREIGN: [&str; 3] = ["--release", "--bench", "--test"];

/// What the help of each command says.
struct Helps {
    by_command: BTreeMap<String, String>,
}

impl Helps {
    fn of(&mut self, command: &str) -> &str {
        let ask = || {
            let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
            let answer = ask(root(), &arguments);
            if answer.status == Some(0) { answer.out } else { String::new() }
        };
        self.by_command.entry(command.to_owned()).or_insert_with(ask)
    }

    /// The names of the commands below one.
    fn below(&mut self, command: &str) -> Vec<String> {
        let list = self.of(command).split("Commands:").nth(1).unwrap_or_default();
        let list = list.split("Options:").next().unwrap_or_default();
        let named = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        named.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    /// All commands, from `aisle` itself.
    fn commands(&mut self) -> Vec<String> {
        let mut found = vec![String::new()];
        let mut next = 0;
        while let Some(command) = found.get(next).cloned() {
            let below = self.below(&command).into_iter().filter(|name| name != "help");
            found.extend(below.map(|name| format!("{command} {name}").trim().to_owned()));
            next += 1;
        }
        found
    }
}

/// The options in a text.
fn options(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let long = parts
        .filter(|part| part.strip_prefix("--").is_some_and(|name| name.starts_with(|l: char| l.is_ascii_lowercase())));
    long.map(str::to_owned).collect()
}

/// Words in code that name nothing.
pub(super) fn check(pages: &[Page]) -> Vec<Fault> {
    let mut helps = Helps { by_command: BTreeMap::new() };
    let all: BTreeSet<String> = helps.commands().iter().flat_map(|command| options(helps.of(command))).collect();
    let sources = sources();
    let mut faults = Vec::new();
    for page in pages {
        for (line, span) in &page.spans {
            let wrong = match span.split_whitespace().next() {
                Some("aisle") => check_command(span, &mut helps),
                Some(word) if word.starts_with("--") && !page.path.starts_with("models/training") => options(span)
                    .into_iter()
                    .find(|option| !all.contains(option) && !FOREIGN.contains(&option.as_str())),
                Some(word) if word.starts_with("AISLE_") => {
                    let name: &str =
                        word.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_').next().unwrap_or("");
                    (!sources.contains(name)).then(|| name.to_owned())
                }
                Some(word) if word.contains("::") => check_name(word, &sources),
                Some(word) if FOLDERS.iter().any(|folder| word.starts_with(folder)) => check_file(word),
                _ => None,
            };
            if let Some(wrong) = wrong {
                let message = format!("`{span}` names what is not there: {wrong}");
                faults.push(Fault { path: page.path.clone(), line: *line, message });
            }
        }
    }
    faults
}

/// Examples in helps that name what is not there.
pub(super) fn check_helps() -> Vec<Fault> {
    let mut helps = Helps { by_command: BTreeMap::new() };
    let mut faults = Vec::new();
    for command in helps.commands() {
        let text = helps.of(&command).to_owned();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with("  aisle ")) {
            // Commands that are joined, and pipes into other programs.
            for part in line.split(['|', ';', '&']).map(str::trim).filter(|part| part.starts_with("aisle ")) {
                if let Some(wrong) = check_command(part, &mut helps) {
                    let message = format!("`{part}` names what is not there: {wrong}");
                    faults.push(Fault { path: format!("aisle {command} --help"), line: at + 1, message });
                }
            }
        }
    }
    faults
}

/// Commands in the code, in messages and comments, that name what is not there.
pub(super) fn check_code() -> Vec<Fault> {
    let mut helps = Helps { by_command: BTreeMap::new() };
    let mut faults = Vec::new();
    for path in super::super::tidy::sources_below(root()) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, line) in text.lines().enumerate() {
            let parts: Vec<&str> = line.split('`').collect();
            // What is not closed on its line goes on in the next one, and is left alone.
            let spans = parts.iter().take(parts.len() - 1).skip(1).step_by(2);
            for span in spans.filter(|span| span.starts_with("aisle ") && !span.contains(['{', '\\'])) {
                if let Some(wrong) = check_command(span, &mut helps) {
                    let message = format!("`{span}` names what is not there: {wrong}");
                    faults.push(Fault { path: super::super::tidy::relative(root(), &path), line: at + 1, message });
                }
            }
        }
    }
    faults
}

/// All code, in which names of variables stand.
fn sources() -> String {
    let files =
        ["src", "crates", "tests", "benches"].map(|folder| super::super::tidy::files_below(&root().join(folder), "rs"));
    files.iter().flatten().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// What of a command is not there: a command below another, or an option.
fn check_command(span: &str, helps: &mut Helps) -> Option<String> {
    let mut command = String::new();
    for word in span.split_whitespace().skip(1) {
        let below = helps.below(&command);
        if below.is_empty() || word.starts_with(['-', '\u{2026}', '/']) {
            break;
        }
        if !below.iter().any(|name| name == word) {
            return Some(word.to_owned());
        }
        command = format!("{command} {word}").trim().to_owned();
    }
    let known = options(helps.of(&command));
    options(span).into_iter().find(|option| !known.contains(option))
}

/// A name of the code that is not there: the last part of a path. Addresses and filters of tests have another form.
fn check_name(word: &str, sources: &str) -> Option<String> {
    let last = word.split("::").last().unwrap_or_default();
    let name = last.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next().unwrap_or_default();
    (!sources.contains(name)).then(|| name.to_owned())
}

/// A file that is not there. Of patterns only the beginning is looked at; modules of tests may go without `.rs`.
fn check_file(word: &str) -> Option<String> {
    let plain = word.split(['*', '\u{2026}', '<', ':']).next().unwrap_or_default().trim_end_matches(['/', '.']);
    let named = |letter: char| letter.is_ascii_uppercase();
    let placeholder =
        Path::new(plain).file_stem().is_some_and(|stem| stem.to_str().is_some_and(|stem| stem.chars().all(named)));
    let there = root().join(plain).exists() || root().join(format!("{plain}.rs")).exists();
    (!there && !placeholder).then(|| plain.to_owned())
}

#[test]
fn words_are_held_against_what_there_is() {
    let text = "`aisle see a.mcap -o b --truth` `aisle token create --roll x` `aisle dance` `--noise 2` `--nothing` `src/no.rs`\n\
                `AISLE_DB=x` `vision::Gallery` `src/lib.rs` `tests/it/tidy` `models/NAME.toml` `aisle`\n";
    let page = Page::parse("docs/x.md", text);
    let found: Vec<String> = check(&[page]).into_iter().map(|fault| fault.message).collect();
    let wrong = ["--roll", "dance", "--nothing", "src/no.rs"];
    assert_eq!(found.len(), wrong.len(), "{found:?}");
    assert!(found.iter().zip(wrong).all(|(message, wrong)| message.ends_with(wrong)), "{found:?}");
}
