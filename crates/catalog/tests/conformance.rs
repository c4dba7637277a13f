//! What every catalog does, in SQLite always and in PostgreSQL when `GLASSHOUSE_TEST_POSTGRES` is the URL
//! of a database whose user may create databases.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use glasshouse_catalog::{Catalog, CatalogError, CatalogOptions, Commit, Expired};
use glasshouse_model::{Clock, DurationNs, Timestamp};
use glasshouse_tables::ports::{DocumentError, DocumentText};
use glasshouse_tables::{ColumnStats, DataFile, NewFile, ShredType, ShreddedColumn, StatValue, Table};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// A clock that tests move.
#[derive(Debug)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// A place for one catalog.
struct Place {
    url: String,
    clock: Arc<HandClock>,
    folder: TempDir,
    server: Option<String>,
}

impl Place {
    fn new(url: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = format!("sqlite:{}/catalog.sqlite", folder.path().display());
        let clock = Arc::new(HandClock(AtomicI64::new(1_700_000_000_000_000_000)));
        Self { url: url.unwrap_or(sqlite), clock, folder, server: None }
    }

    async fn postgres(server: String) -> Self {
        let name = format!("glasshouse_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        let mut url = sqlx_url(&server);
        url.set_path(&name);
        Self { server: Some(server), ..Self::new(Some(url.to_string())) }
    }

    fn options(&self) -> CatalogOptions {
        CatalogOptions {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            patience: Duration::from_secs(5),
            ..CatalogOptions::new(&self.url, format!("{}/data", self.folder.path().display()))
        }
    }

    async fn open(&self) -> Catalog {
        Catalog::open(self.options()).await.unwrap()
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(DurationNs::from_secs(seconds).nanos(), Ordering::Relaxed);
    }

    async fn remove(self) {
        if let Some(server) = &self.server {
            let name = sqlx_url(&self.url).path().trim_start_matches('/').to_owned();
            let mut connection = PgConnection::connect(server).await.unwrap();
            let sql = format!("DROP DATABASE {name} WITH (FORCE)");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
    }
}

fn sqlx_url(text: &str) -> url::Url {
    text.parse().unwrap()
}

macro_rules! conformance {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(&super::Place::new(None)).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() {
                if let Ok(server) = std::env::var("GLASSHOUSE_TEST_POSTGRES") {
                    let place = super::Place::postgres(server).await;
                    super::$name(&place).await;
                    place.remove().await;
                }
            })*
        }
    };
}

conformance!(
    a_new_catalog_has_every_table_and_reopens_unchanged,
    commits_add_replace_and_list_files,
    a_refused_commit_changes_nothing,
    shredded_columns_are_added_once,
    watermarks_move_with_commits,
    ended_files_are_scheduled_then_forgotten,
    two_writers_never_lose_a_file,
    wide_commits_and_many_files_fit,
    a_dropped_commit_never_happened,
    documents_are_kept_in_revisions,
);

async fn documents_are_kept_in_revisions(place: &Place) {
    let catalog = place.open().await;
    let text = |name: &str, body: &str| DocumentText { name: name.to_owned(), body: body.to_owned() };
    let hostile = "<b>'; DROP TABLE glasshouse_document; -- \u{202e}ü";
    let second = catalog.create_document("view", text("b", hostile)).await.unwrap().unwrap();
    let first = catalog.create_document("view", text("a", "/traces")).await.unwrap().unwrap();
    catalog.create_document("dashboard", text("other", "{}")).await.unwrap().unwrap();
    assert_eq!(catalog.documents("view").await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!((first.revision, first.updated), (1, place.clock.now()));

    let changed = catalog.replace_document("view", (first.id, 1), text("c", "/logs")).await.unwrap().unwrap();
    assert_eq!((changed.id, changed.revision), (first.id, 2));
    let stale = catalog.replace_document("view", (first.id, 1), text("d", "/")).await.unwrap();
    assert_eq!(stale, Err(DocumentError::Stale(2)));
    let of_another_kind = catalog.replace_document("dashboard", (first.id, 2), text("d", "/")).await.unwrap();
    assert_eq!(of_another_kind, Err(DocumentError::Unknown));
    let reopened = place.open().await;
    assert_eq!(reopened.documents("view").await.unwrap(), [second.clone(), changed]);

    assert_eq!(reopened.remove_document("view", first.id, Some(1)).await.unwrap(), Err(DocumentError::Stale(2)));
    reopened.remove_document("view", first.id, Some(2)).await.unwrap().unwrap();
    assert_eq!(reopened.remove_document("view", first.id, None).await.unwrap(), Err(DocumentError::Unknown));
    assert_eq!(catalog.documents("view").await.unwrap(), [second]);
}

fn time(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000 + nanos)
}

