//! DynamoDB: the engine `dynoxide` behind its own HTTP server, and the tables of the templates in it.
//!
//! On disk it is one SQLite file in WAL mode with `synchronous` at SQLite's default, FULL: a write is
//! answered after its log is on the disk, so neither a killed process nor a lost power supply takes back
//! what was answered.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::thread;

use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::delete_table::DeleteTableRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::{Database, DynoxideError, actions};
use serde_json::{Value, json};

use crate::deployment::Table;
use crate::server::Stop;

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine itself says no.
    #[error("the database does not open: {0}")]
    Engine(#[from] DynoxideError),
    /// It cannot listen.
    #[error("the database cannot be served: {0}")]
    Serve(#[from] io::Error),
    /// Its file cannot be tended.
    #[error("the database does not open: {0}")]
    File(#[from] rusqlite::Error),
    /// A table of the templates makes no sense to the engine.
    #[error("table {table} cannot be made: {reason}")]
    Table {
        /// The table's name.
        table: String,
        /// What the engine says.
        reason: String,
    },
    /// A table on disk is not what the templates say now.
    #[error(
        "table {0} was made by another version of the templates: remove the data folder, or start with another --data"
    )]
    Outdated(String),
}

/// A running engine.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) database: Handle,
    pub(crate) endpoint: String,
    pub(crate) thread: thread::JoinHandle<()>,
}

/// The engine's own interface, past HTTP.
#[derive(Clone)]
pub(crate) struct Handle(pub(crate) Database);

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Database")
    }
}

impl Engine {
    /// Opens the database at `path`, or one in memory, and serves it until the signal.
    pub(crate) fn start(path: Option<&Path>, tables: &[Table], stop: Stop) -> Result<Self, EngineError> {
        let name = match path {
            Some(path) => path.to_string_lossy().into_owned(),
            None => format!("file:{}?mode=memory&cache=shared", crate::ids::hex()),
        };
        let database = Database::new(&name)?;
        tend_streams(&name)?;
        let whole = Whole::open(&name)?;
        for table in tables {
            if !whole.has(&table.name)? {
                remove(&database, table)?;
            }
            make(&database, table)?;
            whole.add(&table.name)?;
        }
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        // A thread of its own: the engine works through one lock and waits for the disk while it holds
        // its thread, which must not be one that answers requests.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = database.clone();
        let thread = thread::Builder::new().name("dynamodb".to_owned()).spawn(move || {
            runtime.block_on(async move {
                if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                    let _ = dynoxide::server::serve_with_shutdown(listener, served, stop.wait()).await;
                }
            });
        })?;
        Ok(Self { database: Handle(database), endpoint, thread })
    }
}

/// Does for the streams what the engine leaves undone.
///
/// It looks for the newest record of a stream, at every write to its table, through all of them, and never
/// lets one go: 8,000 records cost a write 2 ms in memory and 5 ms on disk. With an index the time
/// stays the same; and as in DynamoDB, a record is there for a day.
fn tend_streams(name: &str) -> rusqlite::Result<()> {
    rusqlite::Connection::open(name)?.execute_batch(
        "CREATE INDEX IF NOT EXISTS _stream_records_in_order
             ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
         DELETE FROM _stream_records WHERE created_at < unixepoch() - 86400;",
    )
}

/// The tables that are whole. The engine makes one in steps, and a kill between two of them leaves a part
/// that it takes for the table from then on; nothing can have been stored in it yet.
struct Whole(rusqlite::Connection);

impl Whole {
    fn open(name: &str) -> rusqlite::Result<Self> {
        let connection = rusqlite::Connection::open(name)?;
        connection.execute_batch("CREATE TABLE IF NOT EXISTS _whole_tables (name TEXT PRIMARY KEY)")?;
        Ok(Self(connection))
    }

    fn has(&self, table: &str) -> rusqlite::Result<bool> {
        self.0.query_row("SELECT EXISTS (SELECT 1 FROM _whole_tables WHERE name = ?1)", [table], |row| row.get(0))
    }

    fn add(&self, table: &str) -> rusqlite::Result<()> {
        self.0.execute("INSERT OR IGNORE INTO _whole_tables VALUES (?1)", [table]).map(|_| ())
    }
}

fn refused(table: &Table, reason: &dyn std::fmt::Display) -> EngineError {
    // The engine marks its refusals for its own server.
    let reason = reason.to_string().replacen("VALIDATION:", "", 1);
    EngineError::Table { table: table.name.clone(), reason }
}

/// Removes what there is of a table.
fn remove(database: &Database, table: &Table) -> Result<(), EngineError> {
    match database.delete_table(DeleteTableRequest { table_name: table.name.clone() }) {
        Ok(_) | Err(DynoxideError::ResourceNotFoundException(_)) => Ok(()),
        Err(error) => Err(refused(table, &error)),
    }
}

