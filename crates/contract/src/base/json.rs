//! What is wrong with JSON that was not written by the book.

/// Numbers that Python and others write and JSON does not know.
const NO_NUMBERS: [&str; 7] = ["-Infinity", "Infinity", "NaN", "-inf", "inf", "nan", "-nan"];

/// What is wrong with a text, in words: the parser's own, or, where it met a number that is none, that it did.
pub fn fault(text: &[u8], error: &serde_json::Error) -> String {
    let line = error.line().checked_sub(1).and_then(|before| text.split(|byte| *byte == b'\n').nth(before));
    let rest = line.and_then(|line| {
        // The parser has gone on by a letter or two when it notices.
        let place = error.column().saturating_sub(1).min(line.len());
        (place.saturating_sub(2)..=place).find_map(|place| Some((place, no_number(line.get(place..)?)?)))
    });
    match rest {
        Some((place, name)) if error.is_syntax() => {
            let (line, place) = (error.line(), place + 1);
            format!(
                "it holds {name}, which is no number in JSON, at line {line} column {place}; leave the value out or write null"
            )
        }
        _ => error.to_string(),
    }
}

fn no_number(text: &[u8]) -> Option<&'static str> {
    NO_NUMBERS.into_iter().find(|name| {
        let ends = text.get(name.len()).is_none_or(|next| !next.is_ascii_alphanumeric());
        text.starts_with(name.as_bytes()) && ends
    })
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn numbers_that_are_none_are_named_with_their_place() {
        let cases = [
            ("{\"a\": NaN}", "NaN", "line 1 column 7"),
            ("{\n \"a\": [1, -Infinity]}", "-Infinity", "line 2 column 11"),
            ("{\"a\":Infinity}", "Infinity", "line 1 column 6"),
        ];
        for (text, name, place) in cases {
            let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
            let fault = fault(text.as_bytes(), &error);
            assert!(fault.contains(&format!("holds {name},")) && fault.contains(place), "{fault}");
        }
        for text in ["{\"a\": nil}", "{\"NaN\": }", "{\"a\": 1", ""] {
            let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
            assert_eq!(fault(text.as_bytes(), &error), error.to_string());
        }
    }
}
