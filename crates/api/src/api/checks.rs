//! What is wrong with a body, all of it at once; and the same in the words of the API's description, so that what it allows
//! is what is taken.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::problem::{Flaw, Problem};
use crate::base::{Currency, SkuId};

/// Letters of a product's code.
const SKU_CHARS_MAX: usize = 64;

/// One line: no control characters, and nothing that turns what stands behind it around. Says what [`Checks::line`] does.
pub(super) const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$";
/// The same with something in it that can be seen.
pub(super) const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*[^\s\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069][^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$";
/// Several lines. Says what [`Checks::words`] does.
pub(super) const WORDS: &str = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$";
/// What another program calls something. Says what [`Checks::code`] does.
pub(super) const CODE: &str = "^[!-~]*$";

/// Flaws found so far.
#[derive(Default)]
pub(super) struct Checks(Vec<Flaw>);

impl Checks {
    pub(super) fn say(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Flaw { pointer: pointer.into(), detail: detail.into() });
    }

    /// Text of one line with at least `least` and at most `most` letters.
    pub(super) fn line(&mut self, pointer: &str, text: &str, least: usize, most: usize) {
        self.text(pointer, text, least, most, is_unfit);
    }

    /// As [`Checks::line`], where it is there.
    pub(super) fn maybe_line(&mut self, pointer: &str, text: Option<&str>, least: usize, most: usize) {
        if let Some(text) = text {
            self.line(pointer, text, least, most);
        }
    }

    /// Text of several lines with at most `most` letters.
    pub(super) fn words(&mut self, pointer: &str, text: &str, most: usize) {
        self.text(pointer, text, 0, most, |sign| is_unfit(sign) && sign != '\n' && sign != '\t');
    }

    /// What another program calls something: letters, digits and signs of ASCII.
    pub(super) fn code(&mut self, pointer: &str, text: &str, least: usize, most: usize) {
        self.text(pointer, text, least, most, is_unfit);
        if text.chars().any(|sign| !sign.is_ascii_graphic()) {
            self.say(pointer, "has more than letters, digits and signs of ASCII; write it as the provider does");
        }
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

/// What moves a terminal or a page instead of standing in it.
pub(super) fn is_unfit(sign: char) -> bool {
    sign.is_control() || matches!(sign, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A product's code, as [`Checks::sku`] takes it.
pub(super) struct ProductCode;

impl JsonSchema for ProductCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProductCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": SKU_CHARS_MAX, "pattern": LINE })
    }
}

/// A currency's code, as [`Currency`] takes it.
pub(super) struct CurrencyCode;

impl JsonSchema for CurrencyCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CurrencyCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let known: Vec<String> = Currency::all().map(|currency| currency.to_string()).collect();
        json_schema!({ "type": "string", "enum": known })
    }
}
