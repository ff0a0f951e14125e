//! What the tables of a database are, read back from it, to compare one with another.

use super::{Database, Failure, Session};
use crate::base::Result;

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
const POSTGRESQL: [&str; 6] = [
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
      WHERE t.relnamespace = current_schema()::regnamespace",
    "SELECT 'definition index ' || indexname || ' on ' || tablename || ': '
        || replace(indexdef, current_schema() || '.', '')
      FROM pg_catalog.pg_indexes WHERE schemaname = current_schema()",
    "SELECT 'definition trigger ' || g.tgname || ' on ' || t.relname || ': '
        || replace(pg_get_triggerdef(g.oid), current_schema() || '.', '')
      FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
      WHERE t.relnamespace = current_schema()::regnamespace AND NOT g.tgisinternal",
    "SELECT 'definition function ' || proname || ': ' || prosrc
      FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prolang <> 0 AND probin IS NULL",
];

/// The tables of a database, sorted. Lines that begin with `table` and `column` are the same for both engines; those that
/// begin with `definition` are the engine's own.
///
/// # Errors
/// As [`Database::transaction`].
pub fn schema(database: &mut Database) -> Result<Vec<String>> {
    let questions: &[&str] = if database.engine_name() == "sqlite" { &SQLITE } else { &POSTGRESQL };
    database.transaction(|session| {
        let mut lines =
            questions.iter().map(|question| lines(session, question)).collect::<Result<Vec<_>, Failure>>()?.concat();
        lines.sort();
        Ok(lines)
    })
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
