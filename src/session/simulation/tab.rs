//! A tab: a machine, and a driver that does nothing but keep its effects.

use std::collections::{BTreeMap, BTreeSet};

use crate::session::{CallId, Machine, OperationId, Snapshot, Task};

/// The driver's part of a session.
#[derive(Clone, Debug)]
pub struct Payload {
    pub id: Option<u32>,
    pub user: u8,
}

/// A popup that waits for the user.
#[derive(Clone, Copy, Debug)]
pub struct Popup {
    pub operation: OperationId,
}

pub struct Tab {
    pub machine: Machine,
    pub page: u32,
    pub payloads: Vec<Payload>,
    /// Who comes back with the next callback.
    pub returning: Option<u8>,
    pub popups: Vec<Popup>,
    /// The tasks of the operations under way.
    pub tasks: BTreeMap<OperationId, Task>,
    /// The calls that are not settled.
    pub calls: Vec<CallId>,
    pub next_call: u32,
    pub due_at: Option<f64>,
    pub is_asleep: bool,
    pub is_frozen: bool,
    pub published: Option<Snapshot>,
    /// Whether it heard of a sign-out that names no session, after which it asks for none by itself.
    pub is_signed_out: bool,
    /// When renewals were begun, and of which session.
    pub renewals: Vec<(f64, u32)>,
    /// The marks of sign-outs that were there when its exchange began.
    pub marks_before: Vec<u32>,
    /// The restores that could not deliver a sign-out.
    pub undelivering: BTreeSet<OperationId>,
}

impl Tab {
    pub fn new(page: u32) -> Self {
        Self {
            machine: Machine::default(),
            page,
            payloads: Vec::new(),
            returning: None,
            popups: Vec::new(),
            tasks: BTreeMap::new(),
            calls: Vec::new(),
            next_call: 0,
            due_at: None,
            is_asleep: false,
            is_frozen: false,
            published: None,
            is_signed_out: false,
            renewals: Vec::new(),
            marks_before: Vec::new(),
            undelivering: BTreeSet::new(),
        }
    }

    /// Whether it runs scripts.
    pub fn runs(&self) -> bool {
        !self.is_frozen
    }

    pub fn shown(&self) -> Option<&Payload> {
        self.published?.payload.and_then(|at| self.payloads.get(at as usize))
    }
}
