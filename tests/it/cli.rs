//! The command line as a person meets it: help, answers, errors and exit statuses, as text files below `tests/data/`.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use aisle::ports::FactSource;
use aisle::recording::Reader;
use aisle::shop::{Zone, ZoneKind};

use super::snapshot;

/// All commands; the first is `aisle` itself.
pub(super) const COMMANDS: [&str; 47] = [
    "",
    "demo",
    "replay",
    "import",
    "import autocheckout",
    "simulate",
    "eval",
    "export",
    "export coco",
    "export mot",
    "export frames",
    "export preview",
    "export pictures",
    "check",
    "track",
    "review",
    "review list",
    "review show",
    "review accept",
    "review change",
    "review reject",
    "review assign",
    "receipt",
    "ledger",
    "ledger check",
    "ledger balances",
    "ledger anchor",
    "ledger drill",
    "serve",
    "record",
    "token",
    "token create",
    "token list",
    "token revoke",
    "cameras",
    "cameras find",
    "cameras test",
    "models",
    "models list",
    "models verify",
    "models fetch",
    "models bench",
    "models runtime",
    "see",
    "doctor",
    "completions",
    "man",
];

/// What a command answered.
pub(super) struct Answer {
    pub(super) status: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

/// The `aisle` command in a folder, with nothing of this machine's that could change what it says.
pub(super) fn aisle(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aisle"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command.env("COLUMNS", "100").env_remove("RUST_BACKTRACE").env_remove("CLICOLOR_FORCE");
    command
}

/// Runs the command to its end.
pub(super) fn ask(folder: &Path, arguments: &[&str]) -> Answer {
    let output = aisle(folder, arguments).output().unwrap();
    Answer {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Command, answer and exit status as one text, without what changes from run to run, or as the engine learns.
fn transcript(folder: &Path, arguments: &[&str]) -> String {
    let answer = ask(folder, arguments);
    let mut text = format!("$ aisle {}\n{}", arguments.join(" "), steady(&answer.out));
    if !answer.err.is_empty() {
        text += &format!("--- standard error\n{}", answer.err);
    }
    text + &format!("--- exit status {}\n", answer.status.unwrap())
}

/// Replaces what is measured by `#`: how long it took, how sure it is, what the scales and clocks said and when.
pub(super) fn steady(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let line = match (line.find(" plate batches, "), line.find("replayed in ")) {
            (Some(from), Some(_)) => format!("{} plate batches, #", &line[..from]),
            _ if line.starts_with("clocks:") => "clocks: #".to_owned(),
            _ => unmeasured(line),
        };
        lines += &(line + "\n");
    }
    lines
}

/// Replaces times of day, and numbers beside which a unit of measurement or doubt stands.
fn unmeasured(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let mut steady = words.clone();
    for (at, word) in words.iter().enumerate() {
        let number = word.trim_start_matches(['+', '-', '(']).starts_with(|first: char| first.is_ascii_digit());
        let doubted = 0 < at && words[at - 1] == "\u{b1}";
        let next = words.get(at + 1).map_or("", |next| next.trim_end_matches([',', ';', ')']));
        let time = word.matches(':').count() == 2;
        // Goods have their weight in their name, in whole grams.
        let measured = matches!(next, "%" | "cm") || next == "g" && word.contains('.');
        if number && (doubted || time || measured) {
            steady[at] = "#";
        }
    }
    steady.join(" ")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn help_of_every_command() {
    for command in COMMANDS {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let name = if command.is_empty() { "aisle".to_owned() } else { command.replace(' ', "-") };
        snapshot::check(&format!("help/{name}"), &transcript(root(), &arguments));
    }
    // A new command must come with a page in the list.
    let page = ask(root(), &["--help"]).out;
    let listed = page.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        assert!(COMMANDS.contains(&name), "no snapshot of `aisle {name} --help`");
    }
}

#[test]
fn answers() {
    let folder = tempfile::tempdir().unwrap();
    let trip = "simulate --scenario put-back --seed 1 -o trip.mcap";
    let lines = [
        ("demo", "demo --scenario put-back --seed 1"),
        ("simulate", trip),
        ("simulate-list", "simulate --list"),
        ("replay", "replay trip.mcap"),
        ("charge", "replay trip.mcap --charge --db till.db"),
        ("charge-again", "replay trip.mcap --charge --db till.db"),
        ("ledger-check", "ledger check --db till.db"),
        ("ledger-check-named", "ledger check till.db"),
        ("ledger-balances", "ledger balances --db till.db"),
        ("ledger-missing", "ledger check --db nothing.db"),
        ("ledger-no-book", "ledger check --db trip.mcap"),
        ("ledger-no-server", "ledger check --db postgres://aisle:secret@127.0.0.1:1/shop"),
        ("review-empty", "review list --db till.db"),
        ("review-unknown", "review accept case_00000000000000000000000000000000 --by ann --db till.db"),
        ("receipt-unknown", "receipt cart_00000000000000000000000000000000 --db till.db"),
        ("receipt-malformed", "receipt 17 --db till.db"),
        ("eval-no-scenario", "eval --scenarios dancing"),
        ("replay-missing", "replay nothing.mcap"),
        ("import-missing", "import autocheckout nothing -o trip.mcap"),
        ("import-file", "import autocheckout trip.mcap -o other.mcap"),
        ("import-decided", "import autocheckout nothing -o trip.mcap --cut decided"),
        ("check-missing", "check nothing"),
        ("unknown-command", "dance"),
    ];
    for (name, line) in lines {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        snapshot::check(&format!("answers/{name}"), &transcript(folder.path(), &arguments));
    }
    snapshot::check("answers/check-demo", &transcript(root(), &["check", "calibration/demo"]));
}

#[test]
fn imports_of_broken_folders_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    fs::create_dir(&case).unwrap();
    let line = ["import", "autocheckout", "case", "-o", "trip.mcap"];
    snapshot::check("answers/import-empty-folder", &transcript(folder.path(), &line));
    fs::write(case.join("plate_data.json"), "").unwrap();
    snapshot::check("answers/import-no-planogram", &transcript(folder.path(), &line));
    fs::write(case.join("planogram.json"), "[{").unwrap();
    fs::write(case.join("products.json"), "[]").unwrap();
    snapshot::check("answers/import-torn-planogram", &transcript(folder.path(), &line));
    assert!(!folder.path().join("trip.mcap").exists());
}

#[test]
fn a_broken_shop_lists_everything_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let shop = folder.path().join("shop");
    fs::create_dir(&shop).unwrap();
    for name in ["shop.toml", "catalogue.toml", "planogram.toml"] {
        let text = fs::read_to_string(root().join("calibration/demo").join(name)).unwrap();
        let text = match name {
            "shop.toml" => text.replace("absence_secs_max = 20\n", "absence_secs = 20\n"),
            "catalogue.toml" => text.replacen("weight_grams = 521.5", "weight_grams = -1\ncolour = \"blue\"", 1),
            _ => text.replacen("plates = \"1-3\"", "plates = \"1-99\"", 1),
        };
        fs::write(shop.join(name), text).unwrap();
    }
    snapshot::check("answers/check-broken", &transcript(folder.path(), &["check", "shop"]));
    snapshot::check("answers/check-broken-json", &transcript(folder.path(), &["check", "shop", "--json"]));
}

