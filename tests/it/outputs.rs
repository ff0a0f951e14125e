//! Where the results of commands go: never over what they read, through links, pipes and devices, and whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::cli::{aisle, ask};

/// A folder with a trip, a foreign folder, and a file that is none of aisle's.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = ask(folder.path(), &["simulate", "--scenario", "single-pick", "--seed", "3", "-o", "trip.mcap"]);
    assert_eq!(made.status, Some(0), "{}", made.err);
    fs::create_dir_all(folder.path().join("seq/det")).unwrap();
    let info = "[Sequence]\nname=seq\nimDir=img1\nframeRate=10\nseqLength=2\nimWidth=64\nimHeight=48\nimExt=.jpg\n";
    fs::write(folder.path().join("seq/seqinfo.ini"), info).unwrap();
    fs::write(folder.path().join("seq/det/det.txt"), "1,-1,1,1,20,40,0.9,-1,-1,-1\n").unwrap();
    fs::write(folder.path().join("trip.json.part"), "somebody's").unwrap();
    folder
}

/// Every file below, with what is in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            true => all.extend(files(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes))),
            false => drop(all.insert(name, fs::read(&path).unwrap())),
        }
    }
    all
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::hard_link(at("trip.mcap"), at("hard.mcap")).unwrap();
    fs::hard_link(at("seq/det/det.txt"), at("det.txt")).unwrap();
    let whole = at("trip.mcap").to_string_lossy().into_owned();
    let mut spelled = vec!["trip.mcap", "./trip.mcap", "seq/../trip.mcap", "hard.mcap", whole.as_str()];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("trip.mcap", at("link.mcap")).unwrap();
        spelled.push("link.mcap");
    }
    let before = files(folder.path());
    let mut commands: Vec<Vec<&str>> = Vec::new();
    for name in &spelled {
        commands.push(vec!["replay", "trip.mcap", "--record", name]);
        commands.push(vec!["replay", "trip.mcap", "--receipts", name]);
        commands.push(vec!["eval", "trip.mcap", "--html", name]);
        commands.push(vec!["see", "trip.mcap", "--truth", "-o", name]);
    }
    for name in ["det.txt", "seq/det/det.txt", "seq/../seq/seqinfo.ini"] {
        commands.push(vec!["track", "seq", "-o", name]);
    }
    // What would be lost, not replaced: the first of two recordings, and one of two results.
    commands.push(vec!["replay", "trip.mcap", "hard.mcap", "--record", "new.mcap"]);
    commands.push(vec!["replay", "trip.mcap", "--record", "new.mcap", "--receipts", "./new.mcap"]);
    commands.push(vec!["export", "frames", "trip.mcap", "-o", "seq"]);
    commands.push(vec!["export", "frames", "trip.mcap", "-o", "trip.mcap"]);
    for command in commands {
        let answer = ask(folder.path(), &command);
        assert_eq!(answer.status, Some(2), "{command:?}: {}", answer.err);
        assert!(answer.err.contains("hint: "), "{command:?}: {}", answer.err);
        assert!(files(folder.path()) == before, "{command:?} changed something");
    }
}

#[test]
fn rows_may_lie_beside_what_they_come_of() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("seq/gt")).unwrap();
    fs::write(at("seq/gt/gt.txt"), "1,1,1,1,20,40,1,1,1\n").unwrap();
    // The second time it is there already, and is replaced.
    for name in ["seq/out.txt", "seq/det/out.txt", "seq/out.txt"] {
        let answer = ask(folder.path(), &["track", "seq", "-o", name]);
        assert_eq!(answer.status, Some(0), "{name}: {}", answer.err);
    }
    let before = files(folder.path());
    for name in ["seq/gt/gt.txt", "seq/det/det.txt", "seq/seqinfo.ini"] {
        let answer = ask(folder.path(), &["track", "seq", "-o", name]);
        assert_eq!(answer.status, Some(2), "{name}: {}", answer.err);
        assert!(answer.err.contains("this would replace"), "{name}: {}", answer.err);
        assert!(files(folder.path()) == before, "{name} changed something");
    }
}

