//! Seeded dice: the only randomness in aisle. The same seed and label give the same stream on every machine.

use rand::SeedableRng;
pub use rand_chacha::ChaCha8Rng as Dice;

/// Dice for one purpose: streams of different labels are independent, so that adding one moves no other.
pub fn dice(seed: u64, label: &str) -> Dice {
    // FNV-1a, chosen because its definition fits on this line and never changes.
    let stream = label
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut dice = Dice::seed_from_u64(seed);
    dice.set_stream(stream);
    dice
}