#[test]
fn demo_and_eval_speak_json() {
    let json = |line: &str| -> serde_json::Value {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let answer = ask(root(), &arguments);
        assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""), "{line}");
        serde_json::from_str(&answer.out).unwrap()
    };
    let demo = json("demo --scenario single-pick --json");
    let line = &demo["receipts"][0]["lines"][0];
    assert!(line["sku"].is_string() && line["quantity"].is_u64() && line["probability"].is_f64(), "{demo:#}");
    assert!(!demo["attributions"].as_array().unwrap().is_empty());
    let eval = json("eval --scenarios single-pick --seeds 2 --json");
    let overall = &eval["overall"];
    assert_eq!(overall["mean_f1"], 1.0, "{eval:#}");
    assert_eq!(overall["exact_receipts"]["share"], 1.0);
    assert_eq!(eval["cases"].as_array().unwrap().len(), 2);
    let check = json("check calibration/demo --json");
    assert_eq!(check["ok"], true);
}

#[test]
fn a_simulated_day_without_zones_is_the_same_day_in_a_shop_that_names_no_doors() {
    let folder = tempfile::tempdir().unwrap();
    let held = |line: &str| {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let answer = ask(folder.path(), &[&arguments[..], &["-o", "trip.mcap"]].concat());
        assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""), "{line}");
        let path = folder.path().join("trip.mcap");
        let (mut reader, mut facts) = (Reader::open(&path).unwrap(), Vec::new());
        while let Some(fact) = reader.next_fact().unwrap() {
            facts.push(format!("{fact:?}"));
        }
        (reader.shop().clone(), reader.truth().cloned().unwrap(), facts)
    };
    for line in [
        "simulate --shop convenience --cut tracked --scenario families --level room --seconds 30",
        "simulate --shop micro-market --cut raw --rate 1 --width 160 --scenario alike --seconds 20",
    ] {
        let (with, without) = (held(line), held(&format!("{line} --without-zones")));
        let is_door = |zone: &Zone| zone.kind != ZoneKind::Closed;
        assert!(with.0.zones().iter().any(is_door) && !without.0.zones().iter().any(is_door), "{line}");
        assert_eq!(with.0.catalogue().products().len(), without.0.catalogue().products().len());
        assert!(!with.1.receipts.is_empty() && with.1 == without.1, "{line}");
        assert!(!with.2.is_empty() && with.2 == without.2, "{line}");
    }
    // Where there was nothing to leave out, that is said.
    fs::write(folder.path().join("shop.toml"), small_shop("Doorless", "Chalk", "")).unwrap();
    let line = ["simulate", "--shop", "shop.toml", "--scenario", "single-pick", "--without-zones", "-o", "trip.mcap"];
    let answer = ask(folder.path(), &line);
    assert_eq!(answer.status, Some(0), "{}", answer.err);
    assert!(
        answer.err.contains("names no entrance and no exit, so --without-zones leaves nothing out"),
        "{}",
        answer.err
    );
}

