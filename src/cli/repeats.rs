//! How often the same may be said. It takes causes with the time, and gives leave; it never says anything itself.

use std::collections::BTreeMap;
use std::time::Duration;

/// How long a cause is counted from its first line on.
pub(super) const WINDOW: Duration = Duration::from_secs(60);
/// Lines of one cause within that time.
const LINES_MAX: u32 = 5;
/// Causes that are told apart; beyond it those of one place in the program are one.
const CAUSES_MAX: usize = 256;
/// Letters of a cause.
const LETTERS_MAX: usize = 160;

/// What was said of late.
#[derive(Default)]
pub(super) struct Repeats {
    causes: BTreeMap<Cause, Count>,
}

/// Where in the program, and what, without numbers and names.
type Cause = (String, u32, String);

struct Count {
    since: Duration,
    lines: u32,
    left_out: u64,
}

impl Repeats {
    /// Whether it may be said once more.
    pub(super) fn admits(&mut self, (file, line): (&str, u32), what: &str, now: Duration) -> bool {
        let mut cause = (file.to_owned(), line, without_names(what));
        if !self.causes.contains_key(&cause) && CAUSES_MAX <= self.causes.len() {
            self.causes.retain(|_, count| count.left_out != 0 || now < count.since + WINDOW);
            if CAUSES_MAX <= self.causes.len() {
                // Places in the program are not many.
                cause.2 = "of several causes".to_owned();
            }
        }
        let count = self.causes.entry(cause).or_insert(Count { since: now, lines: 0, left_out: 0 });
        if count.since + WINDOW <= now {
            (count.since, count.lines) = (now, 0);
        }
        if count.lines < LINES_MAX {
            count.lines += 1;
            return true;
        }
        count.left_out = count.left_out.saturating_add(1);
        false
    }

    /// What was left out and how often, of causes whose time is over; of all of them at the `end`.
    pub(super) fn take_left_out(&mut self, now: Duration, end: bool) -> Vec<(String, u64)> {
        let mut told = Vec::new();
        self.causes.retain(|(_, _, what), count| {
            let over = count.since + WINDOW <= now;
            if count.left_out != 0 && (over || end) {
                told.push((what.clone(), std::mem::take(&mut count.left_out)));
            }
            !over
        });
        told
    }
}

/// A text without what changes from one time to the next: words that hold digits.
fn without_names(text: &str) -> String {
    let mut plain = String::new();
    for part in text.split_inclusive(|letter: char| !letter.is_alphanumeric() && letter != '_') {
        let word = part.trim_end_matches(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let varies = word.contains(|letter: char| letter.is_ascii_digit());
        plain += if varies { "#" } else { word };
        plain += &part[word.len()..];
    }
    plain.chars().take(LETTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CAUSES_MAX, LINES_MAX, Repeats, WINDOW};

    const HERE: (&str, u32) = ("till.rs", 7);

    #[test]
    fn a_cause_is_told_a_few_times_and_then_counted() {
        let mut repeats = Repeats::default();
        let mut said = 0;
        for number in 0..1_000_u32 {
            let now = Duration::from_millis(u64::from(number));
            said += u32::from(repeats.admits(HERE, &format!("order transfer_{number:x}9 waits: no disk"), now));
        }
        assert_eq!(said, LINES_MAX);
        assert!(repeats.admits(HERE, "order transfer_19 waits: no network", Duration::ZERO), "another cause");
        assert!(repeats.admits(("till.rs", 8), "order transfer_19 waits: no disk", Duration::ZERO), "another place");
        assert!(repeats.take_left_out(Duration::from_secs(1), false).is_empty(), "its time is not over");
        let told = repeats.take_left_out(WINDOW, false);
        assert_eq!(told, [("order # waits: no disk".to_owned(), 995)]);
        assert!(repeats.take_left_out(WINDOW, true).is_empty(), "told once");
        assert!(repeats.admits(HERE, "order transfer_19 waits: no disk", WINDOW), "its time begins anew");
    }

    #[test]
    fn at_the_end_all_is_told_and_nothing_grows() {
        let mut repeats = Repeats::default();
        let letters = |number: usize| {
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(|l| l.repeat(1 + number / 10))[number % 10].clone()
        };
        let mut said = 0_u64;
        for _ in 0..10 {
            for number in 0..2 * CAUSES_MAX {
                said += u64::from(repeats.admits(HERE, &letters(number), Duration::ZERO));
            }
        }
        assert!(repeats.causes.len() <= CAUSES_MAX + 1);
        let left_out: u64 = repeats.take_left_out(Duration::ZERO, true).iter().map(|(_, times)| times).sum();
        assert_eq!(said + left_out, 20 * CAUSES_MAX as u64);
    }
}
