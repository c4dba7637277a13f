//! Which services call each other.

use crate::{DurationNs, DurationSketch};

/// Services and the calls between them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceMap {
    /// In alphabetical order, services before what they call that sends no spans itself.
    pub nodes: Vec<ServiceNode>,
    /// In the order of the nodes.
    pub edges: Vec<ServiceEdge>,
}

/// A service, or something that services call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceNode {
    /// What it is.
    pub kind: NodeKind,
    /// `service.name`, or what the spans that call it say.
    pub name: String,
    /// Requests: its spans of kind SERVER or CONSUMER and those without a parent; of other nodes, the calls of them.
    pub requests: CallFigures,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// It sends spans.
    Service,
    /// Spans name it by `db.system.name` or `db.system`.
    Database,
    /// Spans name it by `messaging.system`.
    Messaging,
    /// Spans name it by `peer.service`.
    Peer,
}

impl NodeKind {
    /// Its name: `service`, `database`, `messaging` or `peer`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Database => "database",
            Self::Messaging => "messaging",
            Self::Peer => "peer",
        }
    }
}

/// Calls from one node to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEdge {
    /// Position of the caller in [`ServiceMap::nodes`].
    pub from: u32,
    /// Position of what is called.
    pub to: u32,
    /// The calls: spans of the called service whose parent is one of the caller, or spans that name what they call.
    pub calls: CallFigures,
}

/// How many calls there were, how many failed, and how long they took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallFigures {
    /// Calls.
    pub count: u64,
    /// Calls whose status is ERROR.
    pub error_count: u64,
    /// Durations of those that have ended.
    pub durations: DurationSketch,
}

impl CallFigures {
    /// Counts a call; one that goes on has no duration.
    pub fn add(&mut self, duration: Option<DurationNs>, has_failed: bool) {
        self.count += 1;
        self.error_count += u64::from(has_failed);
        if let Some(duration) = duration {
            self.durations.add(duration);
        }
    }
}