#[test]
fn eval_says_that_zones_were_left_out_wherever_it_says_what_was_simulated() {
    let folder = tempfile::tempdir().unwrap();
    let eval = |more: &[&str]| {
        let line = ["eval", "--scenarios", "single-pick", "--seeds", "1", "--without-zones"];
        let answer = ask(folder.path(), &[&line[..], more].concat());
        assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""));
        answer.out
    };
    let table = eval(&["--html", "page.html"]);
    assert!(table.contains("\nsingle-pick without zones  room"), "{table}");
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("single-pick without zones") && page.contains("entrance and exit left out"));
    let json: serde_json::Value = serde_json::from_str(&eval(&["--json"])).unwrap();
    assert_eq!(json["groups"][0]["name"], "single-pick without zones");
    let replay = json["cases"][0]["label"]["replay"].as_str().unwrap();
    assert!(replay.starts_with("aisle simulate ") && replay.contains(" --without-zones "), "{replay}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let lines = [
        "--help",
        "demo --quick",
        "demo --json",
        "simulate --list",
        "check calibration/demo",
        "check calibration/demo --json",
        "eval --scenarios single-pick --seeds 1",
        "eval --scenarios single-pick --seeds 1 --json",
    ];
    for line in lines {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let mut child = aisle(root(), &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""), "aisle {line}");
    }
}

/// A shop of one shelf with its name, the name of its product, and what stands behind it.
fn small_shop(name: &str, product: &str, more: &str) -> String {
    format!(
        "name = \"{name}\"\n[policy]\ncurrency = \"USD\"\n[[product]]\nsku = \"4006381333931\"\nname = \"{product}\"\n\
         weight_grams = 250\nprice = \"2.50\"\n[[gondola]]\nplate_count = 4\n[[gondola.shelf]]\nheight_metres = 1.0\n\
         facings = [{{ sku = \"4006381333931\", plates = \"1-4\" }}]\n{more}"
    )
}

