//! Text that somebody else wrote, as it may be shown: nothing that steers a terminal, forges a line or hides; and how wide
//! it stands. It takes and gives text, and never decides what a name may be used for.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

/// Stands for a letter that must not be shown.
const REPLACEMENT: char = '\u{fffd}';

/// Text that means itself and stays on its line: line ends and tabs become spaces; control characters, what turns the
/// direction of what stands around it, what nobody sees and what no letter is become U+FFFD.
pub fn plain(text: &str) -> Cow<'_, str> {
    if unruly(text).next().is_none() {
        return Cow::Borrowed(text);
    }
    let ruled = |(letter, bad): (char, bool)| match letter {
        '\t' | '\n' | '\r' => ' ',
        _ if bad => REPLACEMENT,
        letter => letter,
    };
    Cow::Owned(judged(text).map(ruled).collect())
}

/// Whole output of several lines: line ends and tabs stay, everything else that [`plain`] replaces is written as an escape
/// that JSON reads back as what it was.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if unruly(text).all(|letter| matches!(letter, '\n' | '\t')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (letter, bad) in judged(text) {
        if !bad || matches!(letter, '\n' | '\t') {
            out.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    Cow::Owned(out)
}

/// A sentence of the program with foreign text in it. Lists stay lists: line ends that two spaces follow are the program's
/// own; no foreign text begins a line.
pub fn told(text: &str) -> Cow<'_, str> {
    if unruly(text).next().is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split("\n  ").map(plain).collect::<Vec<_>>().join("\n  "))
}

/// The letters that [`plain`] replaces, in order.
pub fn unruly(text: &str) -> impl Iterator<Item = char> {
    judged(text).filter(|(_, bad)| *bad).map(|(letter, _)| letter)
}

/// What is wrong with a name of a file, such as `has control characters (U+001B); leave them out`; none if it can be shown
/// and has at most so many letters.
pub fn flaw(name: &str, letters_max: usize) -> Option<String> {
    let letters = name.chars().count();
    if letters_max < letters {
        return Some(format!("has {letters} letters; write at most {letters_max}"));
    }
    let mut found: Vec<char> = unruly(name).collect();
    found.sort_unstable();
    found.dedup();
    let first = found.first()?;
    let kind =
        if found.iter().any(|letter| letter.is_control()) { "control characters" } else { "invisible characters" };
    let more = if 1 < found.len() { " and others" } else { "" };
    Some(format!("has {kind} (U+{:04X}{more}); leave them out", u32::from(*first)))
}

/// Columns that a text takes where letters of East Asian scripts and pictures take two.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// The text with spaces behind it, up to so many columns.
pub fn left(text: &str, wide: usize) -> String {
    format!("{text}{}", " ".repeat(wide.saturating_sub(columns(text))))
}

/// The text with spaces in front of it, up to so many columns.
pub fn right(text: &str, wide: usize) -> String {
    format!("{}{text}", " ".repeat(wide.saturating_sub(columns(text))))
}

/// Every letter, and whether it must not be shown.
fn judged(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut letters = text.chars().peekable();
    std::iter::from_fn(move || {
        let letter = letters.next()?;
        let bad = match letter {
            // They join letters of many scripts, and pictures; between Latin letters they only hide.
            '\u{200c}' | '\u{200d}' => [before, letters.peek().copied()].iter().any(|near: &Option<char>| {
                near.is_none_or(|near| near.is_ascii() || near.is_whitespace() || is_unruly(near))
            }),
            letter => is_unruly(letter),
        };
        before = Some(letter);
        Some((letter, bad))
    })
}

fn is_unruly(letter: char) -> bool {
    letter.is_control()
        // Marks, embeddings, overrides and isolates of direction.
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
        // Separators of lines and paragraphs.
        || matches!(letter, '\u{2028}' | '\u{2029}')
        // Of no width, annotations, tags.
        || matches!(letter, '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        // No letters at all, which XML cannot hold either.
        || matches!(letter, '\u{fdd0}'..='\u{fdef}')
        || u32::from(letter) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_neither_steers_nor_forges_nor_hides() {
        assert_eq!(plain("\u{1b}[2J\u{9b}31m\u{7}x\nFAKE"), "\u{fffd}[2J\u{fffd}31m\u{fffd}x FAKE");
        for bad in ['\u{7f}', '\u{85}', '\u{202e}', '\u{2028}', '\u{200b}', '\u{feff}', '\u{e0041}', '\u{ffff}'] {
            let text = format!("a{bad}b");
            assert_eq!(plain(&text), "a\u{fffd}b", "{bad:?}");
            assert!(flaw(&text, 10).is_some(), "{bad:?}");
        }
        for good in ["Müsli 500 g", "おにぎり", "👩‍🍳 soup", "می‌خواهم", "e\u{301}clair", ""] {
            assert_eq!(plain(good), good);
            assert_eq!(flaw(good, 20), None, "{good}");
        }
        assert_eq!(plain("Pay\u{200d}Pal"), "Pay\u{fffd}Pal");
        assert_eq!(told("2 problems:\n  one\n  two\nFAKE\r"), "2 problems:\n  one\n  two FAKE ");
    }

    #[test]
    fn what_is_escaped_is_json_as_before() {
        let name = "a\u{9b}b\u{7f}c\u{202e}d\u{e0041}e";
        let json = serde_json::json!({ "name": name }).to_string();
        let shown = escaped(&json);
        assert!(shown.is_ascii(), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["name"], name);
        assert_eq!(escaped("a\n\tb\r"), "a\n\tb\\u000d");
    }

    #[test]
    fn a_flaw_names_what_to_leave_out() {
        assert_eq!(flaw("a\u{1b}b", 10).unwrap(), "has control characters (U+001B); leave them out");
        assert_eq!(
            flaw("a\u{202e}\u{200b}", 10).unwrap(),
            "has invisible characters (U+200B and others); leave them out"
        );
        assert_eq!(flaw("abcd", 3).unwrap(), "has 4 letters; write at most 3");
    }

    #[test]
    fn wide_letters_stand_in_line() {
        for text in ["abc", "おにぎり", "é", "e\u{301}", "👍"] {
            assert_eq!(columns(&left(text, 12)), 12, "{text}");
            assert_eq!(columns(&right(text, 12)), 12, "{text}");
        }
        assert_eq!(left("おに", 3), "おに");
    }
}
