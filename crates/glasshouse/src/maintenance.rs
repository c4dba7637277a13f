//! Commands for operators: check a lake, tidy it up, print the API's description.

use glasshouse_lake::LakeConfig;

use crate::cli::{CompactArguments, DoctorArguments};
use crate::endpoints;
use crate::failure::Failure;
use crate::serve::open_lake;

/// Checks a lake.
pub async fn doctor(arguments: DoctorArguments) -> Result<(), Failure> {
    let data_dir = endpoints::data_dir(arguments.data_dir)?;
    let what = format!("cannot check the lake in {}", data_dir.display());
    if !data_dir.is_dir() {
        return Err(Failure::wrong_use(what, "there is no such folder").hint("name it with --data-dir"));
    }
    let config = LakeConfig {
        object_store: arguments.object_store,
        catalog_url: arguments.catalog,
        ..LakeConfig::new(&data_dir)
    };
    let report = glasshouse_lake::check(&config, arguments.repair).await.map_err(|error| Failure::new(what, error))?;
    print!("{report}");
    if report.is_healthy() {
        Ok(())
    } else {
        Err(Failure::new(format!("the lake in {} is damaged", data_dir.display()), "see above"))
    }
}

/// Flushes and merges until nothing is left to do.
pub async fn compact(arguments: CompactArguments) -> Result<(), Failure> {
    let data_dir = endpoints::data_dir(arguments.data_dir)?;
    let what = format!("cannot compact the lake in {}", data_dir.display());
    let config = LakeConfig {
        object_store: arguments.object_store,
        catalog_url: arguments.catalog,
        ..LakeConfig::new(&data_dir)
    };
    let lake = open_lake(config).await?;
    let before = live(&lake);
    let settled = lake.settle().await.map_err(|error| Failure::new(what.as_str(), error));
    let after = live(&lake);
    lake.shutdown(std::time::Duration::from_secs(10)).await.map_err(|error| Failure::new(what, error))?;
    settled?;
    println!("{} files with {} became {} files with {}", before.0, before.1, after.0, after.1);
    Ok(())
}

fn live(lake: &glasshouse_lake::Lake) -> (usize, crate::units::Size) {
    use glasshouse_tables::SnapshotSource as _;
    let snapshot = lake.snapshot();
    (snapshot.files.len(), crate::units::Size(snapshot.files.iter().map(|file| file.bytes).sum()))
}

/// Prints the description of the HTTP API.
pub fn openapi() -> Result<(), Failure> {
    let document = serde_json::to_string_pretty(&glasshouse_server::openapi());
    println!("{}", document.map_err(|error| Failure::new("cannot print the description", error))?);
    Ok(())
}