#[test]
fn names_never_reach_the_terminal_as_commands() {
    let folder = tempfile::tempdir().unwrap();
    let text = small_shop("x\\u001b]52;c;ZQ==\\u0007\\nFAKE", "\\u009b31m\\u001b[2J\\nFAKE", "");
    fs::write(folder.path().join("shop.toml"), text).unwrap();
    let mut recorded: serde_json::Value = serde_json::to_value(aisle::sim::demo_shop().draft()).unwrap();
    recorded["products"][0]["name"] = "\u{1b}[2J\u{202e}\nFAKE".into();
    fs::write(folder.path().join("recorded.json"), recorded.to_string()).unwrap();
    for arguments in [
        &["check", "shop.toml"][..],
        &["check", "shop.toml", "--json"],
        &["check", "recorded.json"],
        &["simulate", "--shop", "shop.toml", "-o", "trip.mcap"],
        &["serve", "--shop", "shop.toml", "--db", "book.db"],
        &["check", "no\u{1b}[2J\nFAKE.toml"],
        &["see", "no\u{1b}[2J\nFAKE.png", "-o", "seen.png"],
    ] {
        let answer = ask(folder.path(), arguments);
        let all = answer.out + &answer.err;
        assert!(answer.status.is_some_and(|status| status != 0), "{arguments:?}: {all}");
        assert!(!all.chars().any(|letter| letter.is_control() && letter != '\n'), "{arguments:?}: {all:?}");
        assert!(!all.lines().any(|line| line.starts_with("FAKE")), "{arguments:?}: {all}");
        let named = arguments[1].starts_with("no") || all.contains("has control characters");
        assert!(named, "{arguments:?}: {all}");
    }
    assert!(!folder.path().join("book.db").exists(), "a shop that is not in order leaves no book behind");
}

#[test]
fn a_shop_with_nothing_in_it_is_refused_wherever_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("empty.toml"), "").unwrap();
    for arguments in [
        &["check", "empty.toml"][..],
        &["simulate", "--shop", "empty.toml", "-o", "trip.mcap"],
        &["serve", "--shop", "empty.toml", "--db", "book.db", "--listen", "127.0.0.1:0"],
    ] {
        let answer = ask(folder.path(), arguments);
        assert_eq!(answer.status, Some(3), "{arguments:?}: {}", answer.err);
        assert!(answer.err.contains("no shelves and no products"), "{arguments:?}: {}", answer.err);
    }
}

#[test]
fn limits_of_the_provider_are_known_before_the_door() {
    let folder = tempfile::tempdir().unwrap();
    let check = |hold: &str| {
        let stripe = "[payment]\nprovider = \"stripe\"\nsecret_key_env = \"A\"\nwebhook_secret_env = \"B\"\n";
        let text = small_shop("x", "y", stripe)
            .replace("currency = \"USD\"", &format!("currency = \"USD\"\nhold_minor = {hold}"));
        fs::write(folder.path().join("shop.toml"), text).unwrap();
        ask(folder.path(), &["check", "shop.toml"])
    };
    let answer = check("30");
    assert_eq!(answer.status, Some(3));
    assert!(answer.err.contains("hold_minor is 30") && answer.err.contains("0.50 USD"), "{}", answer.err);
    let answer = check("50");
    assert_eq!(answer.status, Some(0));
    // The shop is warned that it names no doors, and of nothing else.
    assert!(answer.err.lines().count() == 1 && answer.err.contains("entrance or exit"), "{}", answer.err);
}

#[test]
fn receipts_have_the_time_of_the_shop_from_its_file_to_its_paper() {
    let folder = tempfile::tempdir().unwrap();
    let text = small_shop("トーキョー", "おにぎり", "").replace("[policy]", "timezone = \"Asia/Tokyo\"\n[policy]");
    fs::write(folder.path().join("shop.toml"), text).unwrap();
    let done = |arguments: &[&str]| {
        let answer = ask(folder.path(), arguments);
        assert_eq!(answer.status, Some(0), "{arguments:?}: {}{}", answer.out, answer.err);
        answer.out
    };
    done(&["simulate", "--shop", "shop.toml", "--scenario", "single-pick", "--seed", "1", "-o", "trip.mcap"]);
    let replayed = done(&["replay", "trip.mcap", "--charge", "--db", "book.db"]);
    assert!(replayed.contains("+09:00"), "{replayed}");
    let cart = &replayed[replayed.find("cart_").unwrap()..][..37];
    for form in ["text", "html", "poslog", "epcis"] {
        let paper = done(&["receipt", cart, "--db", "book.db", "--form", form]);
        assert!(paper.contains("+09:00") && !paper.contains("+00:00"), "{form}: {paper}");
    }
}
