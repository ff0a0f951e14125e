//! Anchors as somebody keeps them: made by one command, held against the book by another.

use std::fs;
use std::path::Path;

use super::cli::ask;

/// What a command says on standard output; it must end with this status and say these words on standard error.
#[track_caller]
fn says(folder: &Path, line: &str, status: i32, words: &str) -> String {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let answer = ask(folder, &arguments);
    assert_eq!(answer.status, Some(status), "{line}: {}{}", answer.out, answer.err);
    assert!(answer.err.contains(words), "{line}: {}", answer.err);
    answer.out
}

#[test]
fn a_book_that_is_taken_back_no_longer_has_its_anchors() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let key = says(at, "ledger anchor --new-key key.txt", 0, "");
    let key = key.trim();
    says(at, "ledger anchor --new-key key.txt", 4, "key.txt");
    says(at, "simulate --scenario put-back --seed 1 -o trip.mcap", 0, "");
    says(at, "replay trip.mcap --anchors anchors.txt", 2, "--charge");
    says(at, "replay trip.mcap --charge --db till.db --anchors anchors.txt --anchor-key key.txt", 0, "");
    fs::copy(at.join("till.db"), at.join("old.db")).unwrap();
    says(at, "token create --role gate --holder north --db till.db", 0, "");
    says(at, "ledger anchor --db till.db --to anchors.txt --key key.txt", 0, "");
    let lines = fs::read_to_string(at.join("anchors.txt")).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    let printed = says(at, "ledger anchor --db till.db --key key.txt", 0, "");
    // Ed25519 signs without dice: but for the time, the line is the same.
    assert_eq!(printed.split(" transfers=").nth(1).unwrap().split(" key=").next(), {
        lines.lines().last().unwrap().split(" transfers=").nth(1).unwrap().split(" key=").next()
    });

    let good = says(at, &format!("ledger check --db till.db --anchors anchors.txt --anchor-key {key}"), 0, "");
    assert!(good.contains("2 anchors held against it"), "{good}");
    let other = "0".repeat(64);
    let wrong_key = format!("ledger check --db till.db --anchors anchors.txt --anchor-key {other}");
    assert!(says(at, &wrong_key, 1, "not in order").contains(&format!("a signature by {other}")));
    says(at, "ledger check --db old.db", 0, "");
    let taken_back = says(at, "ledger check --db old.db --anchors anchors.txt", 1, "anchor, line 2");
    assert!(taken_back.contains("expected seal") && !taken_back.contains("line 1,"), "{taken_back}");

    fs::write(at.join("garbage.txt"), "not an anchor\naisle-anchor 1 at=x transfers=1:\n").unwrap();
    says(at, "ledger check --db till.db --anchors garbage.txt", 3, "line 1");
    fs::write(at.join("empty.txt"), "\n").unwrap();
    says(at, "ledger check --db till.db --anchors empty.txt", 3, "proves nothing");
    says(at, "ledger check --db till.db --anchors missing.txt", 4, "missing.txt");
    says(at, "ledger anchor --db till.db --key anchors.txt", 3, "no key");
}
