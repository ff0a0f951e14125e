//! The rules of this tree that a machine can hold: who may use whom, who may know the truth, who may write files,
//! what a room that thinks may not touch, no circles of files, nothing public that only tests name, and how files are
//! named, headed and sized. In pages: no path of one machine. What pages say of commands and code, `pages.rs` checks.
//!
//! It reads sources as text and lists every offence with its place. It never compiles or changes anything.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

mod circles;
mod rules;
mod source;
mod tests;
mod unnamed;

use source::Source;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Offence {
    /// From the root of the repository, with `/`.
    path: String,
    /// Counted from 1.
    line: usize,
    message: String,
}

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut offences = Vec::new();
    let parsed = |path: &PathBuf| Source::parse(&relative(root, path), &read(path));
    let mut sources: Vec<_> = sources_below(root).iter().map(parsed).collect();
    for source in &sources {
        offences.extend(rules::check_source(source));
    }
    sources = sources.into_iter().map(Source::without_tests).collect();
    offences.extend(circles::check_circles(&sources));
    sources.extend(
        ["benches", "examples"]
            .iter()
            .flat_map(|folder| files_below(&root.join(folder), "rs"))
            .map(|path| parsed(&path)),
    );
    offences.extend(unnamed::check_names_used(&sources));
    for path in files_below(&root.join("tests"), "rs") {
        offences.extend(rules::check_size(&relative(root, &path), &read(&path)));
    }
    let mut pages = files_below(&root.join("docs"), "md");
    pages.extend(["README.md", "CHANGELOG.md"].map(|name| root.join(name)).into_iter().filter(|path| path.exists()));
    for path in pages {
        offences.extend(rules::check_page(&relative(root, &path), &read(&path)));
    }
    assert!(offences.is_empty(), "{}", listed(&offences));
}

fn listed(offences: &[Offence]) -> String {
    let mut text = format!("{} offences against docs/STYLE.md:\n", offences.len());
    for Offence { path, line, message } in offences {
        let _ = writeln!(text, "  {path}:{line}: {message}");
    }
    text
}

/// The sources of all crates, by path.
pub(super) fn sources_below(root: &Path) -> Vec<PathBuf> {
    ["src", "crates"].map(|folder| files_below(&root.join(folder), "rs")).concat()
}

/// All files of this extension, at any depth, by path; none where there is no such folder.
pub(super) fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            // What npm fetched for tests in a browser is not ours.
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|other| other == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The files of this extension in one folder, by path.
pub(super) fn files_in(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.extension().is_some_and(|other| other == extension)).collect();
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn relative(root: &Path, path: &Path) -> String {
    let parts: Vec<_> = path.strip_prefix(root).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
    parts.join("/")
}