#[test]
fn a_book_is_no_place_for_results() {
    let folder = folder();
    let booked = ask(folder.path(), &["replay", "trip.mcap", "--charge", "--db", "till.db"]);
    assert_eq!(booked.status, Some(0), "{}", booked.err);
    let before = fs::read(folder.path().join("till.db")).unwrap();
    for command in [
        &["replay", "trip.mcap", "--record", "till.db"][..],
        &["replay", "trip.mcap", "--receipts", "till.db"],
        &["eval", "trip.mcap", "--html", "till.db"],
    ] {
        let answer = ask(folder.path(), command);
        assert_eq!(answer.status, Some(2), "{command:?}: {}", answer.err);
        assert!(answer.err.contains("this file is a database"), "{}", answer.err);
        assert!(fs::read(folder.path().join("till.db")).unwrap() == before);
    }
}

#[test]
fn failed_commands_leave_results_and_files_of_others_as_they_were() {
    let folder = folder();
    let trip = fs::read(folder.path().join("trip.mcap")).unwrap();
    fs::write(folder.path().join("torn.mcap"), &trip[..trip.len() / 2]).unwrap();
    fs::write(folder.path().join("trip.json"), "of yesterday").unwrap();
    let before = files(folder.path());
    for command in [
        &["replay", "torn.mcap", "--record", "trip.json"][..],
        &["replay", "torn.mcap", "--receipts", "trip.json"],
        &["replay", "trip.mcap", "torn.mcap", "--receipts", "trip.json"],
        &["export", "preview", "torn.mcap", "-o", "look"],
        &["replay", "trip.mcap", "--record", "none/new.mcap"],
    ] {
        let answer = ask(folder.path(), command);
        assert!(matches!(answer.status, Some(3 | 4)), "{command:?}: {}", answer.err);
        assert!(files(folder.path()) == before, "{command:?} changed something");
    }
    assert_eq!(ask(folder.path(), &["replay", "trip.mcap", "--receipts", "trip.json"]).status, Some(0));
    let after = files(folder.path());
    assert_eq!(after.len(), before.len());
    assert!(after["trip.json.part"] == b"somebody's" && after["trip.json"].starts_with(b"{"));
}

