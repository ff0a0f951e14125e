//! Changes inputs: a few small accidents and malices at a time.

use aisle::base::rng::Dice;
use rand::RngExt;

/// Changes of one input, at most.
const CHANGES_MAX: u32 = 6;
/// Bytes that are doubled, inserted or taken from elsewhere at a time, at most.
const PIECE_BYTES_MAX: usize = 256;
/// Numbers at which things break, as text.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1e999",
    "-0.0",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "-9223372036854775808",
    "4294967296",
    "1e-320",
    "65536",
    "null",
    "\"\"",
    "[]",
];
/// The same as eight bytes.
const LENGTHS: [u64; 8] = [0, 1, 255, 65_536, 1 << 31, 1 << 40, u64::MAX >> 1, u64::MAX];

/// One of the inputs, changed.
pub(super) fn changed(inputs: &[&[u8]], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = inputs[dice.random_range(0..inputs.len())].to_vec();
    for _ in 0..dice.random_range(1..=CHANGES_MAX) {
        change(&mut bytes, inputs, dice);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, inputs: &[&[u8]], dice: &mut Dice) {
    let at = dice.random_range(0..=bytes.len());
    let length = dice.random_range(0..=PIECE_BYTES_MAX.min(bytes.len() - at));
    match dice.random_range(0..10) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.random_range(0..8),
        1 if at < bytes.len() => bytes[at] = dice.random(),
        2 => drop(bytes.drain(at..at + length)),
        3 => {
            let piece = bytes[at..at + length].to_vec();
            let to = dice.random_range(0..=bytes.len());
            bytes.splice(to..to, piece);
        }
        4 => {
            let piece: Vec<u8> = (0..dice.random_range(1..9)).map(|_| dice.random()).collect();
            bytes.splice(at..at, piece);
        }
        5 if at + 8 <= bytes.len() => {
            bytes[at..at + 8].copy_from_slice(&LENGTHS[dice.random_range(0..LENGTHS.len())].to_le_bytes());
        }
        6 => bytes.truncate(at),
        7 => {
            let other = inputs[dice.random_range(0..inputs.len())];
            let from = dice.random_range(0..=other.len());
            let piece = &other[from..(from + PIECE_BYTES_MAX).min(other.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
        8 | 9 => replace_number(bytes, at, dice),
        _ => bytes.push(dice.random()),
    }
}

/// Replaces the next number that stands in the text, if there is one.
fn replace_number(bytes: &mut Vec<u8>, from: usize, dice: &mut Dice) {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'-' || *byte == b'.';
    let Some(start) = bytes[from..].iter().position(is_digit).map(|found| from + found) else { return };
    let length = bytes[start..].iter().take_while(|byte| is_digit(byte)).count();
    bytes.splice(start..start + length, NUMBERS[dice.random_range(0..NUMBERS.len())].bytes());
}
