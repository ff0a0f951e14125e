//! A Rust file as words: enough of its grammar to find paths, and no more.

/// A file of `src/`, or of the `src/` of a crate below `crates/`.
#[derive(Debug)]
pub(super) struct Source {
    /// From the root of the repository, such as `crates/fusion/src/fusion/mod.rs`.
    pub(super) path: String,
    /// The text as it is.
    pub(super) text: String,
    /// Words and signs without comments and literals.
    pub(super) words: Vec<Word>,
}

/// An identifier, `::`, or a single sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// A path as it is written, from its first segment on.
#[derive(Debug)]
struct Written<'a> {
    /// Where it begins, counted from 1.
    line: usize,
    segments: Vec<&'a str>,
    /// The name behind `as` of an import.
    alias: Option<&'a str>,
    /// Whether it is of a `use`.
    imported: bool,
}

impl Source {
    pub(super) fn parse(path: &str, text: &str) -> Self {
        Source { path: path.to_owned(), text: text.to_owned(), words: words(&blanked(text)) }
    }

    /// The same file without the modules `tests` inside it.
    pub(super) fn without_tests(mut self) -> Self {
        while let Some(start) = self
            .words
            .windows(3)
            .position(|three| three[0].text == "mod" && three[1].text == "tests" && three[2].text == "{")
        {
            let mut depth = 0_usize;
            let length = self.words[start..].iter().position(|word| {
                depth = (depth + usize::from(word.text == "{")).saturating_sub(usize::from(word.text == "}"));
                word.text == "}" && depth == 0
            });
            self.words.drain(start..length.map_or(self.words.len(), |length| start + length + 1));
        }
        self
    }

    /// Names of the modules around this file's items, such as `["fusion", "hands"]`; none for the crate roots.
    pub(super) fn modules(&self) -> Vec<&str> {
        let inside =
            self.path.split_once("src/").map_or(self.path.as_str(), |(_, inside)| inside).trim_end_matches(".rs");
        let mut parts: Vec<&str> = inside.split('/').collect();
        if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
            parts.pop();
        }
        parts
    }

    /// Whether it holds tests only.
    pub(super) fn is_test(&self) -> bool {
        self.modules().contains(&"tests")
    }

    /// Every path of the file from its first segment on, with the line of its beginning. Groups are spelled out:
    /// `use a::{b, c::d}` gives `a::b` and `a::c::d`.
    pub(super) fn paths(&self) -> Vec<(usize, Vec<&str>)> {
        self.written().into_iter().map(|path| (path.line, path.segments)).collect()
    }

    /// Every path that this file imports, by the name that it has here.
    pub(super) fn imports(&self) -> Vec<(&str, Vec<&str>)> {
        let imported = self.written().into_iter().filter(|path| path.imported);
        let named = imported.filter_map(|path| {
            let mut segments = path.segments;
            segments.pop_if(|last| *last == "self");
            Some((path.alias.or(segments.last().copied())?, segments))
        });
        named.collect()
    }

    fn written(&self) -> Vec<Written<'_>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.words.len() {
            let starts = is_name(self.text_at(at)) && self.text_at(at + 1) == "::";
            let imported = self.text_at(at) == "use";
            if imported {
                at = self.path_from(at + 1, &[], imported, &mut found);
            } else if starts && (at == 0 || self.text_at(at - 1) != "::") {
                at = self.path_from(at, &[], imported, &mut found);
            } else {
                at += 1;
            }
        }
        found
    }

    /// Top-level modules of this crate that a path of [`Source::paths`] leads into.
    pub(super) fn target<'a>(&'a self, path: &[&'a str]) -> Option<&'a str> {
        match path {
            ["crate" | "aisle", module, ..] => Some(*module),
            ["super", ..] => {
                let ups = path.iter().take_while(|part| **part == "super").count();
                // More of them than modules lead there from an inline module.
                (self.modules().len() <= ups).then(|| path.get(ups).copied()).flatten()
            }
            _ => None,
        }
    }

    /// Reads a path, or a group of paths, behind `prefix`; answers where to go on.
    fn path_from<'a>(
        &'a self,
        start: usize,
        prefix: &[&'a str],
        imported: bool,
        found: &mut Vec<Written<'a>>,
    ) -> usize {
        let mut path = prefix.to_vec();
        let mut at = start;
        loop {
            match self.text_at(at) {
                "{" => return self.group_from(at + 1, &path, imported, found),
                "::" => at += 1,
                text if is_name(text) || text == "*" => {
                    path.push(text);
                    at += 1;
                    if self.text_at(at) != "::" {
                        break;
                    }
                }
                _ => break,
            }
        }
        let renamed = imported && self.text_at(at) == "as";
        let alias = renamed.then(|| self.text_at(at + 1));
        if let Some(word) = self.words.get(start.min(self.words.len().saturating_sub(1))).filter(|_| !path.is_empty()) {
            found.push(Written { line: word.line, segments: path, alias, imported });
        }
        at.max(start + 1) + if renamed { 2 } else { 0 }
    }

    fn group_from<'a>(
        &'a self,
        start: usize,
        prefix: &[&'a str],
        imported: bool,
        found: &mut Vec<Written<'a>>,
    ) -> usize {
        let mut at = start;
        while at < self.words.len() {
            match self.text_at(at) {
                "}" => return at + 1,
                "," => at += 1,
                _ => at = self.path_from(at, prefix, imported, found),
            }
        }
        at
    }

    pub(super) fn text_at(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| &word.text)
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let inside = |letter: char| letter.is_alphanumeric() || letter == '_';
            let length = if inside(first) {
                rest.find(|letter| !inside(letter)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            words.push(Word { text: rest[..length].to_owned(), line: index + 1 });
            rest = rest[length..].trim_start();
        }
    }
    words
}

