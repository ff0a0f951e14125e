//! The pages, typed by a machine: what README and docs show is done as it stands there, in an empty folder with `aisle` on
//! the path, and must come out as the page says. Links are followed, and words that name commands, options and files are held
//! against what there is.
//!
//! A page is typed from its top, each `sh` block line by line; every command must end with status 0. A server is told to take a
//! free port, and where the page then says `127.0.0.1:8080` its address is typed; it is ended when the page starts another one,
//! and at the end of the page. A `text` block in the same section must stand, line by line and in this order, in what the
//! `sh` block before it said; what is measured (times of day, and numbers beside `±`, `%`, `cm` and `g`) may differ. A
//! `json` block must be JSON, and what the `sh` block before it said of the same form. A `toml` block must be in order as a part of
//! the demonstration shop.
//!
//! Where that is not all, comments above a block say the rest. Readers of a page do not see them:
//!
//! ```text
//! <!-- needs: THING -->              the block is typed where THING (below) is, and else left out and counted
//! <!-- needs: THING: WORDS -->       only lines of it that hold these words
//! <!-- for: WORDS type: OTHERS -->   here and below, others are typed for these: values for words such as CASE, short films
//! <!-- ends: STATUS: WORDS -->       lines that hold these words end with this status, as the page says
//! <!-- file: NAME -->                the `json` block is what this file now holds
//! ```
//!
//! `AISLE_PAGE=README.md cargo test --release --test it -- pages:: --nocapture` types one page and tells what it types;
//! the name of a thing in its place types the pages that need it.

mod command;
mod links;
mod page;
mod shell;
mod shown;
mod typing;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use page::Page;

use super::db::place::Place;

/// What commands of pages need that a machine may lack, and how many need it at most: what nobody types goes wrong unseen.
const THINGS: [(&str, usize); 10] = [
    ("administrator", 2),
    ("cargo", 2),
    ("curl", 8),
    ("data", 6),
    ("ffmpeg", 2),
    ("mosquitto", 16),
    ("network", 2),
    ("postgresql", 1),
    ("python", 9),
    ("sqlite3", 2),
];

/// Those of them that no test has: they would build aisle inside its own test, train networks for hours, change the machine, or
/// leave a broker behind. What is shown of a broker, `.ci/run` does.
const NEVER_TYPED: [&str; 4] = ["administrator", "cargo", "mosquitto", "python"];

/// Types only this page, or the pages that need this thing.
const ONLY: &str = "AISLE_PAGE";

/// Pages that are typed at the same time.
const TYPISTS: usize = 2;

/// What is wrong with a page.
#[derive(Debug)]
struct Fault {
    /// From the root of the repository, with `/`.
    path: String,
    /// Counted from 1.
    line: usize,
    message: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All pages, by path.
fn pages() -> Vec<Page> {
    let mut paths = super::tidy::files_in(root(), "md");
    for folder in ["docs", "models", "benches", "examples", "tests"] {
        paths.extend(super::tidy::files_below(&root().join(folder), "md"));
    }
    let parse = |path: &PathBuf| Page::parse(&super::tidy::relative(root(), path), &fs::read_to_string(path).unwrap());
    paths.iter().map(parse).collect()
}

/// What this machine has of what pages need.
struct Machine {
    /// The things that are here.
    things: Vec<&'static str>,
    /// Programs that the shell finds besides those of the system.
    tools: Vec<PathBuf>,
    /// Where the test data is.
    data: PathBuf,
}

impl Machine {
    fn look() -> Self {
        let tool = |name: &str| {
            let folders = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
        };
        let beside = || root().join("../shared/data");
        let data = std::env::var_os("AISLE_DATA").map_or_else(beside, PathBuf::from);
        let (mut things, mut tools) = (Vec::new(), Vec::new());
        for (thing, _) in THINGS {
            let found = match thing {
                "curl" | "ffmpeg" | "sqlite3" => tool(thing).map(|path| tools.push(path)).is_some(),
                "data" => data.join("autocheckout/BENCHMARK-1/truth.json").exists(),
                "network" => std::env::var_os("AISLE_TEST_NETWORK").is_some(),
                "postgresql" => super::db::place::server().is_some(),
                _ => false,
            };
            if found {
                things.push(thing);
            }
        }
        let data = data.canonicalize().unwrap_or(data);
        Machine { things, tools, data }
    }

