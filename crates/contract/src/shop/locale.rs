//! The language and the customs that receipts are written in: words, dates, numbers. It knows the few that receipts have
//! words for, and never guesses one that it does not know.

use std::str::FromStr;

use crate::base::{BasisPoints, Money};

/// A language that receipts have words in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "their names say what they are")]
pub enum Language {
    #[default]
    English,
    German,
    French,
    Spanish,
    Italian,
    Japanese,
    Chinese,
    Korean,
}

/// How a shop writes its receipts. Without one they are in English, with dates and numbers as ISO 8601 and programs have
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locale {
    tag: &'static str,
    language: Language,
    /// Date and time, as `strftime` writes them.
    date: &'static str,
    time: &'static str,
    decimal: char,
    /// Between groups of three digits.
    group: &'static str,
}

/// All that are known; of a language alone the first is meant.
const KNOWN: [Locale; 12] = [
    Locale::new("en-US", Language::English, "%m/%d/%Y", '.', ",").at("%I:%M:%S %p"),
    Locale::new("en-GB", Language::English, "%d/%m/%Y", '.', ","),
    Locale::new("de-DE", Language::German, "%d.%m.%Y", ',', "."),
    Locale::new("de-AT", Language::German, "%d.%m.%Y", ',', "."),
    Locale::new("de-CH", Language::German, "%d.%m.%Y", '.', "\u{2019}"),
    Locale::new("fr-FR", Language::French, "%d/%m/%Y", ',', "\u{a0}"),
    Locale::new("fr-CH", Language::French, "%d.%m.%Y", ',', "\u{a0}"),
    Locale::new("es-ES", Language::Spanish, "%d/%m/%Y", ',', "."),
    Locale::new("it-IT", Language::Italian, "%d/%m/%Y", ',', "."),
    Locale::new("ja-JP", Language::Japanese, "%Y/%m/%d", '.', ","),
    Locale::new("zh-CN", Language::Chinese, "%Y-%m-%d", '.', ","),
    Locale::new("ko-KR", Language::Korean, "%Y-%m-%d", '.', ","),
];

impl Default for Locale {
    fn default() -> Self {
        Locale::new("en", Language::English, "%Y-%m-%d", '.', "")
    }
}

impl Locale {
    const fn new(
        tag: &'static str,
        language: Language,
        date: &'static str,
        decimal: char,
        group: &'static str,
    ) -> Self {
        Locale { tag, language, date, time: "%H:%M:%S", decimal, group }
    }

    const fn at(self, time: &'static str) -> Self {
        Locale { time, ..self }
    }

    /// Its name, as web pages and browsers have it: `ja-JP`.
    pub fn tag(self) -> &'static str {
        self.tag
    }

    /// The language of the words.
    pub fn language(self) -> Language {
        self.language
    }

    /// How dates are written, for `strftime`.
    pub fn date(self) -> &'static str {
        self.date
    }

    /// How the time of day is written, for `strftime`.
    pub fn time(self) -> &'static str {
        self.time
    }

    /// An amount without its currency: `1,234.50`.
    pub fn amount(self, money: Money) -> String {
        self.number(&money.decimal())
    }

    /// An amount with its currency: `1.234,50 EUR`.
    pub fn money(self, money: Money) -> String {
        format!("{} {}", self.amount(money), money.currency)
    }

    /// A rate: `7,75 %`.
    pub fn rate(self, rate: BasisPoints) -> String {
        self.number(&rate.to_string())
    }

    /// A number as programs write it, perhaps with a sign in front and something behind.
    fn number(self, plain: &str) -> String {
        let (sign, rest) = plain.strip_prefix('-').map_or(("", plain), |rest| ("-", rest));
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, rest) = rest.split_at(digits);
        let mut text = sign.to_owned();
        for (index, digit) in whole.char_indices() {
            if 0 < index && (whole.len() - index).is_multiple_of(3) {
                text.push_str(self.group);
            }
            text.push(digit);
        }
        match rest.strip_prefix('.') {
            Some(fraction) => {
                text.push(self.decimal);
                text.push_str(fraction);
            }
            None => text.push_str(rest),
        }
        text
    }
}

impl FromStr for Locale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.replace('_', "-").to_ascii_lowercase();
        let language = |tag: &'static str| tag.split('-').next().unwrap_or(tag);
        let is_it = |known: &&Locale| known.tag.eq_ignore_ascii_case(&wanted) || language(known.tag) == wanted;
        // English alone is what stands there without a locale.
        let known = if wanted == "en" { None } else { KNOWN.iter().find(is_it).copied() };
        known.or_else(|| (wanted == "en").then(Locale::default)).ok_or_else(|| {
            let tags: Vec<&str> = KNOWN.iter().map(|known| known.tag).collect();
            format!("locale `{text}` is not known: receipts are written in en, {}", tags.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_in_the_country() {
        let money = |minor, code: &str| Money::new(minor, code.parse().unwrap());
        let amount = |tag: &str, minor, code| tag.parse::<Locale>().unwrap().amount(money(minor, code));
        assert_eq!(amount("en", 123_456_789, "USD"), "1234567.89");
        assert_eq!(amount("en-US", 123_456_789, "USD"), "1,234,567.89");
        assert_eq!(amount("de", -123_456, "EUR"), "-1.234,56");
        assert_eq!(amount("de-CH", 123_456, "CHF"), "1\u{2019}234.56");
        assert_eq!(amount("fr_FR", 99, "EUR"), "0,99");
        assert_eq!(amount("ja-JP", 1_000, "JPY"), "1,000");
        assert_eq!(amount("ja-JP", 999, "JPY"), "999");
        assert_eq!("de-DE".parse::<Locale>().unwrap().rate(BasisPoints::new(775)), "7,75 %");
        assert!("tlh".parse::<Locale>().unwrap_err().contains("ja-JP"));
    }
}
