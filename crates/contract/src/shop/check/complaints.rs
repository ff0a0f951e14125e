//! What is found wrong, item by item.

use super::super::Problem;
use crate::base::text::{flaw, plain};

/// Collects problems about one item at a time.
pub(super) struct Complaints {
    found: Vec<Problem>,
    item: String,
    line: Option<u64>,
    trust: Trust,
}

/// How much is known of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shop) enum Trust {
    /// Somebody wrote it.
    New,
    /// It stands in a recording, perhaps of an earlier version, which cannot be written anew.
    Recorded,
    /// It was checked before by this version or an earlier one, and receipts rest on it.
    Kept,
}

impl Complaints {
    /// Nothing is wrong yet; the first item is the shop itself.
    pub(super) fn about_shop(trust: Trust) -> Self {
        Complaints { found: Vec::new(), item: "shop".to_owned(), line: None, trust }
    }

    pub(super) fn about(&mut self, item: String, line: Option<u64>) {
        self.item = plain(&item).into_owned();
        self.line = line;
    }

    pub(super) fn say(&mut self, message: impl Into<String>) {
        let message = plain(&message.into()).into_owned();
        self.found.push(Problem { item: self.item.clone(), line: self.line, message });
    }

    /// Says what stands in the way of showing a name; what a book holds is shown all the same.
    pub(super) fn name(&mut self, what: &str, name: &str, letters_max: usize) {
        if let Some(flaw) = flaw(name, letters_max).filter(|_| self.trust != Trust::Kept) {
            self.say(format!("{what} {flaw}"));
        }
    }

    /// Whether rules about numbers of products that came later are left aside: where such a number says nothing for certain,
    /// it is the shop's own code.
    pub(super) fn is_older(&self) -> bool {
        self.trust != Trust::New
    }

    pub(super) fn range(&mut self, what: &str, value: f64, above: f64, max: f64) {
        if !(above < value && value <= max) {
            self.say(format!("{what} is {value}; it must be more than {above} and at most {max}"));
        }
    }

    /// Everything that was found.
    pub(super) fn into_found(self) -> Vec<Problem> {
        self.found
    }
}
