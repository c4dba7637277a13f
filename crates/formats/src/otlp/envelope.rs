//! What stands around the items of every signal: resources and scopes.

use glasshouse_tables::attributes::PackedWriter;

use super::attributes;
use crate::process::{Process, Processes};
use crate::wire::{Message, Result};

/// The instrumentation scope of some items.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scope<'a> {
    pub name: &'a str,
    pub version: &'a str,
}

/// Reads an export request: calls `scope_items` for each `ScopeSpans`, `ScopeLogs` or `ScopeMetrics` in it.
pub(super) fn read_request<'a>(
    body: &'a [u8],
    processes: &mut Processes,
    mut scope_items: impl FnMut(&mut Process, Scope<'a>, Message<'a>) -> Result<()>,
) -> Result<()> {
    let mut request = Message::new(body);
    let mut resource = PackedWriter::new();
    while let Some(tag) = request.tag()? {
        if tag.field() != 1 {
            request.skip(tag)?;
            continue;
        }
        let mut group = request.message(tag)?;
        resource.clear();
        read_resource(group, &mut resource)?;
        let process = processes.of(resource.packed()).map_err(|what| group.malformed(what))?;
        while let Some(tag) = group.tag()? {
            match tag.field() {
                2 => {
                    let items = group.message(tag)?;
                    scope_items(process, read_scope(items)?, items)?;
                }
                _ => group.skip(tag)?,
            }
        }
    }
    Ok(())
}

/// Packs the attributes of the resource of a `ResourceSpans`, `ResourceLogs` or `ResourceMetrics`.
fn read_resource(mut group: Message<'_>, packed: &mut PackedWriter) -> Result<()> {
    while let Some(tag) = group.tag()? {
        match tag.field() {
            1 => {
                let mut resource = group.message(tag)?;
                while let Some(tag) = resource.tag()? {
                    match tag.field() {
                        1 => drop(attributes::push(resource.message(tag)?, packed)?),
                        2 => drop(resource.uint32(tag)?),
                        3 => check_entity(resource.message(tag)?)?,
                        _ => resource.skip(tag)?,
                    }
                }
            }
            3 => drop(group.text(tag)?),
            _ => group.skip(tag)?,
        }
    }
    Ok(())
}

fn check_entity(mut entity: Message<'_>) -> Result<()> {
    while let Some(tag) = entity.tag()? {
        match tag.field() {
            1..=4 => drop(entity.text(tag)?),
            _ => entity.skip(tag)?,
        }
    }
    Ok(())
}

/// The scope of a `ScopeSpans`, `ScopeLogs` or `ScopeMetrics`. No table has its attributes.
fn read_scope(mut group: Message<'_>) -> Result<Scope<'_>> {
    let mut scope = Scope::default();
    while let Some(tag) = group.tag()? {
        match tag.field() {
            1 => {
                let mut message = group.message(tag)?;
                while let Some(tag) = message.tag()? {
                    match tag.field() {
                        1 => scope.name = message.text(tag)?,
                        2 => scope.version = message.text(tag)?,
                        3 => attributes::check(message.message(tag)?)?,
                        4 => drop(message.uint32(tag)?),
                        _ => message.skip(tag)?,
                    }
                }
            }
            3 => drop(group.text(tag)?),
            _ => group.skip(tag)?,
        }
    }
    Ok(scope)
}