/// The text with comments and the insides of literals as blanks; line breaks stay.
fn blanked(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < letters.len() {
        let end = literal_end(&letters, at).or_else(|| comment_end(&letters, at)).map(|end| end.min(letters.len()));
        match end {
            Some(end) => {
                out.push(' ');
                out.extend(letters[at..end].iter().filter(|letter| **letter == '\n'));
                at = end;
            }
            None => {
                out.push(letters[at]);
                at += 1;
            }
        }
    }
    out
}

fn comment_end(letters: &[char], at: usize) -> Option<usize> {
    let begins = |at: usize, sign: [char; 2]| letters.get(at..at + 2) == Some(&sign[..]);
    if begins(at, ['/', '/']) {
        return Some((at..letters.len()).find(|&at| letters[at] == '\n').unwrap_or(letters.len()));
    }
    if !begins(at, ['/', '*']) {
        return None;
    }
    let (mut depth, mut at) = (0_usize, at);
    while at < letters.len() {
        if begins(at, ['/', '*']) {
            depth += 1;
            at += 2;
        } else if begins(at, ['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    Some(at)
}

/// The end of the string, raw string or character literal that begins here; a lifetime is none.
fn literal_end(letters: &[char], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|before| letters[before]);
    let behind_name = before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let quoted = |quote: char, mut at: usize| {
        while at < letters.len() && letters[at] != quote {
            at += if letters[at] == '\\' { 2 } else { 1 };
        }
        at + 1
    };
    match letters[at] {
        '"' => Some(quoted('"', at + 1)),
        'r' if !behind_name || before == Some('b') => {
            let hashes = letters[at + 1..].iter().take_while(|letter| **letter == '#').count();
            let open = at + 1 + hashes;
            if letters.get(open) != Some(&'"') {
                return None;
            }
            let closes = |at: usize| {
                letters[at] == '"' && letters[at + 1..].iter().take(hashes).filter(|l| **l == '#').count() == hashes
            };
            Some((open + 1..letters.len()).find(|&at| closes(at)).map_or(letters.len(), |at| at + 1 + hashes))
        }
        '\'' if letters.get(at + 1) == Some(&'\\') => Some(quoted('\'', at + 1)),
        '\'' if letters.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => None,
    }
}
