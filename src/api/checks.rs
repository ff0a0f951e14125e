//! What is wrong with a body, all of it at once.

use super::problem::{Flaw, Problem};
use crate::base::SkuId;

/// Letters of a product's code.
const SKU_CHARS_MAX: usize = 64;

/// Flaws found so far.
#[derive(Default)]
pub(super) struct Checks(Vec<Flaw>);

impl Checks {
    pub(super) fn say(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Flaw { pointer: pointer.into(), detail: detail.into() });
    }

    /// Text of one line with at least `least` and at most `most` letters.
    pub(super) fn line(&mut self, pointer: &str, text: &str, least: usize, most: usize) {
        self.text(pointer, text, least, most, |sign| sign.is_control());
    }

    /// As [`Checks::line`], where it is there.
    pub(super) fn maybe_line(&mut self, pointer: &str, text: Option<&str>, least: usize, most: usize) {
        if let Some(text) = text {
            self.line(pointer, text, least, most);
        }
    }

    /// Text of several lines with at most `most` letters.
    pub(super) fn words(&mut self, pointer: &str, text: &str, most: usize) {
        self.text(pointer, text, 0, most, |sign| sign.is_control() && sign != '\n' && sign != '\t');
    }

    pub(super) fn sku(&mut self, pointer: &str, sku: &SkuId) {
        self.line(pointer, sku.as_str(), 1, SKU_CHARS_MAX);
    }

    fn text(&mut self, pointer: &str, text: &str, least: usize, most: usize, banned: impl Fn(char) -> bool) {
        let letters = text.chars().count();
        if letters < least || most < letters {
            self.say(pointer, format!("{letters} letters; write {least} to {most}"));
        }
        if text.chars().any(banned) {
            self.say(pointer, "has control characters; leave them out");
        }
    }

    /// # Errors
    /// When anything was found.
    pub(super) fn done(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::flawed(self.0)) }
    }
}
