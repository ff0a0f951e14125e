//! Which orders a journal may have: a Bloom filter of fixed size.
//! It takes names and answers whether one was ever added: *no* is certain, *yes* is nearly so. It never grows.

use crate::base::TransferId;

/// Bits: with a million orders one question of fifty for a new one looks into the journal in vain.
const BITS: usize = 1 << 23;
/// Bits of a name that choose a bit.
const CHOOSING_BITS: u32 = BITS.trailing_zeros();
/// Where in a name such bits are: names that are derived are random but for six bits, which lie elsewhere.
const CHOOSING_AT: [u32; 4] = [0, 24, 80, 104];

/// The names that were added.
#[derive(Default)]
pub(super) struct Seen {
    /// None before the first name.
    words: Vec<u64>,
}

impl Seen {
    /// Adds a name.
    pub(super) fn add(&mut self, order: TransferId) {
        self.words.resize(BITS / 64, 0);
        for bit in bits(order) {
            self.words[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Whether a name may have been added.
    pub(super) fn may_have(&self, order: TransferId) -> bool {
        let is_set = |bit: usize| self.words.get(bit / 64).is_some_and(|word| word & (1 << (bit % 64)) != 0);
        bits(order).all(is_set)
    }
}

fn bits(order: TransferId) -> impl Iterator<Item = usize> {
    let name = order.uuid().as_u128();
    CHOOSING_AT.into_iter().map(move |at| ((name >> at) & ((1 << CHOOSING_BITS) - 1)) as usize)
}
