//! The session of one client as a state machine: every decision about who is signed in, and nothing else.
//!
//! Pure like `protocol`: no browser, no clock, no randomness, no promise. What happens comes in as an [`Event`] with the
//! time, what must be done goes out as [`Effect`]s, and the driver joins the two. The three facts are the [`Identity`],
//! the [`Operation`]s under way (whose strongest is the activity), and the last error; the [`Snapshot`] is a function of
//! them.

mod calls;
mod identity;
pub mod lifetime;
mod machine;
pub mod messages;
mod operation;
mod outcomes;
mod snapshot;
mod step;
mod tabs;

#[cfg(test)]
mod simulation;

pub use identity::{Cookie, Identity, NoSession, Registration, Session, SessionId, UserDigest};
pub use machine::Machine;
pub use messages::TabMessage;
pub use operation::{Activity, Operation, OperationId, Phase, Purpose, Task};
pub use snapshot::{Snapshot, Status};
pub use step::{Answer, CallId, Effect, Event, Failure, Outcome, Refusal, Report, Request, Source};
