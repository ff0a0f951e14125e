//! Whatever comes from outside, nothing panics, hangs or grows without bound. Every target takes bytes. An ordinary run
//! tries the kept corpus (`tests/data/fuzz/TARGET`) and changes it with seeded dice, always in the same ways; the same
//! targets run under a fuzzer that looks where the code goes:
//! `cargo +nightly bolero test --test it --corpus-dir tests/data/fuzz/facts fuzz::facts` (cargo-bolero, libFuzzer).
//!
//! A new target is one `target!` line, a function and a folder with at least one example. What a fuzzer finds is kept as a
//! file of that folder. `AISLE_FUZZ_ROUNDS=1000000 cargo test --release fuzz` tries longer.

use std::fs;
use std::path::{Path, PathBuf};

use aisle::base::rng::{Dice, dice};
use rand::RngExt;

mod addresses;
mod journals;
mod mutate;
mod order;
mod pictures;
mod receipts;
mod targets;

/// Bytes of an input; longer ones are cut. All that we read has its own bounds far above this.
const INPUT_BYTES_MAX: usize = 64 << 10;

/// A test that tries a target on its corpus and on so many changes of it.
macro_rules! target {
    ($name:ident, $rounds:expr, $function:path) => {
        #[test]
        fn $name() {
            if !cfg!(fuzzing) {
                attack(stringify!($name), $rounds, $function);
            }
            // Under a fuzzer this is the whole test; otherwise it tries nothing unless it is asked to.
            bolero::check!().with_iterations(0).with_max_len(INPUT_BYTES_MAX).for_each(|input: &[u8]| $function(input));
        }
    };
}

target!(recordings, 2_000, targets::recording);
target!(orders, 600, order::messages);
target!(facts, 2_000, targets::facts);
target!(outputs, 300, order::output);
target!(engine, 400, targets::engine);
target!(shops, 1_500, targets::shop);
target!(folders, 800, targets::folder);
target!(networks, 4_000, targets::network);
target!(numbers, 3_000, targets::number);
target!(documents, 1_500, receipts::document);
target!(pictures, 1_500, pictures::picture);
target!(addresses, 4_000, addresses::address);
target!(journals, 300, journals::segment);

fn corpus_folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz").join(target)
}

/// The kept inputs of a target, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(corpus_folder(target)).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

fn attack(target: &str, rounds: u64, function: fn(&[u8])) {
    let kept = corpus(target);
    assert!(!kept.is_empty(), "no corpus at {}", corpus_folder(target).display());
    let mut trial = Trial { target: target.to_owned(), from: String::new(), input: Vec::new() };
    for (name, input) in &kept {
        trial.from.clone_from(name);
        trial.input.clone_from(input);
        function(&trial.input);
    }
    let asked = std::env::var("AISLE_FUZZ_ROUNDS").ok().map(|rounds| rounds.parse::<u64>().unwrap());
    let inputs: Vec<&[u8]> = kept.iter().map(|(_, input)| input.as_slice()).collect();
    for round in 0..asked.unwrap_or(rounds) {
        let mut dice: Dice = dice(round, target);
        trial.from = format!("round {round}");
        trial.input = mutate::changed(&inputs, &mut dice);
        trial.input.truncate(INPUT_BYTES_MAX);
        function(&trial.input);
    }
    trial.target.clear();
}

/// What is being tried; left behind as a file when it fails.
struct Trial {
    target: String,
    from: String,
    input: Vec<u8>,
}

impl Drop for Trial {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let path = std::env::temp_dir().join(format!("aisle-fuzz-{}", self.target));
            let kept = fs::write(&path, &self.input).is_ok();
            eprintln!("{} failed on {}; kept: {kept}, at {}", self.target, self.from, path.display());
        }
    }
}

#[test]
fn dice_change_inputs_in_the_same_ways() {
    let inputs: [&[u8]; 2] = [b"{\"at\":12345}", b"second"];
    let all = |seed: u64| -> Vec<Vec<u8>> {
        (seed..seed + 50).map(|round| mutate::changed(&inputs, &mut dice(round, "x"))).collect()
    };
    assert_eq!(all(0), all(0));
    assert!(40 < all(0).iter().filter(|input| !inputs.contains(&input.as_slice())).count());
    assert!(dice(1, "x").random::<u64>() != dice(2, "x").random::<u64>());
}
