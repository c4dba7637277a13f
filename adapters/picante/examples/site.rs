//! A site of two pages that is built, built again, and built after one of its files has changed. `site [URL]`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use glasshouse_client::{Tracer, WithContext as _};
use glasshouse_picante::Queries;
use picante::{HasRuntime as _, PicanteError, PicanteResult};
use tracing_subscriber::layer::SubscriberExt as _;

#[picante::input]
struct File {
    #[key]
    path: String,
    text: String,
}

#[picante::tracked]
async fn title<DB: HasFileIngredient>(db: &DB, file: File) -> PicanteResult<String> {
    let text = file.text(db)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[picante::tracked]
async fn page<DB: HasFileIngredient + HasTitleQuery>(db: &DB, file: File) -> PicanteResult<String> {
    Ok(format!("<h1>{}</h1><p>{}</p>", title(db, file).await?, file.text(db)?.len()))
}

#[picante::tracked]
async fn menu<DB: HasFileIngredient + HasTitleQuery>(db: &DB, a: File, b: File) -> PicanteResult<String> {
    Ok(format!("{} | {}", title(db, a).await?, title(db, b).await?))
}

#[picante::db(inputs(File), tracked(title, page, menu))]
struct Site {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://localhost:4318".to_owned());
    let tracer = Tracer::builder(&url).service("site").connect_checked()?;
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(glasshouse_picante::layer()))?;

    let site = Site::new();
    let queries = Queries::new(&tracer, site.ingredient_registry());
    let watching = tokio::spawn(queries.watch(site.runtime()));
    let home = File::new(&site, "home".to_owned(), "Home\nWelcome.".to_owned())?;
    let about = File::new(&site, "about".to_owned(), "About\nWe sell glass.".to_owned())?;

    let build = async || {
        queries.run("menu", menu(&site, home, about)).await?;
        queries.run("page", page(&site, home)).await?;
        queries.run("page", page(&site, about)).await?;
        Ok::<_, Arc<PicanteError>>(())
    };
    for (what, text) in [("first", None), ("again", None), ("changed", Some("About us\nWe sell glass."))] {
        if let Some(text) = text {
            File::new(&site, "about".to_owned(), text.to_owned())?;
        }
        build().in_span(tracer.span("build").with_attribute("build", what).start()).await?;
    }

    drop(site);
    watching.await?;
    tracer.shutdown(Duration::from_secs(5))?;
    println!("{:?}", tracer.statistics());
    Ok(())
}
