//! Which process a resource is, and the rows of `processes` that a request makes
//! (docs/adr/0005-process-identity.md).

use std::collections::HashMap;

use arrow::record_batch::RecordBatch;
use glasshouse_model::{ProcessId, Timestamp};
use glasshouse_tables::attributes::{self, JsonObject, ValueRef};
use glasshouse_tables::{ProcessRow, ProcessesBuilder};
use uuid::{Uuid, uuid};

/// The resource attribute that names the service.
pub(crate) const SERVICE_NAME: &str = "service.name";

/// `service_name` of a resource that has no `service.name`.
pub(crate) const UNKNOWN_SERVICE: &str = "unknown_service";

/// Namespace of derived process ids: UUID version 5 of the URL
/// `https://github.com/glasshouse-observability/glasshouse/process-identity`.
pub const PROCESS_ID_NAMESPACE: Uuid = uuid!("3b4e8668-6349-52b4-a100-d69788307c35");

/// Resource attributes that tell one run of a program from another, sorted.
const IDENTIFYING: [&str; 15] = [
    "cloud.resource_id",
    "container.id",
    "device.id",
    "faas.instance",
    "host.id",
    "host.name",
    "k8s.container.name",
    "k8s.namespace.name",
    "k8s.pod.name",
    "k8s.pod.uid",
    "process.creation.time",
    "process.pid",
    "service.instance.id",
    "service.name",
    "service.namespace",
];

/// The process of a resource: `service.instance.id` when it is a UUID; else a UUID version 5, in
/// [`PROCESS_ID_NAMESPACE`], of the identifying attributes (of all, when none is identifying) as a JSON
/// object with sorted keys.
///
/// `resource` is packed ([`glasshouse_tables::attributes`]).
pub fn process_id(resource: &[u8]) -> ProcessId {
    if let Some(ValueRef::String(text)) = attributes::get(resource, "service.instance.id")
        && let Ok(id) = Uuid::try_parse(text)
        && !id.is_nil()
    {
        return ProcessId(id);
    }
    let mut identity: Vec<_> = attributes::iter(resource).collect();
    if identity.iter().any(|(key, _)| is_identifying(key)) {
        identity.retain(|(key, _)| is_identifying(key));
    }
    // The sort is stable, so the first value of a repeated key is the one that stays.
    identity.sort_by_key(|(key, _)| *key);
    identity.dedup_by_key(|(key, _)| *key);
    let mut json = String::new();
    let mut object = JsonObject::new(&mut json);
    for (key, value) in identity {
        object.push(key, value);
    }
    object.finish();
    ProcessId(Uuid::new_v5(&PROCESS_ID_NAMESPACE, json.as_bytes()))
}

fn is_identifying(key: &str) -> bool {
    IDENTIFYING.binary_search(&key).is_ok()
}

/// Distinct resources that a request may have: each costs far more memory than bytes on the wire.
const MAX_RESOURCES: usize = 1 << 16;

/// The processes of one request.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    /// Position in `list` of each distinct resource.
    by_resource: HashMap<Vec<u8>, usize>,
    by_id: HashMap<ProcessId, usize>,
    list: Vec<Process>,
}

/// A process that a request speaks of.
#[derive(Debug)]
pub(crate) struct Process {
    pub id: ProcessId,
    pub service_name: String,
    resource: Vec<u8>,
    /// Earliest time that its items tell of; `None` until one was kept.
    earliest: Option<Timestamp>,
}

impl Process {
    /// Notes that an item of this time was kept.
    #[inline]
    pub fn saw(&mut self, time: Timestamp) {
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
    }
}

