//! The rules catch what they should, and nothing else.

use super::circles::check_circles;
use super::rules::{check_page, check_source};
use super::source::Source;
use super::unnamed::check_names_used;

/// Offences of a made-up file as `line: message`.
fn check(path: &str, text: &str) -> Vec<String> {
    let offences = check_source(&Source::parse(path, text));
    offences.into_iter().map(|offence| format!("{}: {}", offence.line, offence.message)).collect()
}

#[test]
fn made_up_offences_are_caught() {
    let text = "\
//! Head.
use std::{fs, collections::HashMap};

use crate::base::{Grams, rng};
use crate::{shop::Shop, truth::{Truth, Purchases}, cart};
pub use super::super::pipeline::*;

mod util { }
fn now() -> Instant {
    let x: crate::tracking::Track = rand::random();
    // TODO: later
    crate::cli::run(); // crate::eval in a comment is nothing
    \"crate::eval in a text is nothing\"
}
";
    let found = check("crates/fusion/src/fusion/hands.rs", text);
    let expected = [
        "5: `fusion` reads the truth, which only judges and makers may",
        "5: `fusion` reads the truth, which only judges and makers may",
        "5: `fusion` uses `cart`, which stands beside it",
        "6: `fusion` uses `pipeline`, which stands above it",
        "10: `fusion` uses `tracking`, which stands beside it",
        "12: `fusion` uses `cli`, which stands above it",
        "6: `pub use` with a glob hides names",
        "8: a module called `util` says nothing; name what it holds",
        "11: a TODO names its issue, such as #12",
        "2: a room that thinks has no `HashMap`: its order changes from run to run; take BTreeMap",
        "9: a room that thinks has no `Instant`: time comes in as a fact",
        "2: a room that thinks has no `std::fs`: files live behind ports",
        "4: a room that thinks has no `crate::base::rng`: dice live in the simulator",
        "10: a room that thinks has no `rand`: dice live in the simulator",
    ];
    assert_eq!(found, expected);
}

#[test]
fn sound_files_pass() {
    let sound = "\
//! Head.
use std::collections::BTreeMap;
use super::Room;
use crate::facts::{self, Receipt as Paper};
use crate::shop::Shop;
// TODO(#12): faster.
/* /* crate::cart */ std::fs */
fn f<'a>(x: &'a str) -> char { let _ = r#\"crate::cart \" \"#; let _ = \"\\\"crate::cart\"; '\"' }
fn truth() -> u32 { let rand = 3; rand * 2 }
";
    assert_eq!(check("crates/fusion/src/fusion/mod.rs", sound), [""; 0]);
    assert_eq!(check("src/cli/eval.rs", "use crate::{api, eval, truth, pipeline};\nuse std::fs;"), [""; 0]);
    assert_eq!(check("src/main.rs", "//! Head.\nuse aisle::cli;"), [""; 0]);
    // Tests of a thinking room may read files and keep what they like; floors hold for them too.
    assert_eq!(check("crates/money/src/cart/tests.rs", "use std::fs;\nuse std::collections::HashMap;"), [""; 0]);
    assert_eq!(
        check("crates/money/src/cart/tests.rs", "use crate::ledger;"),
        ["1: `cart` uses `ledger`, which stands beside it"]
    );
}

#[test]
fn ordered_floors_look_to_the_left_only() {
    assert_eq!(check("crates/contract/src/facts/x.rs", "use crate::geometry::World;"), [""; 0]);
    assert_eq!(
        check("crates/contract/src/geometry/x.rs", "use crate::facts::Fact;"),
        ["1: `geometry` uses `facts`, which stands beside it"]
    );
    assert_eq!(check("src/pipeline/x.rs", "use crate::config::Config;"), [""; 0]);
    assert_eq!(
        check("crates/api/src/api/x.rs", "use crate::cli::Eval;"),
        ["1: `api` uses `cli`, which stands beside it"]
    );
    assert_eq!(check("crates/contract/src/ports/mod.rs", "//! H\nuse crate::truth::Truth;").len(), 1);
    assert_eq!(check("crates/contract/src/recording/mod.rs", "//! H\nuse crate::truth::Truth;"), [""; 0]);
    let reads = "use crate::recording::{Entry, Reader};\nfn f(r: Reader) { r.next_entry(); r.next_fact(); }";
    let told = [1, 2].map(|line| format!("{line}: `vision` reads the truth in recordings; ask for facts"));
    assert_eq!(check("crates/vision/src/vision/x.rs", reads), told);
    assert_eq!(check("crates/eval/src/export/x.rs", reads), [""; 0]);
    assert_eq!(check("src/cli/x.rs", reads), [""; 0]);
}

