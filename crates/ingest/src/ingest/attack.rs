//! Inputs that nobody meant well: kept examples, changed by dice, in the same ways at each run. The tests that use it run under a fuzzer
//! too (`cargo +nightly bolero test -p aisle-ingest --lib NAME`), which looks where the code goes.

use rand::RngExt;

use crate::base::rng::{Dice, dice};

/// Changes of one input, at most.
const CHANGES_MAX: u32 = 5;
/// Bytes that are doubled or taken from elsewhere at a time, at most.
const PIECE_BYTES_MAX: usize = 64;
/// At which things break, as text.
const WORDS: [&str; 10] =
    ["0", "-1", "1e999", "18446744073709551616", "null", "\"", "{}", "\u{202e}", "\r\n\r\n", "99999999999"];

/// Tries a function on examples and on so many changes of them.
pub(crate) fn attack(name: &str, rounds: u64, examples: &[&[u8]], mut target: impl FnMut(&[u8])) {
    examples.iter().for_each(|example| target(example));
    for round in 0..rounds {
        target(&changed(examples, &mut dice(round, name)));
    }
}

fn changed(examples: &[&[u8]], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = examples[dice.random_range(0..examples.len())].to_vec();
    for _ in 0..dice.random_range(1..=CHANGES_MAX) {
        let at = dice.random_range(0..=bytes.len());
        let end = at + dice.random_range(0..=PIECE_BYTES_MAX.min(bytes.len() - at));
        match dice.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = dice.random(),
            2 => drop(bytes.drain(at..end)),
            3 => bytes.truncate(at),
            4 => drop(bytes.splice(at..at, WORDS[dice.random_range(0..WORDS.len())].bytes())),
            5 => {
                let piece = bytes[at..end].to_vec();
                let to = dice.random_range(0..=bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {
                let other = examples[dice.random_range(0..examples.len())];
                let from = dice.random_range(0..=other.len());
                bytes.splice(at..end, other[from..].iter().copied());
            }
        }
    }
    bytes
}

/// A test that tries a function on examples, and is a target of a fuzzer.
macro_rules! target {
    ($name:ident, $rounds:expr, $examples:expr, $function:expr) => {
        #[test]
        fn $name() {
            if !cfg!(fuzzing) {
                crate::ingest::attack::attack(stringify!($name), $rounds, $examples, $function);
            }
            // Under a fuzzer this is the whole test; otherwise it tries nothing unless it is asked to.
            bolero::check!().with_iterations(0).with_max_len(64 << 10).for_each(|input: &[u8]| $function(input));
        }
    };
}

pub(crate) use target;
