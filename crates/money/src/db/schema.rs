//! What the tables of a database are, read back from it, to compare one with another and with what the migrations make.

use std::collections::{BTreeMap, BTreeSet};

use super::sqlite::Sqlite;
use super::{Database, Failure, Options, Session, migrations};
use crate::base::{Result, ShopTime};

/// What the migrations make on PostgreSQL. A test holds it against a server; that of SQLite is made in memory.
const ON_POSTGRESQL: &str = include_str!("migrations/schema-postgresql.txt");

/// In SQLite: tables and columns, then the text of each definition without comments and line breaks.
const SQLITE: [&str; 3] = [
    "SELECT 'table ' || name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
    "SELECT 'column ' || t.name || '.' || c.name || ' '
        || CASE c.type WHEN 'INTEGER' THEN 'BIGINT' WHEN 'BLOB' THEN 'BYTES' ELSE c.type END
        || CASE WHEN c.\"notnull\" = 1 OR c.pk <> 0 THEN ' NOT NULL' ELSE '' END
        || COALESCE(' DEFAULT ' || c.dflt_value, '')
      FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c
      WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!'",
    "SELECT 'definition ' || type || ' ' || name || ' on ' || tbl_name || ': ' || sql
      FROM sqlite_schema WHERE sql IS NOT NULL",
];

/// In PostgreSQL the same, with constraints, indexes, triggers and functions as the server writes them.
const POSTGRESQL: [&str; 8] = [
    "SELECT 'table ' || tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()",
    "SELECT 'column ' || t.relname || '.' || c.attname || ' '
        || CASE WHEN c.atttypid = 'bytea'::regtype THEN 'BYTES' ELSE upper(format_type(c.atttypid, c.atttypmod)) END
        || CASE WHEN c.attnotnull THEN ' NOT NULL' ELSE '' END
        || COALESCE(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
      FROM pg_attribute c JOIN pg_class t ON t.oid = c.attrelid
      LEFT JOIN pg_attrdef d ON d.adrelid = c.attrelid AND d.adnum = c.attnum
      WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND c.attnum > 0 AND NOT c.attisdropped",
    "SELECT 'definition constraint ' || c.conname || ' on ' || t.relname || ': ' || pg_get_constraintdef(c.oid)
      FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
      WHERE t.relnamespace = current_schema()::regnamespace AND c.contype <> 'n'",
    "SELECT 'definition index ' || indexname || ' on ' || tablename || ': '
        || replace(indexdef, current_schema() || '.', '')
      FROM pg_catalog.pg_indexes WHERE schemaname = current_schema()",
    "SELECT 'definition trigger ' || g.tgname || ' on ' || t.relname || ': '
        || replace(pg_get_triggerdef(g.oid), current_schema() || '.', '')
        || CASE g.tgenabled WHEN 'O' THEN '' WHEN 'A' THEN ' (always)' WHEN 'R' THEN ' (on replicas only)'
           ELSE ' (disabled)' END
      FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
      WHERE t.relnamespace = current_schema()::regnamespace AND NOT g.tgisinternal",
    "SELECT 'definition function ' || proname || ': ' || prosrc
      FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prolang <> 0 AND probin IS NULL",
    "SELECT 'definition rule ' || r.rulename || ' on ' || t.relname || ': ' || pg_get_ruledef(r.oid)
      FROM pg_rewrite r JOIN pg_class t ON t.oid = r.ev_class
      WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r'",
    "SELECT 'definition policy ' || p.polname || ' on ' || t.relname || ': '
        || COALESCE(pg_get_expr(p.polqual, p.polrelid), '')
      FROM pg_policy p JOIN pg_class t ON t.oid = p.polrelid
      WHERE t.relnamespace = current_schema()::regnamespace",
];

/// A part of the schema that is not as the migrations make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// What it is, such as `trigger audit_no_update on audit`.
    pub name: String,
    /// How the migrations make it; none where they make no such thing.
    pub expected: Option<String>,
    /// How it is; none where it is missing.
    pub found: Option<String>,
}

/// The tables of a database, sorted. Lines that begin with `table` and `column` are the same for both engines; those that
/// begin with `definition` are the engine's own.
///
/// # Errors
/// As [`Database::transaction`].
pub fn schema(database: &mut Database) -> Result<Vec<String>> {
    let engine = database.engine_name();
    database.transaction(|session| read(session, engine))
}

/// Everything in which the tables of this database differ from what the migrations make: triggers, tables, columns,
/// indexes and constraints that are missing, changed or added.
///
/// # Errors
/// As [`Database::transaction`].
pub fn strays(database: &mut Database) -> Result<Vec<Stray>> {
    let expected = match database.engine_name() {
        "sqlite" => {
            let mut new = Database::new(Box::new(Sqlite::open(None, &Options::default())?));
            migrations::bring_up(&mut new, true, ShopTime::from_nanos(0))?;
            schema(&mut new)?
        }
        _ => ON_POSTGRESQL.lines().map(str::to_owned).collect(),
    };
    Ok(differences(&expected, &schema(database)?))
}

fn read(session: &mut dyn Session, engine: &str) -> Result<Vec<String>, Failure> {
    let questions: &[&str] = if engine == "sqlite" { &SQLITE } else { &POSTGRESQL };
    let mut lines =
        questions.iter().map(|question| lines(session, question)).collect::<Result<Vec<_>, Failure>>()?.concat();
    lines.sort();
    Ok(lines)
}

fn differences(expected: &[String], found: &[String]) -> Vec<Stray> {
    let (expected, found): (BTreeSet<&String>, BTreeSet<&String>) = (expected.iter().collect(), found.iter().collect());
    let mut strays: BTreeMap<&str, Stray> = BTreeMap::new();
    for (line, is_expected) in expected
        .difference(&found)
        .map(|line| (line, true))
        .chain(found.difference(&expected).map(|line| (line, false)))
    {
        let (name, what) = parts(line);
        let stray = strays.entry(name).or_insert_with(|| Stray { name: name.to_owned(), expected: None, found: None });
        *(if is_expected { &mut stray.expected } else { &mut stray.found }) = Some(what.to_owned());
    }
    strays.into_values().collect()
}

/// What a line names, and what it says of that.
fn parts(line: &str) -> (&str, &str) {
    let line = line.strip_prefix("definition ").unwrap_or(line);
    if let Some(column) = line.strip_prefix("column ") {
        // The name of a column ends at the first space; its type follows.
        let end = column.find(' ').map_or(line.len(), |at| at + "column ".len());
        return (&line[..end], line[end..].trim());
    }
    line.split_once(": ").unwrap_or((line, "there"))
}

fn lines(session: &mut dyn Session, question: &str) -> Result<Vec<String>, Failure> {
    let rows = session.query(question, &[])?;
    rows.iter().map(|row| Ok(normal(row.text(0)?))).collect()
}

/// Without comments and with single spaces.
fn normal(definition: &str) -> String {
    let code = definition.lines().map(|line| line.split("--").next().unwrap_or(line));
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}
