//! The session of one client as a state machine: every decision about who is signed in, and nothing else.
//!
//! Pure like `protocol`: no browser, no clock, no randomness, no promise. What happens comes in as an [`Event`] with the
//! time, what must be done goes out as [`Effect`]s, and the driver joins the two. The three facts are the [`Identity`],
//! the [`Operation`]s under way (whose strongest is the activity), and the last error; the [`Snapshot`] is a function of
//! them.

mod calls;
mod expiry;
mod identity;
pub mod lifetime;
mod machine;
pub mod messages;
mod operation;
mod operations;
mod outcomes;
mod sign_in;
mod snapshot;
mod step;
mod tabs;

#[cfg(test)]
mod simulation;

pub use identity::{Cookie, Identity, NoSession, Registration, Session, SessionId, UserDigest};
pub use machine::Machine;
pub use messages::TabMessage;
pub use operation::{Activity, LeavePage, Operation, OperationId, Phase, Purpose, Task};
pub use snapshot::{Snapshot, Status};
pub use step::{Answer, CallId, Effect, Event, Failure, Outcome, Refusal, Report, Request, Source};

#[cfg(test)]
mod tests {
    use super::*;

    /// The page of the maintainers' documentation, whose diagrams must name what the code has.
    const PAGE: &str = include_str!("../../docs/maintainers/session.md");

    #[test]
    fn diagrams_name_every_identity_and_activity() {
        // A new variant makes these matches fail to compile: it belongs into the diagram, too.
        let identity = |identity: &Identity| match identity {
            Identity::Unknown => "Unknown",
            Identity::Session(_) => "Session",
            Identity::NoSession(NoSession::NeverSignedIn) => "NeverSignedIn",
            Identity::NoSession(NoSession::SignedOut) => "SignedOut",
            Identity::NoSession(NoSession::Expired) => "Expired",
        };
        let activity = |activity: &Activity| match activity {
            Activity::Idle => "Idle",
            Activity::Restoring => "Restoring",
            Activity::Leaving => "Leaving",
            Activity::Exchanging => "Exchanging",
        };
        let mut names = vec!["Session"];
        names.extend(
            [
                Identity::Unknown,
                Identity::NoSession(NoSession::NeverSignedIn),
                Identity::NoSession(NoSession::SignedOut),
                Identity::NoSession(NoSession::Expired),
            ]
            .iter()
            .map(identity),
        );
        let activities =
            [Activity::Idle, Activity::Restoring, Activity::Leaving, Activity::Exchanging];
        names.extend(activities.iter().map(activity));
        let arrows: Vec<_> = PAGE.lines().filter(|line| line.contains(" --> ")).collect();
        for name in &names {
            let leads_there = arrows.iter().any(|line| line.contains(&format!("--> {name}")));
            let leads_away =
                arrows.iter().any(|line| line.trim_start().starts_with(&format!("{name} -->")));
            assert!(leads_there && leads_away, "{name}");
        }
        for line in arrows {
            let ends = line.split(':').next().unwrap_or_default().split("-->").map(str::trim);
            for end in ends {
                assert!(end == "[*]" || names.contains(&end), "{end} is not in the code");
            }
        }
    }
}
