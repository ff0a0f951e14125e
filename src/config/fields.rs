//! The keys of one table: taken out by name, with every wrong and every unknown one noted.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::node::{Node, Value};
use crate::base::limits::NAME_LETTERS_MAX;
use crate::base::text::flaw;

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) path: PathBuf,
    pub(super) line: Option<u64>,
    pub(super) item: String,
    pub(super) message: String,
}

/// Everything wrong in one file so far.
pub(super) struct Findings {
    pub(super) path: PathBuf,
    pub(super) found: RefCell<Vec<Finding>>,
}

impl Findings {
    pub(super) fn new(path: &Path) -> Self {
        Findings { path: path.to_owned(), found: RefCell::new(Vec::new()) }
    }

    pub(super) fn say(&self, line: u64, item: &str, message: impl Into<String>) {
        let finding =
            Finding { path: self.path.clone(), line: Some(line), item: item.to_owned(), message: message.into() };
        self.found.borrow_mut().push(finding);
    }
}

/// The keys of one table.
pub(super) struct Fields<'a> {
    /// What the table is about, for sentences.
    pub(super) item: String,
    /// Its line.
    pub(super) line: u64,
    entries: &'a [(String, u64, Node)],
    known: Vec<&'static str>,
    findings: &'a Findings,
}

impl<'a> Fields<'a> {
    /// The keys of a node, none if it is not a table.
    pub(super) fn new(node: &'a Node, item: impl Into<String>, findings: &'a Findings) -> Self {
        let item = item.into();
        let entries: &[(String, u64, Node)] = match &node.value {
            Value::Table(entries) => entries,
            _ => {
                findings.say(node.line, &item, format!("this is {}; it must be a table", node.kind()));
                &[]
            }
        };
        Fields { item, line: node.line, entries, known: Vec::new(), findings }
    }

    /// Whether the table has this key; says nothing about unknown keys.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, ..)| name == key)
    }

    pub(super) fn say(&self, message: impl Into<String>) {
        self.findings.say(self.line, &self.item, message);
    }

    pub(super) fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        self.entries.iter().find(|(name, ..)| name == key).map(|(.., node)| node)
    }

    fn wrong<T>(&self, key: &str, node: &Node, wanted: &str) -> Option<T> {
        self.findings.say(node.line, &self.item, format!("{key} is {}; it must be {wanted}", node.kind()));
        None
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let node = self.node(key)?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => self.wrong(key, node, "a text in quotes"),
        }
    }

    /// A text that is shown to people.
    pub(super) fn name(&mut self, key: &'static str) -> Option<String> {
        let name = self.text(key)?;
        let flaw = flaw(&name, NAME_LETTERS_MAX);
        if let Some(flaw) = &flaw {
            self.say(format!("{key} {flaw}"));
        }
        flaw.is_none().then_some(name)
    }

    pub(super) fn number(&mut self, key: &'static str) -> Option<f64> {
        let node = self.node(key)?;
        match node.value {
            Value::Whole(number) => Some(number as f64),
            Value::Real(number) => Some(number),
            _ => self.wrong(key, node, "a number"),
        }
    }

    pub(super) fn whole(&mut self, key: &'static str) -> Option<i64> {
        let node = self.node(key)?;
        match node.value {
            Value::Whole(number) => Some(number),
            _ => self.wrong(key, node, "a whole number"),
        }
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let node = self.node(key)?;
        match node.value {
            Value::Flag(flag) => Some(flag),
            _ => self.wrong(key, node, "true or false"),
        }
    }

    /// A number that counts from 1.
    pub(super) fn ordinal(&mut self, key: &'static str) -> Option<u16> {
        let number = self.whole(key)?;
        let ordinal = u16::try_from(number).ok().filter(|number| 0 < *number);
        if ordinal.is_none() {
            self.say(format!("{key} is {number}; it counts from 1 to 65535"));
        }
        ordinal
    }

    pub(super) fn list(&mut self, key: &'static str) -> &'a [Node] {
        let Some(node) = self.node(key) else { return &[] };
        match &node.value {
            Value::List(items) => items,
            _ => self.wrong(key, node, "a list").unwrap_or(&[]),
        }
    }

    /// A list of so many numbers.
    pub(super) fn numbers<const COUNT: usize>(&mut self, key: &'static str) -> Option<[f64; COUNT]> {
        let node = self.node(key)?;
        let found = numbers(node);
        if found.is_none() {
            self.findings.say(node.line, &self.item, format!("{key} must be a list of {COUNT} numbers"));
        }
        found
    }

    /// Corners on the floor under the key `polygon`, which must be there.
    pub(super) fn polygon(&mut self) -> Option<Vec<[f64; 2]>> {
        let polygon: Option<Vec<[f64; 2]>> = self.list("polygon").iter().map(numbers).collect();
        if polygon.is_none() {
            self.say("polygon must be a list of corners [x, y] in metres");
        }
        polygon
    }

    /// Notes that a key must be there.
    pub(super) fn required<T>(&self, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.has(key) {
            self.say(format!("{key} is missing"));
        }
        value
    }

    /// Notes the keys that nobody asked for.
    pub(super) fn finish(self) {
        for (name, line, _) in self.entries.iter().filter(|(name, ..)| !self.known.contains(&name.as_str())) {
            let near = self.known.iter().find(|known| known.contains(name.as_str()) || name.contains(*known));
            let hint = match near {
                Some(near) => format!("; did you mean `{near}`?"),
                None => format!("; the keys here are {}", self.known.join(", ")),
            };
            self.findings.say(*line, &self.item, format!("unknown key `{name}`{hint}"));
        }
    }
}

fn numbers<const COUNT: usize>(node: &Node) -> Option<[f64; COUNT]> {
    let Value::List(items) = &node.value else { return None };
    let number = |node: &Node| match node.value {
        Value::Whole(number) => Some(number as f64),
        Value::Real(number) => Some(number),
        _ => None,
    };
    items.iter().map(number).collect::<Option<Vec<f64>>>()?.try_into().ok()
}