fn file(catalog: &Catalog, table: Table, name: &str, rows: u64) -> NewFile {
    let stats = |path: &str, min: StatValue, max: StatValue| ColumnStats {
        column_id: catalog.columns(table).get(path).unwrap(),
        bytes: 10,
        values: rows,
        nulls: 0,
        min: Some(min),
        max: Some(max),
        has_nan: None,
    };
    let bounds = (time(1), time(rows as i64));
    NewFile {
        table,
        path: format!("{}/2023-11-14/22/{name}.parquet", table.name()),
        rows,
        bytes: rows * 10,
        footer_bytes: 100,
        min_time: bounds.0,
        max_time: bounds.1,
        columns: vec![stats(table.time_column(), StatValue::Time(bounds.0), StatValue::Time(bounds.1))],
    }
}

async fn add(catalog: &Catalog, files: Vec<NewFile>, remove: &[i64]) -> Vec<DataFile> {
    let commit = Commit { add: files, remove: remove.to_vec(), watermark: None };
    catalog.commit(commit).await.unwrap().added
}

async fn a_new_catalog_has_every_table_and_reopens_unchanged(place: &Place) {
    let catalog = place.open().await;
    let first: Vec<_> = Table::ALL.map(|table| catalog.columns(table)).into();
    for table in Table::ALL {
        for column in table.columns() {
            assert!(catalog.columns(table).get(column.name).is_some(), "{} {}", table.name(), column.name);
        }
    }
    let metrics = catalog.columns(Table::Metrics);
    for path in ["bucket_counts.element", "exponential.positive_counts.element", "exemplars.element.time"] {
        assert!(metrics.get(path).is_some(), "{path}");
    }
    let snapshot = catalog.current_snapshot().await.unwrap();
    assert!(catalog.files().await.unwrap().files.is_empty());
    let again = place.open().await;
    assert_eq!(Table::ALL.map(|table| again.columns(table)).to_vec(), first);
    assert_eq!(again.current_snapshot().await.unwrap(), snapshot);

    let elsewhere = CatalogOptions { data_path: "s3://bucket/lake".to_owned(), ..place.options() };
    assert!(matches!(Catalog::open(elsewhere).await, Err(CatalogError::Incompatible(_))));
}

async fn commits_add_replace_and_list_files(place: &Place) {
    let catalog = place.open().await;
    let spans = file(&catalog, Table::Spans, "a", 10);
    let logs = file(&catalog, Table::Logs, "b", 5);
    let old = add(&catalog, vec![spans.clone(), logs.clone()], &[]).await;
    let before = catalog.files().await.unwrap();
    assert_eq!(before.files, old);
    assert_eq!((&old[0].path, old[0].rows, old[0].min_time, old[0].max_time), (&spans.path, 10, time(1), time(10)));

    let merged = add(&catalog, vec![file(&catalog, Table::Spans, "c", 10)], &[old[0].id]).await;
    let after = place.open().await.files().await.unwrap();
    assert_eq!(after.files, [old[1].clone(), merged[0].clone()]);
    assert_eq!(after.snapshot, before.snapshot + 1);
    assert_eq!(catalog.files_at(before.snapshot).await.unwrap().files, before.files);
    assert!(matches!(catalog.files_at(999).await, Err(CatalogError::NoSnapshot(999))));
}

async fn a_refused_commit_changes_nothing(place: &Place) {
    let catalog = place.open().await;
    let old = add(&catalog, vec![file(&catalog, Table::Spans, "a", 10)], &[]).await;
    add(&catalog, vec![file(&catalog, Table::Spans, "b", 10)], &[old[0].id]).await;
    let before = catalog.files().await.unwrap();

    let writer = Uuid::new_v4();
    let replaced = Commit {
        add: vec![file(&catalog, Table::Spans, "c", 10)],
        remove: vec![before.files[0].id, old[0].id],
        watermark: Some((writer, 5)),
    };
    let refused = catalog.commit(replaced).await.unwrap_err();
    assert!(matches!(refused, CatalogError::Gone(id) if id == old[0].id) && refused.is_retriable());

    let misplaced = NewFile { path: "elsewhere/x.parquet".to_owned(), ..file(&catalog, Table::Spans, "d", 1) };
    let mut unknown = file(&catalog, Table::Spans, "e", 1);
    unknown.columns[0].column_id = 9_999;
    for bad in [misplaced, unknown] {
        let commit = Commit { add: vec![bad], ..Commit::default() };
        assert!(matches!(catalog.commit(commit).await, Err(CatalogError::File { .. })));
    }
    assert_eq!(catalog.files().await.unwrap().files, before.files);
    assert_eq!(catalog.current_snapshot().await.unwrap(), before.snapshot);
    assert_eq!(catalog.watermark(writer).await.unwrap(), None);
}

