//! Prints the OpenAPI document: `cargo run -p glasshouse-server --example openapi > web/src/api/openapi.json`.

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&glasshouse_server::openapi())?);
    Ok(())
}