#[cfg(unix)]
#[test]
fn results_go_where_the_shell_would_put_them() {
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::process::Stdio;

    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::write(at("real/old.json"), "{}").unwrap();
    symlink("real/old.json", at("old.json")).unwrap();
    symlink("real/new.mcap", at("new.mcap")).unwrap();
    let answer = ask(folder.path(), &["replay", "trip.mcap", "--receipts", "old.json", "--record", "new.mcap"]);
    assert_eq!(answer.status, Some(0), "{}", answer.err);
    assert!(fs::symlink_metadata(at("old.json")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(at("new.mcap")).unwrap().is_symlink());
    let receipts = fs::read_to_string(at("real/old.json")).unwrap();
    assert!(receipts.contains("\"receipts\""));
    let recorded = fs::read(at("real/new.mcap")).unwrap();
    assert_eq!(ask(folder.path(), &["replay", "real/new.mcap"]).status, Some(0));
    // What goes to standard output or into a pipe is the same, to the byte.
    let mut child =
        aisle(folder.path(), &["replay", "trip.mcap", "--json", "--record", "/dev/stderr", "--receipts", "/dev/null"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
    let mut piped = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut piped).unwrap();
    assert!(child.wait().unwrap().success() && piped == recorded);
    let to_stdout = ask(folder.path(), &["replay", "trip.mcap", "--receipts", "/dev/stdout"]);
    // What is said beside it goes elsewhere, so that the file is whole.
    assert_eq!((to_stdout.status, to_stdout.out.as_str()), (Some(0), receipts.as_str()));
    assert!(to_stdout.err.contains("plate batches"), "{}", to_stdout.err);
    let as_json = ask(folder.path(), &["replay", "trip.mcap", "--json", "--receipts", "/dev/fd/1"]);
    assert_eq!((as_json.status, as_json.out.as_str()), (Some(0), receipts.as_str()));
    let made = aisle(folder.path(), &["simulate", "--scenario", "single-pick", "--seed", "3", "-o", "/dev/stdout"]);
    let made = { made }.output().unwrap();
    assert!(made.status.success() && made.stdout == fs::read(at("trip.mcap")).unwrap());
    for command in [vec!["simulate", "-o", "-"], vec!["replay", "trip.mcap", "--record", "-"]] {
        let dash = ask(folder.path(), &command);
        assert!(dash.status == Some(2) && dash.err.contains("write /dev/stdout"), "{} {}", dash.out, dash.err);
        assert!(!at("-").exists());
    }
    // A shell that has an open file for it.
    let script = format!(
        "{} replay trip.mcap --receipts /dev/fd/3 3> three.json > /dev/null && cat three.json",
        env!("CARGO_BIN_EXE_aisle")
    );
    let shell = std::process::Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    assert!(shell.status.success() && shell.stdout == receipts.as_bytes());
    // A recording cannot be read from a pipe, and that is said.
    let script = format!("cat trip.mcap | {} replay /dev/stdin", env!("CARGO_BIN_EXE_aisle"));
    let shell = std::process::Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    assert_eq!(shell.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&shell.stderr).contains("this is not a file, and a recording is one"));
}

/// What is printed to be pasted, and what is refused before anything is made.
#[test]
fn commands_can_be_pasted_and_nothing_is_left_behind() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let refused = |line: &[&str], status: i32, words: &[&str]| {
        let answer = ask(folder.path(), line);
        assert_eq!(answer.status, Some(status), "{line:?}: {}{}", answer.out, answer.err);
        words.iter().for_each(|word| assert!(answer.err.contains(word), "{word}: {}", answer.err));
    };
    fs::copy(at("trip.mcap"), at("tr ip.mcap")).unwrap();
    let judged = ask(folder.path(), &["eval", "tr ip.mcap", "--json"]);
    assert!(judged.out.contains("aisle replay 'tr ip.mcap'"), "{}", judged.out);
    let operator = ["token", "create", "--role", "operator", "--holder", "ann", "--db"];
    refused(&[&operator[..], &[":memory:"]].concat(), 2, &["a book in memory is gone", "--db"]);
    refused(&["serve", "--feed", "nosuch.mcap", "--db", "new.db"], 4, &["nosuch.mcap"]);
    assert!(!at("new.db").exists());
    refused(&["serve", "--feed", "trip.mcap", "--speed", "10x"], 2, &["write a number such as 10"]);
    fs::write(at("list.json"), "[]").unwrap();
    refused(&["check", "list.json"], 3, &["expected an object"]);
    fs::create_dir(at("empty")).unwrap();
    refused(&["check", "empty"], 3, &["aisle check micro-market"]);
    // A book that was cut is damaged, not somebody else's.
    let made = ask(folder.path(), &[&operator[..], &["till.db"]].concat());
    assert_eq!(made.status, Some(0), "{}", made.err);
    let book = fs::read(at("till.db")).unwrap();
    fs::write(at("half.db"), &book[..book.len() / 2 + 100]).unwrap();
    refused(&["ledger", "check", "--db", "half.db"], 3, &["this database is damaged", "keep it as it is"]);
    #[cfg(unix)]
    refused(&["ledger", "check", "--db", "/dev/null"], 2, &["not a regular file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_token_that_nobody_has_seen_is_not_valid() {
    let folder = tempfile::tempdir().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let make = ["token", "create", "--role", "operator", "--holder", "ann", "--db", "till.db"];
    let made = aisle(folder.path(), &make).stdout(full).output().unwrap();
    assert_eq!(made.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&made.stderr).contains("the token was revoked"));
    let list = ask(folder.path(), &["token", "list", "--db", "till.db"]);
    assert!(list.out.lines().count() == 1 && list.out.contains("revoked"), "{}", list.out);
}

#[test]
fn pictures_of_one_stem_are_two_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("frames")).unwrap();
    let mut picture = aisle::image::RgbImage::new(64, 48);
    picture.pixels_mut().fill(90);
    fs::write(at("frames/a.png"), aisle::image::encode_png(&picture).unwrap()).unwrap();
    fs::write(at("frames/a.jpg"), aisle::image::encode_jpeg(&picture, 90).unwrap()).unwrap();
    let answer = ask(folder.path(), &["see", "frames", "-o", "seen", "--engine", "embedded"]);
    // Without a model that looks for people there is nothing to see with.
    if answer.status == Some(3) && answer.err.contains("model") {
        return;
    }
    assert_eq!(answer.status, Some(0), "{}", answer.err);
    assert_eq!(files(&at("seen")).into_keys().collect::<Vec<_>>(), ["a.jpg", "a.png.jpg"]);
}