async fn shredded_columns_are_added_once(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    let column = |key: &str| ShreddedColumn { kind: ShredType::String, key: key.to_owned() };
    let ids = one.ensure_shredded(Table::Spans, &[column("http.route"), column("HTTP.route")]).await.unwrap();
    let id = ids.get("str:http.route").unwrap();
    assert_eq!(ids.get("str:HTTP.route"), None);
    let snapshot = one.current_snapshot().await.unwrap();

    let ids = other.ensure_shredded(Table::Spans, &[column("http.route")]).await.unwrap();
    assert_eq!(ids.get("str:http.route"), Some(id));
    assert_eq!(other.current_snapshot().await.unwrap(), snapshot);
    assert_eq!(one.columns(Table::Logs).get("str:http.route"), None);

    let many: Vec<_> = (0..600).map(|i| column(&format!("key{i}"))).collect();
    let ids = one.ensure_shredded(Table::Spans, &many).await.unwrap();
    let shredded = ids.iter().filter(|(path, _)| ShreddedColumn::from_name(path).is_some()).count();
    assert_eq!(shredded, Catalog::MAX_SHREDDED);
    assert_eq!(place.open().await.columns(Table::Spans), ids);
}

async fn watermarks_move_with_commits(place: &Place) {
    let catalog = place.open().await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(catalog.watermark(one).await.unwrap(), None);
    for watermark in [7, 9] {
        let commit = Commit { watermark: Some((one, watermark)), ..Commit::default() };
        let before = catalog.current_snapshot().await.unwrap();
        assert_eq!(catalog.commit(commit).await.unwrap().snapshot, before);
    }
    let add = vec![file(&catalog, Table::Logs, "a", 1)];
    catalog.commit(Commit { add, remove: Vec::new(), watermark: Some((other, 1)) }).await.unwrap();
    let again = place.open().await;
    assert_eq!(again.watermark(one).await.unwrap(), Some(9));
    assert_eq!(again.watermark(other).await.unwrap(), Some(1));
}

async fn ended_files_are_scheduled_then_forgotten(place: &Place) {
    let catalog = place.open().await;
    let old = add(&catalog, vec![file(&catalog, Table::Spans, "a", 10)], &[]).await;
    place.pass(60);
    let live = add(&catalog, vec![file(&catalog, Table::Spans, "b", 10)], &[old[0].id]).await;
    let (old, live) = (&old[0].path, &live[0].path);
    assert_eq!(catalog.known_paths().await.unwrap().len(), 2);

    // A kept snapshot holds the ended file.
    place.pass(1);
    let now = place.clock.now();
    assert_eq!(catalog.expire(now - DurationNs::from_secs(30)).await.unwrap().files, 0, "the newest is younger");
    // Only the newest snapshot is kept: the ended file goes.
    let expired = catalog.expire(Timestamp::MAX).await.unwrap();
    assert!(expired.files == 1, "{expired:?}");
    assert_eq!(catalog.expire(Timestamp::MAX).await.unwrap(), Expired::default());
    assert!(catalog.files_at(1).await.is_err());
    assert_eq!(catalog.files().await.unwrap().files.len(), 1);

    assert!(catalog.due_deletions(now).await.unwrap().is_empty());
    place.pass(600);
    let due = catalog.due_deletions(now + DurationNs::from_secs(1)).await.unwrap();
    assert_eq!(due, std::slice::from_ref(old));
    assert!(catalog.known_paths().await.unwrap().contains(old));
    catalog.deleted(&due).await.unwrap();
    assert!(catalog.due_deletions(Timestamp::MAX).await.unwrap().is_empty());
    assert_eq!(catalog.known_paths().await.unwrap(), [live.clone()].into());
}