    /// A shell with what is here, and the place of a book on the server that goes with this value.
    fn shell(&self, page: &Page) -> (shell::Shell, Option<Place>) {
        let place = if page.needs("postgresql") { Place::schema() } else { None };
        let mut variables = vec![("DATA", self.data.display().to_string())];
        variables.extend(place.as_ref().map(|place| ("POSTGRES", place.url.clone())));
        (shell::Shell::start(&self.tools, &variables), place)
    }
}

/// What a thing is called where it is told what tests left out.
fn page_need(thing: &'static str) -> &'static str {
    match thing {
        "data" => "the real trip",
        "network" => "the network (AISLE_TEST_NETWORK)",
        "postgresql" => "PostgreSQL",
        other => other,
    }
}

/// Fails with all of them.
fn hold(what: &str, faults: &[Fault]) {
    let mut text = format!("{} faults in {what}:\n", faults.len());
    for Fault { path, line, message } in faults {
        let _ = writeln!(text, "\n{path}:{line}: {message}");
    }
    assert!(faults.is_empty(), "{text}");
}

#[test]
fn pages_do_as_they_say() {
    let only = std::env::var(ONLY).ok();
    let pages: Vec<Page> = pages()
        .into_iter()
        .filter(|page| only.as_ref().is_none_or(|only| page.path == *only || page.needs(only)))
        .collect();
    assert!(!pages.is_empty(), "{ONLY} names no page, and nothing that a page needs");
    let machine = Machine::look();
    let (next, reports) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..TYPISTS {
            scope.spawn(|| {
                while let Some(page) = pages.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let report = typing::type_page(page, &machine, only.is_some());
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    let reports = reports.into_inner().unwrap();
    let (mut marked, mut left_out, mut typed) = (BTreeMap::new(), BTreeMap::new(), 0);
    for report in &reports {
        typed += report.typed;
        report.marked.iter().for_each(|thing| *marked.entry(*thing).or_insert(0_usize) += 1);
        report.left_out.iter().for_each(|thing| *left_out.entry(*thing).or_insert(0_usize) += 1);
    }
    let out = left_out.iter().map(|(thing, count)| format!("{count} for want of {thing}")).collect::<Vec<_>>();
    let out = if out.is_empty() { "none".to_owned() } else { out.join(", ") };
    println!("{} pages, {typed} commands typed, left out: {out}", reports.len());
    for (thing, count) in left_out.iter().filter(|(thing, _)| !NEVER_TYPED.contains(thing)) {
        super::left_out::left_out(page_need(thing), &format!("{count} commands of pages need it"));
    }
    hold("what pages do", &reports.into_iter().flat_map(|report| report.faults).collect::<Vec<_>>());
    assert!(0 < typed, "nothing was typed");
    for (thing, most) in THINGS {
        let count = marked.get(thing).copied().unwrap_or_default();
        assert!(count <= most, "{count} commands need {thing}; {most} may");
    }
}

#[test]
fn links_lead_somewhere() {
    hold("links", &links::check(&pages()));
}

#[test]
fn words_in_code_name_what_there_is() {
    hold("words in code", &words::check(&pages()));
    hold("examples in helps", &words::check_helps());
    hold("commands in the code", &words::check_code());
}

#[test]
fn every_module_has_its_row() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src/lib.rs"));
    let libraries: String =
        crates.chain([root().join("src/lib.rs")]).map(|path| fs::read_to_string(path).unwrap()).collect();
    let page = read("docs/ARCHITECTURE.md");
    let modules = libraries.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let without: Vec<&str> = modules.filter(|module| !page.contains(&format!("\n| `{module}` |"))).collect();
    assert!(without.is_empty(), "docs/ARCHITECTURE.md has no row of {without:?}");
}