#[test]
fn results_are_written_in_one_place() {
    let writes =
        "use std::fs::{self, File};\nfn f() { fs::write(p, b); File::create(p); fs::read(p); File::create_new(p); }";
    let told =
        ["2: `fs::write`: results are written by `output`", "2: `File::create`: results are written by `output`"];
    assert_eq!(check("src/cli/x.rs", writes), told);
    assert_eq!(check("crates/contract/src/output/file.rs", writes), [""; 0]);
    assert_eq!(check("src/models/download.rs", writes), [""; 0]);
    assert_eq!(check("src/cli/tests.rs", writes), [""; 0]);
}

#[test]
fn unknown_modules_and_missing_heads_are_caught() {
    assert_eq!(
        check("src/magic/mod.rs", "use crate::base;"),
        [
            "1: module `magic` stands on no floor; name it in tests/it/tidy",
            "1: a module begins with a `//!` head: what it takes, gives, never does",
        ]
    );
    assert_eq!(check("crates/contract/src/base/common.rs", "").len(), 1);
    assert_eq!(check("crates/contract/src/base/long.rs", &"\n".repeat(801)).len(), 1);
}

#[test]
fn pages_hold_no_path_of_one_machine() {
    let page = "See `docs/work/x` and https://example.org/home/x.\nIt lies in /home/me/aisle.\n`/work/main`";
    let lines: Vec<usize> = check_page("README.md", page).into_iter().map(|offence| offence.line).collect();
    assert_eq!(lines, [2, 3]);
}

/// Made-up files without the tests inside them.
fn parsed(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(path, text)| Source::parse(path, text).without_tests()).collect()
}

/// Circles of made-up files of one crate as `file:line: message`.
fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let offences = check_circles(&parsed(files)).into_iter();
    offences.map(|offence| format!("{}:{}: {}", offence.path, offence.line, offence.message)).collect()
}

#[test]
fn circles_of_files_are_found() {
    let two = [
        ("crates/x/src/a/mod.rs", "mod one; mod two;"),
        ("crates/x/src/a/one.rs", "//! Head.\nuse super::two::{Two, make as made};"),
        ("crates/x/src/a/two.rs", "fn f() -> super::one::One { crate::a::one::new() }"),
    ];
    let told = "crates/x/src/a/one.rs:2: files import each other in a circle: \
                a/one.rs takes Two, make of a/two.rs; a/two.rs takes One, new of a/one.rs";
    assert_eq!(circles(&two), [told]);
    // By way of a third, of a name that a file above hands on, and of a module's own name.
    let three = [
        ("src/a/mod.rs", "mod one; mod two; mod three; pub use three::{Three as Third};"),
        ("src/a/one.rs", "use super::two; fn f() { two::go(); }"),
        ("src/a/two.rs", "use crate::a::Third;"),
        ("src/a/three.rs", "use super::one::One;"),
        ("src/b.rs", "use crate::a::Third;"),
    ];
    let told = "src/a/one.rs:1: files import each other in a circle: a/one.rs takes go of a/two.rs; \
                a/two.rs takes Three of a/three.rs; a/three.rs takes One of a/one.rs";
    assert_eq!(circles(&three), [told]);
}

#[test]
fn chains_of_files_are_none() {
    let chain = [
        ("src/a/mod.rs", "mod one; mod two; pub struct All; pub use two::Two; use one::One;"),
        // What stands above, another crate, a type's own function, and what only tests take.
        ("src/a/one.rs", "use super::{All, Two}; use std::fmt; fn f() { Two::new(); super::super::b::go(); }"),
        ("src/a/two.rs", "use super::All; mod tests { use super::super::one::One; fn f() { { } } } fn g() {}"),
        ("src/a/two/tests.rs", "use crate::a::one::One;"),
        ("src/b.rs", "pub fn go() {}"),
        // A file of the same name in another crate.
        ("crates/x/src/b.rs", "use crate::a::one::One;"),
        ("crates/x/src/a/one.rs", "pub struct One;"),
    ];
    assert_eq!(circles(&chain), [""; 0]);
}

#[test]
fn public_items_that_only_tests_name_are_found() {
    let files = [
        ("src/a/mod.rs", "mod one; pub use one::{Lost, dropped}; pub(crate) fn narrow() {}"),
        (
            "src/a/one.rs",
            "pub struct Lost;\npub const fn dropped() {}\npub fn used() {} // dropped() in a comment\n\
             pub const KEPT: u32 = 1;\nfn f() { used() }\nmod tests { fn t() { dropped(); } }",
        ),
        ("src/a/tests.rs", "use super::Lost; fn f() { Lost; dropped(); }"),
        ("benches/b.rs", "fn f() { KEPT; }\npub fn bench() {}"),
    ];
    let offences = check_names_used(&parsed(&files)).into_iter();
    let found: Vec<_> =
        offences.map(|offence| format!("{}:{}: {}", offence.path, offence.line, offence.message)).collect();
    let told = [(1, "Lost"), (2, "dropped")]
        .map(|(line, name)| format!("src/a/one.rs:{line}: nothing but tests names `{name}`: use it, or take it away"));
    assert_eq!(found, told);
}