async fn two_writers_never_lose_a_file(place: &Place) {
    let catalogs = [place.open().await, place.open().await];
    let tasks: Vec<_> = (0..2)
        .map(|writer| {
            let catalog = catalogs[writer].clone();
            tokio::spawn(async move {
                let mut last: Option<i64> = None;
                for i in 0..20 {
                    let new = file(&catalog, Table::Spans, &format!("{writer}-{i}"), 3);
                    last = Some(add(&catalog, vec![new], last.as_slice()).await[0].id);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let files = catalogs[0].files().await.unwrap();
    let mut names: Vec<_> = files.files.iter().map(|file| file.path.rsplit('/').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["0-19.parquet", "1-19.parquet"]);
}

async fn wide_commits_and_many_files_fit(place: &Place) {
    let catalog = place.open().await;
    let columns: Vec<_> = (0..500).map(|i| ShreddedColumn { kind: ShredType::Int, key: format!("k{i}") }).collect();
    let ids = catalog.ensure_shredded(Table::Spans, &columns).await.unwrap();
    let new: Vec<_> = (0..200)
        .map(|i| {
            let mut file = file(&catalog, Table::Spans, &i.to_string(), 10);
            file.columns.extend(columns.iter().map(|column| ColumnStats {
                column_id: ids.get(&column.to_string()).unwrap(),
                bytes: 1,
                values: 10,
                nulls: 0,
                min: Some(StatValue::Int(i)),
                max: Some(StatValue::Int(i)),
                has_nan: None,
            }));
            file
        })
        .collect();
    let added = add(&catalog, new, &[]).await;
    let ids: Vec<_> = added.iter().map(|file| file.id).collect();
    assert_eq!(catalog.files().await.unwrap().files.len(), 200);
    add(&catalog, Vec::new(), &ids).await;
    assert!(catalog.files().await.unwrap().files.is_empty());
    assert_eq!(catalog.expire(Timestamp::MAX).await.unwrap().files, 200);
}

async fn a_dropped_commit_never_happened(place: &Place) {
    let catalog = place.open().await;
    let writer = Uuid::new_v4();
    // Stops the commit after every possible number of steps, as a crash would, until it is through.
    for steps in 0.. {
        let new = file(&catalog, Table::Spans, &format!("{steps}"), 10);
        let commit = catalog.commit(Commit { add: vec![new], remove: Vec::new(), watermark: Some((writer, steps)) });
        let mut commit = Box::pin(commit);
        let mut polls = 0;
        let done = std::future::poll_fn(|context| {
            let polled = commit.as_mut().poll(context);
            polls += 1;
            match polled {
                std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
                std::task::Poll::Pending if polls > steps => std::task::Poll::Ready(None),
                std::task::Poll::Pending => std::task::Poll::Pending,
            }
        })
        .await;
        drop(commit);
        // A commit that was dropped after COMMIT was sent may still arrive: both are read at one snapshot.
        let (files, watermark) = loop {
            let live = catalog.files().await.unwrap();
            let watermark = catalog.watermark(writer).await.unwrap();
            if catalog.current_snapshot().await.unwrap() == live.snapshot {
                break (live.files, watermark);
            }
        };
        if let Some(done) = done {
            assert!(files.contains(&done.unwrap().added[0]));
            assert_eq!(watermark, Some(steps));
            return;
        }
        assert_eq!(files.is_empty(), watermark.is_none());
    }
}

#[tokio::test]
async fn a_locked_catalog_says_so_in_time() {
    let place = Place::new(None);
    place.open().await;
    let options = CatalogOptions { patience: Duration::from_millis(50), ..place.options() };
    let catalog = Catalog::open(options).await.unwrap();
    let path = place.url.strip_prefix("sqlite:").unwrap();
    let mut other =
        sqlx::SqliteConnection::connect_with(&sqlx::sqlite::SqliteConnectOptions::new().filename(path)).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let commit = || Commit { add: vec![file(&catalog, Table::Spans, "a", 1)], ..Commit::default() };
    let refused = catalog.commit(commit()).await.unwrap_err();
    assert!(matches!(refused, CatalogError::Locked(..)) && refused.is_retriable(), "{refused}");
    assert!(catalog.files().await.unwrap().files.is_empty(), "readers do not wait");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    catalog.commit(commit()).await.unwrap();
}

#[tokio::test]
async fn foreign_databases_are_refused() {
    let place = Place::new(None);
    place.open().await.close().await;
    let path = place.url.strip_prefix("sqlite:").unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("UPDATE ducklake_metadata SET value = '9.0' WHERE key = 'version'").execute(&mut other).await.unwrap();
    let refused = Catalog::open(place.options()).await.unwrap_err();
    assert!(refused.to_string().contains("9.0"), "{refused}");
    for url in ["mysql://x", "sqlite:", "catalog.sqlite"] {
        let options = CatalogOptions { url: url.to_owned(), ..place.options() };
        assert!(matches!(Catalog::open(options).await, Err(CatalogError::Url(_))), "{url}");
    }
}
