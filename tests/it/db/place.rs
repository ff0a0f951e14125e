//! Databases that exist for one test: a file, and a schema of the server that `AISLE_TEST_POSTGRES` names.

use std::sync::atomic::{AtomicU32, Ordering};

use aisle::base::{Result, ShopTime, Span};
use aisle::db::{Database, Options, open};
use tempfile::TempDir;

use super::super::left_out::left_out;

/// Which server is tested; `.ci/postgres` makes one.
pub(super) const SERVER: &str = "AISLE_TEST_POSTGRES";

/// The parameter of its URL that says which authority has signed its certificate.
pub(super) const AUTHORITY: &str = "sslrootcert=";

/// When everything here happens.
pub(super) const NOW: ShopTime = ShopTime::from_nanos(1_764_000_000_000_000_000);

static PLACES: AtomicU32 = AtomicU32::new(0);

/// Where a database can be made; it goes with this value.
pub(in super::super) struct Place {
    pub(in super::super) url: String,
    folder: Option<TempDir>,
    schema: Option<String>,
}

impl Place {
    pub(super) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("shop.db").to_str().unwrap().to_owned();
        Place { url, folder: Some(folder), schema: None }
    }

    /// A new schema of the server, `None` where there is no server.
    pub(in super::super) fn schema() -> Option<Self> {
        let server = server()?;
        let name = format!("aisle_{}_{}", std::process::id(), PLACES.fetch_add(1, Ordering::SeqCst));
        administer(&server, &format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}"));
        let sign = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{sign}options=-csearch_path%3D{name}");
        Some(Place { url, folder: None, schema: Some(name) })
    }

    pub(super) fn is_file(&self) -> bool {
        self.folder.is_some()
    }

    pub(super) fn schema_name(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    pub(super) fn open(&self) -> Database {
        self.try_open(5_000).unwrap()
    }

    /// Opens it to wait for others for so long.
    pub(super) fn try_open(&self, wait_millis: i64) -> Result<Database> {
        open(&self.url, &Options { wait_span_max: Span::from_millis(wait_millis), create: true }, NOW)
    }

    /// Runs a script past aisle.
    pub(super) fn run_script(&self, script: &str) {
        if self.is_file() {
            rusqlite::Connection::open(&self.url).unwrap().execute_batch(script).unwrap();
        } else {
            administer(&self.url, script);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let (Some(name), Some(server)) = (&self.schema, server()) {
            administer(&server, &format!("DROP SCHEMA {name} CASCADE"));
        }
    }
}

pub(in super::super) fn server() -> Option<String> {
    std::env::var(SERVER).ok().filter(|url| !url.is_empty())
}

/// Runs a test on each engine that is there.
pub(super) fn on_each(test: impl Fn(&Place)) {
    test(&Place::file());
    on_server(test);
}

/// Runs a test on PostgreSQL, or says that it does not.
pub(super) fn on_server(test: impl Fn(&Place)) {
    match Place::schema() {
        Some(place) => test(&place),
        None => left_out("PostgreSQL", &format!("{SERVER} names no server, `.ci/postgres start` makes one")),
    }
}

/// A connection past aisle, and the runtime it lives on.
pub(super) struct Admin {
    runtime: tokio::runtime::Runtime,
    client: tokio_postgres::Client,
}

impl Admin {
    pub(super) fn new(url: &str) -> Self {
        // The driver alone does not know the parameter that names an authority.
        let parts: Vec<&str> = url.split_inclusive(['?', '&']).filter(|part| !part.starts_with(AUTHORITY)).collect();
        let url = parts.concat();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(async move { drop(connection.await) });
            client
        });
        Admin { runtime, client }
    }

    pub(super) fn run(&self, script: &str) {
        self.runtime.block_on(self.client.batch_execute(script)).unwrap();
    }

    /// The one value that a question has.
    pub(super) fn ask(&self, question: &str) -> String {
        let answers = self.runtime.block_on(self.client.simple_query(question)).unwrap();
        let value = answers.iter().find_map(|answer| match answer {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        value.unwrap_or_default()
    }
}

fn administer(url: &str, script: &str) {
    Admin::new(url).run(script);
}