fn make(database: &Database, table: &Table) -> Result<(), EngineError> {
    let failed = |reason: &dyn std::fmt::Display| refused(table, reason);
    match database.describe_table(DescribeTableRequest { table_name: table.name.clone() }) {
        Ok(known) => {
            let known = serde_json::to_value(&known.table).map_err(|error| failed(&error))?;
            if outline(&known) != outline(&table.create) {
                return Err(EngineError::Outdated(table.name.clone()));
            }
        }
        Err(DynoxideError::ResourceNotFoundException(_)) => {
            let request: CreateTableRequest =
                serde_json::from_value(table.create.clone()).map_err(|error| failed(&error))?;
            database.create_table(request).map_err(|error| failed(&error))?;
        }
        Err(error) => return Err(failed(&error)),
    }
    let Some(attribute) = &table.ttl else { return Ok(()) };
    let describe = actions::describe_time_to_live::DescribeTimeToLiveRequest { table_name: table.name.clone() };
    let known = database.describe_time_to_live(describe).map_err(|error| failed(&error))?;
    let known = serde_json::to_value(&known).map_err(|error| failed(&error))?;
    if known["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED" {
        return Ok(());
    }
    let request = serde_json::from_value(json!({
        "TableName": table.name,
        "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
    }));
    database.update_time_to_live(request.map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
    Ok(())
}

/// What cannot be changed in a table that is there: keys, indexes with their keys, the stream's view.
fn outline(table: &Value) -> Value {
    let keys = |part: &Value| -> Vec<(String, String)> {
        let mut keys: Vec<_> = part["KeySchema"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|key| (key["KeyType"].to_string(), key["AttributeName"].to_string()))
            .collect();
        keys.sort();
        keys
    };
    let mut indexes: Vec<_> = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
        .iter()
        .flat_map(|kind| table[kind].as_array().into_iter().flatten())
        .map(|index| (index["IndexName"].to_string(), keys(index)))
        .collect();
    indexes.sort();
    json!({"keys": keys(table), "indexes": indexes, "stream": table["StreamSpecification"]["StreamViewType"]})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(index: &str) -> Table {
        Table {
            name: "Table".into(),
            create: json!({
                "TableName": "Table",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "i", "AttributeType": "S"},
                ],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "GlobalSecondaryIndexes": [{
                    "IndexName": index,
                    "KeySchema": [{"AttributeName": "i", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }],
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
            }),
            ttl: Some("ttl".into()),
        }
    }

    #[test]
    fn tables_are_made_once_and_a_changed_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dynamodb.sqlite");
        let (_stopper, stop) = Stop::new();
        for _ in 0..2 {
            Engine::start(Some(&path), &[table("one")], stop.clone()).unwrap();
        }
        let error = Engine::start(Some(&path), &[table("two")], stop.clone()).unwrap_err();
        assert!(matches!(error, EngineError::Outdated(name) if name == "Table"));
    }

    #[test]
    fn a_table_whose_making_was_cut_off_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dynamodb.sqlite");
        let name = path.to_string_lossy();
        // What a kill leaves after the engine's first step.
        let mut part = table("one");
        part.create["StreamSpecification"].take();
        make(&Database::new(&name).unwrap(), &part).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE \"Table\"").unwrap();
        let (_stopper, stop) = Stop::new();
        let engine = Engine::start(Some(&path), &[table("one")], stop.clone()).unwrap();
        let known = engine.database.0.describe_table(DescribeTableRequest { table_name: "Table".into() }).unwrap();
        assert_eq!(outline(&serde_json::to_value(&known.table).unwrap()), outline(&table("one").create));
        let item = json!({"TableName": "Table", "Item": {"pk": {"S": "kept"}}});
        engine.database.0.put_item(serde_json::from_value(item).unwrap()).unwrap();
        let engine = Engine::start(Some(&path), &[table("one")], stop).unwrap();
        let item = json!({"TableName": "Table", "Key": {"pk": {"S": "kept"}}});
        let kept = engine.database.0.get_item(serde_json::from_value(item).unwrap()).unwrap();
        assert!(serde_json::to_value(&kept).unwrap()["Item"].is_object(), "one that is whole stays");
    }

    #[test]
    fn what_was_answered_is_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dynamodb.sqlite");
        let (_stopper, stop) = Stop::new();
        Engine::start(Some(&path), &[table("one")], stop).unwrap();
        // The mode stays with the file; the level is what this build of SQLite gives every connection.
        let connection = rusqlite::Connection::open(path).unwrap();
        let pragma =
            |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        assert_eq!(pragma("journal_mode").unwrap(), rusqlite::types::Value::Text("wal".into()));
        assert_eq!(pragma("synchronous").unwrap(), rusqlite::types::Value::Integer(2), "FULL");
    }

    #[test]
    fn a_table_that_makes_no_sense_is_named() {
        let (_stopper, stop) = Stop::new();
        let mut broken = table("one");
        broken.create["KeySchema"] = json!([]);
        let error = Engine::start(None, &[broken], stop).unwrap_err();
        assert!(error.to_string().starts_with("table Table cannot be made: "), "{error}");
    }
}
