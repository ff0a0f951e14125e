//! Commands that are printed, so that they can be pasted into a shell. It takes names and values and gives words, and never
//! runs anything.

use std::path::Path;

/// A word as a shell takes it: as it is where that is plain, else in quotes.
pub fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=@%+,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The path of a file as an argument, which no command takes for an option.
pub fn path(path: &Path) -> String {
    let text = path.to_string_lossy();
    word(&if text.starts_with('-') { format!("./{text}") } else { text.into_owned() })
}

/// An option and its value; joined by `=` where the value would be taken for another option.
pub fn option(name: &str, value: &str) -> String {
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!("{name}{between}{}", word(value))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{option, path, word};

    #[test]
    fn words_are_quoted_where_a_shell_would_not_take_them() {
        let cases = [
            ("till.db", "till.db"),
            ("/var/lib/aisle/till.db", "/var/lib/aisle/till.db"),
            ("a till.db", "'a till.db'"),
            ("o'hara.db", r"'o'\''hara.db'"),
            ("postgresql://till:***@h/shop?a=b", "'postgresql://till:***@h/shop?a=b'"),
            ("~/till.db", "'~/till.db'"),
            ("$HOME;`id`", "'$HOME;`id`'"),
            ("", "''"),
            ("läden.db", "'läden.db'"),
        ];
        for (text, wanted) in cases {
            assert_eq!(word(text), wanted);
        }
        assert_eq!(option("--db", "-x.db"), "--db=-x.db");
        assert_eq!(option("--db", "a b"), "--db 'a b'");
        assert_eq!(path(Path::new("-x.mcap")), "./-x.mcap");
        assert_eq!(path(Path::new("d/tr ip.mcap")), "'d/tr ip.mcap'");
    }
}
