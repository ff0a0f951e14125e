//! The proof of the chain of seals: each link holds, each row says what was sealed last, and no row is missing or too much.

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest as hash};

use super::report::Check;
use crate::base::chained;

/// The table of shops, which says how long evidence is kept.
const SHOPS: &str = "shops";

/// Something that does not hold: what is proved, of what, what would be right, what is there.
pub(super) type Off = (Check, String, String, String);

/// The seals that were read so far.
#[derive(Default)]
pub(super) struct Seals {
    sequence: i64,
    digest: String,
    /// By table and key.
    rows: BTreeMap<String, BTreeMap<Box<str>, Known>>,
    /// Rows of tables whose rows may go that were sealed and are gone, by table, with their keys and last seals.
    gone: Vec<(String, Box<str>, i64)>,
    /// The last seal of each row of a table, for tables that say how long others are kept.
    last: BTreeMap<Box<str>, i64>,
}

/// What is known of a row by its seals.
struct Known {
    /// Of what was sealed last.
    content: [u8; 32],
    sequence: i64,
    /// It was sealed more than once, so it was written more than once.
    rewritten: bool,
    seen: bool,
}

impl Seals {
    /// The next link of the chain.
    pub(super) fn link(
        &mut self,
        sequence: i64,
        (kind, subject, content): (&str, &str, &str),
        stored: &str,
    ) -> Vec<Off> {
        let mut off = Vec::new();
        let name = || format!("seal {sequence}, of {kind} {subject}");
        if sequence != self.sequence + 1 {
            let (expected, found) = (format!("seal {}", self.sequence + 1), format!("seal {sequence}"));
            off.push((Check::Sequence, name(), expected, found));
        }
        let right = chained(&self.digest, &[kind, subject, content]);
        if right != stored {
            off.push((Check::Digest, name(), right, stored.to_owned()));
        }
        self.sequence = sequence;
        stored.clone_into(&mut self.digest);
        let rows = self.rows.entry(kind.to_owned()).or_default();
        let content = fingerprint(content);
        rows.entry(subject.into())
            .and_modify(|known| (known.content, known.sequence, known.rewritten) = (content, sequence, true))
            .or_insert(Known { content, sequence, rewritten: false, seen: false });
        off
    }

    /// A row as it stands; `fixed` rows are written once.
    pub(super) fn row(&mut self, kind: &str, subject: &str, content: &str, fixed: bool) -> Option<Off> {
        let name = format!("{kind} {subject}");
        let Some(known) = self.rows.get_mut(kind).and_then(|rows| rows.get_mut(subject)) else {
            return Some((
                Check::Seal,
                name,
                "a row that aisle has written and sealed".into(),
                "a row without a seal".into(),
            ));
        };
        known.seen = true;
        if known.content != fingerprint(content) {
            let expected = format!("what seal {} is of", known.sequence);
            return Some((Check::Seal, name, expected, format!("another content, with digest {content}")));
        }
        (fixed && known.rewritten).then(|| {
            (Check::Seal, name, "a row that was written once".into(), format!("seal {} again", known.sequence))
        })
    }

    /// All rows of a table were read; `passing` ones may be gone.
    pub(super) fn end(&mut self, kind: &str, passing: bool) -> Vec<Off> {
        let rows = self.rows.remove(kind).unwrap_or_default();
        if kind == SHOPS {
            self.last = rows.iter().map(|(subject, known)| (subject.clone(), known.sequence)).collect();
        }
        let gone = rows.into_iter().filter(|(_, known)| !known.seen);
        if passing {
            self.gone.extend(gone.map(|(subject, known)| (kind.to_owned(), subject, known.sequence)));
            return Vec::new();
        }
        gone.map(|(subject, known)| {
            (
                Check::Seal,
                format!("{kind} {subject}"),
                format!("the row that seal {} is of", known.sequence),
                "no row".into(),
            )
        })
        .collect()
    }

    /// Rows that were sealed and are gone, of tables whose rows may go: key and last seal.
    pub(super) fn gone(&mut self, kind: &str) -> Vec<(String, i64)> {
        let gone = self.gone.extract_if(.., |(table, _, _)| table == kind);
        gone.map(|(_, subject, sequence)| (subject.into_string(), sequence)).collect()
    }

    /// Whether a shop was described anew behind a seal.
    pub(super) fn is_shop_changed(&self, shop: &str, sequence: i64) -> bool {
        self.last.get(shop).is_none_or(|last| sequence < *last)
    }

    /// What was sealed of tables that there are not.
    pub(super) fn finish(self) -> Vec<Off> {
        let kinds = self.rows.into_iter();
        let off = |(kind, rows): (String, BTreeMap<Box<str>, Known>)| {
            (Check::Seal, kind, "a table that is sealed".into(), format!("{} seals of rows of it", rows.len()))
        };
        kinds.map(off).collect()
    }
}

fn fingerprint(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash(&SHA256, text.as_bytes()).as_ref());
    bytes
}
