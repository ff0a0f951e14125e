//! The tables of the book, by version: numbered files that are run in order, each once, each whole or not at all.
//!
//! A file is written once for both engines. `TEXT` and `BIGINT` are the portable types, beside `{bytes}`; `{strict}`
//! makes SQLite hold a table to its types, as PostgreSQL does anyway. What only one engine understands stands
//! between `-- only sqlite` or `-- only postgresql` and `-- end`. A statement ends with a `;` at the end of a line
//! that is not indented.

use super::{Database, Failure, FailureKind, Session, Value, seals};
use crate::base::{Error, Result, ShopTime, sha256};

/// One step from a version to the next.
struct Migration {
    name: &'static str,
    text: &'static str,
    /// What is done when the file has been run, where SQL alone cannot do it.
    then: Option<Then>,
}

/// Work in the transaction of a migration.
type Then = fn(&mut dyn Session) -> Result<(), Failure>;

/// The version of a database is the number of these that it has seen. One that was released is never edited.
const MIGRATIONS: [Migration; 4] = [
    Migration { name: "book", text: include_str!("migrations/0001_book.sql"), then: None },
    // What stands in a book that is older is sealed as it stands.
    Migration { name: "seals", text: include_str!("migrations/0002_seals.sql"), then: Some(seals::seal_all) },
    Migration { name: "duties", text: include_str!("migrations/0003_duties.sql"), then: None },
    Migration { name: "passes", text: include_str!("migrations/0004_passes.sql"), then: None },
];

/// What was done to this database so far.
const NOTES: &str = "CREATE TABLE migrations (
  version BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,      -- SHA-256 of the file
  applied_at BIGINT NOT NULL
) {strict};";

/// Brings the tables of a database to the newest version. Where there are none, makes them if it may.
///
/// # Errors
/// When it is not aisle's, was written by a newer aisle, or by one whose migrations were others.
pub(super) fn bring_up(database: &mut Database, create: bool, now: ShopTime) -> Result<()> {
    let engine = database.engine_name();
    let mut version = database.transaction(|session| found(session, engine))?;
    if version.is_none() && !create {
        return Err(Error::input("there is no book in this database").hint("it is made by `aisle` when a shop opens"));
    }
    while version.unwrap_or(0) < MIGRATIONS.len() {
        match database.transaction(|session| step(session, engine, version, now)) {
            Ok(()) => version = Some(version.unwrap_or(0) + 1),
            // Another process may do the same at this moment; then its step is as good as ours.
            Err(error) => {
                let since = database.transaction(|session| found(session, engine))?;
                if since <= version {
                    return Err(error);
                }
                version = since;
            }
        }
    }
    Ok(())
}

/// The version that a database has, `None` where it holds nothing at all.
fn found(session: &mut dyn Session, engine: &str) -> Result<Option<usize>, Failure> {
    let tables = match engine {
        "sqlite" => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
        _ => "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()",
    };
    let rows = session.query(tables, &[])?;
    let names = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
    if names.is_empty() {
        return Ok(None);
    }
    if !names.contains(&"migrations") {
        let hint = "name another database, or a schema of its own";
        return Err(Error::input("this database holds tables of another program").hint(hint).into());
    }
    let rows = session.query("SELECT version, name, digest FROM migrations ORDER BY version", &[])?;
    for (at, row) in rows.iter().enumerate() {
        let (version, name, digest) = (row.int(0)?, row.text(1)?, row.text(2)?);
        if version != at as i64 + 1 {
            let message = format!("this database has migration {version} without migration {}", at + 1);
            return Err(Error::input(message).hint("restore it from a backup").into());
        }
        let Some(known) = MIGRATIONS.get(at) else { break };
        if digest != sha256(known.text.as_bytes()) {
            let message = format!("migration {version}, `{name}`, of this database is not the one of this aisle");
            return Err(Error::input(message).hint("it was made by a version that was never released").into());
        }
    }
    if MIGRATIONS.len() < rows.len() {
        let message = format!(
            "this database was written by a newer aisle: its tables have version {}, this aisle {} knows {}",
            rows.len(),
            env!("CARGO_PKG_VERSION"),
            MIGRATIONS.len()
        );
        return Err(Error::input(message).hint("take the newer aisle; tables are never taken back").into());
    }
    Ok(Some(rows.len()))
}

