use std::io::Write;
use std::sync::Arc;

use glasshouse_files::{FilesError, Store};
use object_store::memory::InMemory;

fn files_in(folder: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(files_in(&path));
        } else {
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    names
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_str().unwrap()).unwrap();
    let mut file = store.create("spans/2026-01-01/00/a.parquet").unwrap();
    file.write_all(b"half").unwrap();
    assert!(matches!(store.read("spans/2026-01-01/00/a.parquet", &[0..4]), Err(FilesError::Missing { .. })));
    drop(file);
    assert_eq!(files_in(folder.path()), Vec::<String>::new());
    let mut file = store.create("spans/2026-01-01/00/a.parquet").unwrap();
    file.write_all(b"whole").unwrap();
    file.finish().unwrap();
    assert_eq!(files_in(folder.path()), ["a.parquet"]);
    let parts = store.read("spans/2026-01-01/00/a.parquet", &[0..2, 3..5]).unwrap();
    assert_eq!(parts, ["wh".as_bytes(), "le".as_bytes()]);
    assert!(matches!(
        store.read("spans/2026-01-01/00/a.parquet", &[0..6]),
        Err(FilesError::Damaged { path, .. }) if path == "spans/2026-01-01/00/a.parquet"
    ));
    store.delete("spans/2026-01-01/00/a.parquet").unwrap();
    store.delete("spans/2026-01-01/00/a.parquet").unwrap();
    assert_eq!(files_in(folder.path()), Vec::<String>::new());
}

#[test]
fn object_stores_behave_alike() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let store = Store::remote(Arc::new(InMemory::new()), runtime.handle().clone());
    // Several parts of an upload.
    let content: Vec<u8> = (0..20_000_000u32).map(|i| (i / 1000) as u8).collect();
    let mut file = store.create("a/b.parquet").unwrap();
    for part in content.chunks(700_000) {
        file.write_all(part).unwrap();
    }
    assert!(matches!(store.read("a/b.parquet", &[0..4]), Err(FilesError::Missing { .. })));
    file.finish().unwrap();
    let parts = store.read("a/b.parquet", &[0..3, 17_000_000..20_000_000]).unwrap();
    assert_eq!(parts[0], content[..3]);
    assert_eq!(parts[1], content[17_000_000..]);
    drop(store.create("a/c.parquet").unwrap());
    assert!(matches!(store.read("a/c.parquet", &[0..1]), Err(FilesError::Missing { .. })));
    store.delete("a/b.parquet").unwrap();
    assert!(matches!(store.read("a/b.parquet", &[0..1]), Err(FilesError::Missing { .. })));
    assert!(store.folder().is_none());
}

#[test]
fn places_that_cannot_be_used_are_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let inside = file.path().join("x");
    let error = Store::open(inside.to_str().unwrap()).unwrap_err();
    assert!(error.to_string().contains("cannot use"), "{error}");
    assert!(Store::open("nonsense://x/y").is_err());
    assert!(Store::open("memory:///lake").unwrap_err().to_string().contains("memory keeps nothing"));
    assert!(Store::open("http://host/lake").unwrap_err().to_string().contains("s3://, gs://, az://"));
}
