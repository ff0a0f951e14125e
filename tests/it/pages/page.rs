//! A page of Markdown as a machine reads it: fenced blocks with the notes above them, words in code, links, headings.

use super::Fault;

/// A page.
pub(super) struct Page {
    /// From the root of the repository, with `/`.
    pub(super) path: String,
    pub(super) blocks: Vec<Block>,
    /// Words in code outside of blocks, and their lines.
    pub(super) spans: Vec<(usize, String)>,
    /// What links and pictures point to, and their lines.
    pub(super) links: Vec<(usize, String)>,
    /// What links within this page may point to.
    pub(super) anchors: Vec<String>,
    /// What is wrong with the page itself.
    pub(super) faults: Vec<Fault>,
}

/// Lines between fences.
pub(super) struct Block {
    pub(super) language: String,
    /// Of its first line, counted from 1.
    pub(super) line: usize,
    pub(super) lines: Vec<String>,
    pub(super) notes: Vec<(usize, Note)>,
    /// The number of headings above it.
    pub(super) section: usize,
}

/// What a comment says of the next block; readers do not see it. The head of `pages.rs` explains each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    Needs { reason: String, text: Option<String> },
    Types { shown: String, typed: String },
    Ends { status: i32, text: String },
    Holds { file: String },
}

impl Note {
    /// The note of a line; `None` where it is no note, `Err` where it begins like one and is none.
    fn parse(line: &str) -> Option<Result<Note, ()>> {
        let body = line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?;
        let (word, rest) = body.split_once(' ').unwrap_or((body, ""));
        let note = match word {
            "needs:" => {
                let (reason, text) = rest.split_once(": ").map_or((rest, None), |(reason, text)| (reason, Some(text)));
                Some(Note::Needs { reason: reason.to_owned(), text: text.map(str::to_owned) })
            }
            "for:" => rest
                .split_once(" type: ")
                .map(|(shown, typed)| Note::Types { shown: shown.to_owned(), typed: typed.to_owned() }),
            "ends:" => rest
                .split_once(": ")
                .and_then(|(status, text)| Some(Note::Ends { status: status.parse().ok()?, text: text.to_owned() })),
            "file:" => Some(Note::Holds { file: rest.to_owned() }),
            _ => return None,
        };
        Some(note.ok_or(()))
    }
}

impl Page {
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let mut page = Page {
            path: path.to_owned(),
            blocks: Vec::new(),
            spans: Vec::new(),
            links: Vec::new(),
            anchors: Vec::new(),
            faults: Vec::new(),
        };
        let (mut notes, mut section) = (Vec::new(), 0);
        let mut open: Option<Block> = None;
        for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                match open.take() {
                    Some(block) => page.blocks.push(block),
                    None => {
                        let (language, notes) = (language.trim().to_owned(), std::mem::take(&mut notes));
                        open = Some(Block { language, line: at + 1, lines: Vec::new(), notes, section });
                    }
                }
            } else if let Some(block) = &mut open {
                block.lines.push(line.to_owned());
            } else if let Some(note) = Note::parse(line) {
                match note {
                    Ok(note) => notes.push((at, note)),
                    Err(()) => page.fault(at, format!("this note is not understood: {}", line.trim())),
                }
            } else {
                if !notes.is_empty() && !line.trim().is_empty() {
                    page.fault(at, "a note stands above a block, and this is none".to_owned());
                    notes.clear();
                }
                section += usize::from(line.starts_with('#'));
                page.prose(at, line);
            }
        }
        if let Some(block) = open {
            page.fault(block.line, "this block is not closed".to_owned());
        }
        page
    }

    /// Whether a block of it needs this thing.
    pub(super) fn needs(&self, thing: &str) -> bool {
        let mut notes = self.blocks.iter().flat_map(|block| &block.notes);
        notes.any(|(_, note)| matches!(note, Note::Needs { reason, .. } if reason == thing))
    }

    fn fault(&mut self, line: usize, message: String) {
        self.faults.push(Fault { path: self.path.clone(), line, message });
    }

    /// A line outside of blocks.
    fn prose(&mut self, at: usize, line: &str) {
        if let Some(heading) =
            line.starts_with('#').then(|| line.trim_start_matches('#')).filter(|text| text.starts_with(' '))
        {
            let slug = slug(heading.trim());
            let earlier = self.anchors.iter().filter(|other| **other == slug || is_numbered(other, &slug)).count();
            self.anchors.push(if earlier == 0 { slug } else { format!("{slug}-{earlier}") });
        }
        // Commands stand in blocks, where they are typed.
        if let Some(command) = line.strip_prefix("    ").filter(|rest| is_command(rest)) {
            self.fault(at, format!("a command stands in a block marked `sh`: {command}"));
        }
        let mut prose = String::new();
        for (index, part) in line.split('`').enumerate() {
            match index % 2 {
                1 => self.spans.push((at, part.to_owned())),
                _ => prose += part,
            }
        }
        for (index, _) in prose.match_indices("](") {
            let target = prose[index + 2..].split(')').next().unwrap_or_default();
            self.links.push((at, target.to_owned()));
        }
    }
}

/// Whether a line of an indented paragraph is a command.
fn is_command(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    !line.starts_with(' ') && ["aisle", "cargo", "curl", "python", "pip", "sqlite3", "psql"].contains(&word)
}

fn is_numbered(anchor: &str, slug: &str) -> bool {
    anchor
        .strip_prefix(slug)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|number| number.parse::<u32>().is_ok())
}

/// The anchor that a heading gets: lower case, signs left out, hyphens for spaces.
fn slug(heading: &str) -> String {
    // Of a link in a heading only its words count.
    let mut words = String::new();
    let mut rest = heading;
    while let Some((before, behind)) = rest.split_once("](") {
        words += before;
        rest = behind.split_once(')').map_or("", |(_, rest)| rest);
    }
    words += rest;
    let kept = words.to_lowercase().chars().filter(|l| l.is_alphanumeric() || " -_".contains(*l)).collect::<String>();
    kept.replace(' ', "-")
}

#[test]
fn pages_are_read() {
    let text = "# One `a b` (two)\n\nSee [it](x.md#y) and `[no](z)`.\n<!-- needs: curl: one -->\n<!-- for: A type: $(b) -->\n\
                <!-- ends: 3: x y -->\n```sh\na\n    aisle b\n```\n# One a b two\n    aisle d\n<!-- for: A -->\n";
    let page = Page::parse("p.md", text);
    assert_eq!(page.anchors, ["one-a-b-two", "one-a-b-two-1"]);
    assert_eq!(page.links, [(3, "x.md#y".to_owned())]);
    assert_eq!(page.spans, [(1, "a b".to_owned()), (3, "[no](z)".to_owned())]);
    let block = &page.blocks[0];
    assert_eq!((block.language.as_str(), block.line, block.section, block.lines.len()), ("sh", 8, 1, 2));
    let notes: Vec<&Note> = block.notes.iter().map(|(_, note)| note).collect();
    assert_eq!(*notes[0], Note::Needs { reason: "curl".to_owned(), text: Some("one".to_owned()) });
    assert_eq!(*notes[1], Note::Types { shown: "A".to_owned(), typed: "$(b)".to_owned() });
    assert_eq!(*notes[2], Note::Ends { status: 3, text: "x y".to_owned() });
    let faults: Vec<usize> = page.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(faults, [12, 13]);
}