/// One migration, and the note that it was done.
fn step(session: &mut dyn Session, engine: &str, version: Option<usize>, now: ShopTime) -> Result<(), Failure> {
    let done = version.unwrap_or(0);
    let Some(migration) = MIGRATIONS.get(done) else {
        return Err(Failure::new(FailureKind::Broken, format!("there is no migration {}", done + 1)));
    };
    let notes = if version.is_none() { statements(NOTES, engine) } else { Vec::new() };
    for statement in notes.iter().chain(&statements(migration.text, engine)) {
        session.execute(statement, &[])?;
    }
    if let Some(then) = migration.then {
        then(session)?;
    }
    let note = [
        Value::Int(done as i64 + 1),
        migration.name.into(),
        sha256(migration.text.as_bytes()).into(),
        Value::Int(now.as_nanos()),
    ];
    session.execute("INSERT INTO migrations (version, name, digest, applied_at) VALUES (?1, ?2, ?3, ?4)", &note)?;
    Ok(())
}

/// The statements of a file as this engine wants them.
fn statements(text: &str, engine: &str) -> Vec<String> {
    let (mut found, mut statement, mut only) = (Vec::new(), String::new(), None);
    for line in text.lines() {
        match line.strip_prefix("-- ").map(str::trim) {
            Some("end") => only = None,
            Some(comment) => only = comment.strip_prefix("only ").or(only),
            None if only.is_some_and(|only| only != engine) => {}
            None => {
                statement += line;
                statement.push('\n');
                if line.ends_with(';') && !line.starts_with(' ') {
                    found.push(in_dialect(statement.trim(), engine));
                    statement.clear();
                }
            }
        }
    }
    // What has no end is for the engine to refuse.
    if !statement.trim().is_empty() {
        found.push(statement);
    }
    found
}

/// The types of a statement in the words of this engine. Texts are compared by their bytes in both.
fn in_dialect(statement: &str, engine: &str) -> String {
    let words: &[(&str, &str)] = match engine {
        "sqlite" => &[("BIGINT", "INTEGER"), ("{bytes}", "BLOB"), ("{strict}", "STRICT")],
        _ => &[("TEXT", "TEXT COLLATE \"C\""), ("{bytes}", "BYTEA"), (" {strict}", "")],
    };
    words.iter().fold(statement.to_owned(), |statement, (from, to)| statement.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, statements};

    #[test]
    fn every_statement_of_a_migration_has_an_end() {
        for migration in MIGRATIONS {
            for engine in ["sqlite", "postgresql"] {
                for statement in statements(migration.text, engine) {
                    let last = statement.lines().next_back().unwrap();
                    assert!(last.ends_with(';') && !last.starts_with(' '), "{statement}");
                    assert!(!statement.contains('{'), "{statement}");
                }
            }
        }
    }

    const FILE: &str = "-- A table.
CREATE TABLE things (
  id TEXT PRIMARY KEY,  -- a name; of TEXT
  body {bytes},
  size BIGINT
) {strict};
CREATE INDEX things_by_size ON things (size);
-- only sqlite
CREATE TRIGGER t BEFORE DELETE ON things BEGIN
  SELECT 1;
END;
-- end
-- only postgresql
CREATE FUNCTION f() RETURNS trigger AS $$
BEGIN
  RETURN NULL;
END
$$;
-- end
DROP INDEX things_by_size;
";

    #[test]
    fn each_engine_gets_its_statements_in_its_words() {
        let [table, index, trigger, drop] = &statements(FILE, "sqlite")[..] else { panic!("four statements") };
        assert!(table.contains("size INTEGER") && table.contains("body BLOB") && table.ends_with(") STRICT;"));
        assert_eq!(index, "CREATE INDEX things_by_size ON things (size);");
        assert!(trigger.starts_with("CREATE TRIGGER") && trigger.ends_with("SELECT 1;\nEND;"));
        assert_eq!(drop, "DROP INDEX things_by_size;");

        let [table, _, function, _] = &statements(FILE, "postgresql")[..] else { panic!("four statements") };
        assert!(table.contains("id TEXT COLLATE \"C\" PRIMARY KEY") && table.contains("size BIGINT"));
        assert!(table.contains("body BYTEA") && table.ends_with("\n);"));
        assert!(function.starts_with("CREATE FUNCTION") && function.ends_with("END\n$$;"));
    }
}