impl Processes {
    /// The process of a resource. Equal resources are one process, and so are resources that differ only
    /// in attributes that do not identify; the last of them is kept.
    pub fn of(&mut self, resource: &[u8]) -> Result<&mut Process, &'static str> {
        let index = self.index_of(resource)?;
        Ok(self.get(index))
    }

    /// Position of a resource's process, for [`Processes::get`].
    pub fn index_of(&mut self, resource: &[u8]) -> Result<usize, &'static str> {
        if let Some(index) = self.by_resource.get(resource) {
            return Ok(*index);
        }
        if self.by_resource.len() == MAX_RESOURCES {
            return Err("more than 65536 resources in a request");
        }
        let index = self.add(resource);
        self.by_resource.insert(resource.to_owned(), index);
        Ok(index)
    }

    /// The process at a position.
    pub fn get(&mut self, index: usize) -> &mut Process {
        &mut self.list[index]
    }

    fn add(&mut self, resource: &[u8]) -> usize {
        let service_name = attributes::get(resource, SERVICE_NAME)
            .and_then(ValueRef::to_text)
            .filter(|name| !name.is_empty())
            .map_or_else(|| UNKNOWN_SERVICE.to_owned(), Into::into);
        let id = process_id(resource);
        let resource = resource.to_owned();
        if let Some(&index) = self.by_id.get(&id) {
            let known = &mut self.list[index];
            *known = Process { id, service_name, resource, earliest: known.earliest };
            return index;
        }
        let index = self.list.len();
        self.by_id.insert(id, index);
        self.list.push(Process { id, service_name, resource, earliest: None });
        index
    }

    /// A row for each process that an item was kept of.
    pub fn finish(self, received: Timestamp) -> RecordBatch {
        let mut rows = ProcessesBuilder::default();
        for process in self.list {
            let Some(earliest) = process.earliest else { continue };
            rows.push(&ProcessRow {
                process_id: process.id,
                service_name: &process.service_name,
                start_time: Some(creation_time(&process.resource).unwrap_or(earliest)),
                first_seen: received,
                last_update_time: received,
                parent_process_id: None,
                resource: &process.resource,
            });
        }
        rows.finish(received)
    }
}

/// `process.creation.time`, an RFC 3339 text.
fn creation_time(resource: &[u8]) -> Option<Timestamp> {
    let ValueRef::String(text) = attributes::get(resource, "process.creation.time")? else { return None };
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    time.timestamp_nanos_opt().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use glasshouse_model::{Attributes, Value};
    use glasshouse_tables::attributes::PackedWriter;

    use super::*;

    fn packed(entries: &[(&str, &str)]) -> Vec<u8> {
        let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), Value::String((*value).to_owned())));
        PackedWriter::from(&Attributes(entries.collect())).packed().to_vec()
    }

    fn id(entries: &[(&str, &str)]) -> String {
        process_id(&packed(entries)).to_string()
    }

    #[test]
    fn identifying_attributes_are_sorted_and_the_namespace_is_as_documented() {
        assert!(IDENTIFYING.is_sorted());
        let url = b"https://github.com/glasshouse-observability/glasshouse/process-identity";
        assert_eq!(PROCESS_ID_NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_URL, url));
    }

    #[test]
    fn ids_depend_on_what_identifies_and_on_nothing_else() {
        let uuid = "2f1c1f9e-6f4c-4f2e-9a55-0c9c6f5b1a77";
        assert_eq!(id(&[("service.name", "a"), ("service.instance.id", uuid)]), uuid);
        let derived = id(&[("service.name", "a"), ("host.name", "h")]);
        assert_eq!(derived, id(&[("host.name", "h"), ("service.version", "2"), ("service.name", "a")]));
        assert_eq!(derived, id(&[("host.name", "h"), ("service.name", "a"), ("service.name", "b")]));
        assert_ne!(derived, id(&[("service.name", "a"), ("host.name", "h"), ("service.instance.id", "1")]));
        assert_ne!(id(&[("x", "1")]), id(&[("x", "2")]));
        assert_eq!(id(&[("x", "1"), ("y", "2")]), id(&[("y", "2"), ("x", "1")]));
        let nil = "00000000-0000-0000-0000-000000000000";
        assert_ne!(id(&[("service.instance.id", nil)]), nil);
        // Persisted in lakes: these must never change.
        assert_eq!(
            derived,
            Uuid::new_v5(&PROCESS_ID_NAMESPACE, br#"{"host.name":"h","service.name":"a"}"#).to_string()
        );
    }

    #[test]
    fn one_row_for_each_process_with_kept_items() {
        let mut processes = Processes::default();
        processes.of(&packed(&[("service.name", "a"), ("v", "1")])).unwrap().saw(Timestamp::from_nanos(20));
        processes.of(&packed(&[("service.name", "a"), ("v", "2")])).unwrap().saw(Timestamp::from_nanos(10));
        processes.of(&packed(&[("service.name", "never kept")])).unwrap();
        let rows = processes.finish(Timestamp::from_nanos(99));
        assert_eq!(rows.num_rows(), 1);
    }
}
