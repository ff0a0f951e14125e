//! TOML and JSON as one tree whose every node knows its line, so that all problems can be named with their place.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 64;

/// A value and the line it begins on, counted from 1.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
    List(Vec<Node>),
    /// Keys in the order of the file where the format keeps it; each with its line.
    Table(Vec<(String, u64, Node)>),
    Flag(bool),
    /// A date as it stands there.
    Date(String),
    /// Something that no setting is: a null, a number out of range.
    Other(&'static str),
}

/// A syntax error and its line.
pub(super) type Wrong = (u64, String);

impl Node {
    /// What it is, for a sentence.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a text",
            Value::Whole(_) => "a whole number",
            Value::Real(_) => "a number",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Flag(_) => "a flag",
            Value::Date(_) => "a date",
            Value::Other(kind) => kind,
        }
    }
}

/// Reads TOML; gives what could be read and every syntax error.
pub(super) fn from_toml(text: &str) -> (Node, Vec<Wrong>) {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let line_of = |error: &toml::de::Error| error.span().map_or(1, |span| lines.at(span.start));
    let wrongs = errors.iter().map(|error| (line_of(error), error.message().to_owned())).collect();
    (Node { line: 1, value: table_value(table.get_ref(), &lines) }, wrongs)
}

fn table_value(table: &DeTable<'_>, lines: &Lines) -> Value {
    let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        (key.get_ref().to_string(), lines.at(key.span().start), toml_node(value, lines))
    };
    let mut entries: Vec<(String, u64, Node)> = table.iter().map(entry).collect();
    entries.sort_by_key(|(_, line, _)| *line);
    Value::Table(entries)
}

fn toml_node(value: &Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let inner = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix())
                .map_or(Value::Other("a number of more than 64 bits"), Value::Whole)
        }
        DeValue::Float(number) => {
            number.as_str().replace('_', "").parse().map_or(Value::Other("no number"), Value::Real)
        }
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| toml_node(item, lines)).collect()),
        DeValue::Table(table) => table_value(table, lines),
    };
    Node { line: lines.at(value.span().start), value: inner }
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines(std::iter::once(0).chain(breaks).collect())
    }

    fn at(&self, byte: usize) -> u64 {
        self.0.partition_point(|start| *start <= byte) as u64
    }
}

/// Reads JSON.
///
/// # Errors
/// The first syntax error.
pub(super) fn from_json(text: &str) -> Result<Node, Wrong> {
    let mut json = Json { text, at: 0, line: 1 };
    let node = json.node(0)?;
    json.skip_space();
    match json.rest().chars().next() {
        None => Ok(node),
        Some(more) => Err((json.line, format!("`{more}` stands behind the end"))),
    }
}

struct Json<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl<'a> Json<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let taken = &self.rest()[..bytes];
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.at += bytes;
        taken
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.skip(rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']).len());
    }

    /// The next sign that is not space, passed over if it is the wanted one.
    fn eat(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn wrong<T>(&self, wanted: &str) -> Result<T, Wrong> {
        let found = self.rest().chars().next().map_or("the file ends".to_owned(), |found| format!("`{found}` stands"));
        Err((self.line, format!("{found} where {wanted} should be")))
    }

    fn node(&mut self, depth: usize) -> Result<Node, Wrong> {
        if DEPTH_MAX < depth {
            return Err((self.line, format!("nested more than {DEPTH_MAX} deep")));
        }
        self.skip_space();
        let line = self.line;
        let value = match self.rest().bytes().next() {
            Some(b'{') => self.table(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            _ => self.word()?,
        };
        Ok(Node { line, value })
    }

    fn table(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut entries: Vec<(String, u64, Node)> = Vec::new();
        self.eat('{');
        while !self.eat('}') {
            if !entries.is_empty() && !self.eat(',') {
                return self.wrong("`,` or `}`");
            }
            self.skip_space();
            let line = self.line;
            let key = if self.rest().starts_with('"') { self.string()? } else { return self.wrong("a key in quotes") };
            if entries.iter().any(|(other, ..)| *other == key) {
                return Err((line, format!("key `{key}` stands twice")));
            }
            if !self.eat(':') {
                return self.wrong("`:`");
            }
            entries.push((key, line, self.node(depth + 1)?));
        }
        Ok(Value::Table(entries))
    }

    fn list(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut items = Vec::new();
        self.eat('[');
        while !self.eat(']') {
            if !items.is_empty() && !self.eat(',') {
                return self.wrong("`,` or `]`");
            }
            items.push(self.node(depth + 1)?);
        }
        Ok(Value::List(items))
    }

    fn string(&mut self) -> Result<String, Wrong> {
        let bytes = self.rest().as_bytes();
        let mut end = 1;
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        if bytes.len() <= end {
            return Err((self.line, "a text lacks its closing quote".to_owned()));
        }
        let line = self.line;
        serde_json::from_str(self.skip(end + 1)).map_err(|error| (line, format!("a text cannot be read: {error}")))
    }

    fn word(&mut self) -> Result<Value, Wrong> {
        let rest = self.rest();
        let length =
            rest.find(|sign: char| !(sign.is_ascii_alphanumeric() || "+-.".contains(sign))).unwrap_or(rest.len());
        let value = match serde_json::from_str::<serde_json::Value>(&rest[..length]) {
            Ok(serde_json::Value::Bool(flag)) => Value::Flag(flag),
            Ok(serde_json::Value::Null) => Value::Other("null"),
            Ok(serde_json::Value::Number(number)) => {
                let real = || number.as_f64().map_or(Value::Other("no number"), Value::Real);
                number.as_i64().map_or_else(real, Value::Whole)
            }
            _ if ["NaN", "Infinity", "-Infinity"].contains(&&rest[..length]) => {
                return Err((self.line, format!("{} is no number in JSON", &rest[..length])));
            }
            _ => return self.wrong("a value"),
        };
        self.skip(length);
        Ok(value)
    }
}
