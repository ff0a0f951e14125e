//! What tests leave out because this machine lacks data or a program. It is told, and written down for `.ci/run`, which says
//! at its end how much was left out: a test that passes because it looked at nothing should not go unseen.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::thread;

/// Names the file that is written to.
const FILE: &str = "AISLE_SKIPPED";

/// Says that the test that runs leaves something out for want of a thing, and how to get that.
pub(super) fn left_out(want: &str, how: &str) {
    eprintln!("left out for want of {want}: {how}");
    let Some(path) = std::env::var_os(FILE) else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    // The thread of a test has its name. One write a line, for tests run beside each other.
    let line = format!("{}\t{want}\n", thread::current().name().unwrap_or("a test"));
    file.write_all(line.as_bytes()).unwrap();
}
