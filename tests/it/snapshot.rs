//! What a command said, compared with what it said when somebody last looked: text files below `tests/data/`.
//! `AISLE_BLESS=1 cargo test --release` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Lines of a difference that are shown.
const LINES_MAX: usize = 60;

/// Compares with `tests/data/NAME.txt`; with `AISLE_BLESS=1` writes it instead.
pub(super) fn check(name: &str, text: &str) {
    check_file(&format!("{name}.txt"), text);
}

/// Compares with the file below `tests/data/`; with `AISLE_BLESS=1` writes it instead.
pub(super) fn check_file(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    if std::env::var_os("AISLE_BLESS").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        expected == text,
        "{} differs; if the new text is right: AISLE_BLESS=1 cargo test --release\n{}",
        path.display(),
        difference(&expected, text)
    );
}

/// Lines that went with `-`, lines that came with `+`, by longest common subsequence.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] =
                if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut text, mut shown) = (0, 0, String::new(), 0);
    while (i < old.len() || j < new.len()) && shown < LINES_MAX {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        shown += 1;
        if j == new.len() || i < old.len() && common[i][j + 1] <= common[i + 1][j] {
            let _ = writeln!(text, "{:>5} - {}", i + 1, old[i]);
            i += 1;
        } else {
            let _ = writeln!(text, "{:>5} + {}", j + 1, new[j]);
            j += 1;
        }
    }
    text
}

#[test]
fn differences_are_shown_by_line() {
    assert_eq!(difference("a\nb\nc\n", "a\nc\nd\n"), "    2 - b\n    3 + d\n");
    assert_eq!(difference("", "x"), "    1 + x\n");
}
