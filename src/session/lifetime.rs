//! How long a session lasts: its limits, judged by elapsed time, since school devices' clocks are wrong, are set while
//! they run, and stand still in sleep.

/// Time that has passed, in seconds. Per step it is the larger of what the monotonic and the wall clock advanced: the
/// monotonic one stops in sleep on most systems, and a wall clock set back counts as none.
#[derive(Clone, Copy, Debug, Default)]
pub struct ElapsedClock {
    last: Option<(f64, f64)>,
    total: f64,
}

impl ElapsedClock {
    /// Advances to the times of the two clocks, in seconds. Returns the seconds since the first call.
    pub fn tick(&mut self, monotonic: f64, wall: f64) -> f64 {
        if let Some((last_monotonic, last_wall)) = self.last {
            // `max` ignores NaN.
            self.total += (monotonic - last_monotonic).max(wall - last_wall).max(0.0);
        }
        self.last = Some((monotonic, wall));
        self.total
    }
}

/// How long before its end `session.expiring` is reported, in seconds; of a short idle limit, half of it.
const EXPIRY_WARNING_SECS: f64 = 60.0;

/// How long before its end an access token is renewed, in seconds; of a short-lived one, half its life.
const RENEWAL_LEAD_SECS: f64 = 60.0;

/// The longest time until activity is reported to the gateway, in seconds: its own idle limit runs, too.
const ACTIVITY_REPORT_SECS: f64 = 300.0;

/// The longest wait before a failed renewal is tried again, in seconds.
const MAX_BACKOFF_SECS: f64 = 64.0;

/// How many renewals may be begun in quick succession.
const RENEWAL_BURST: f64 = 5.0;

/// In how many seconds one more renewal is allowed.
const RENEWAL_REFILL_SECS: f64 = 15.0;

/// The shortest life of an access token, in seconds: a renewal that returns one with less counts as failed.
const MIN_TOKEN_LIFE_SECS: f64 = 5.0;

/// How long a tab that finds its session idle waits for messages, in seconds: it may have slept while another was in use.
const IDLE_GRACE_SECS: f64 = 0.125;

/// The limits of one session. All times are in seconds of [`ElapsedClock`] time.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// When it ends however often it is renewed.
    pub max_age_at: f64,
    /// The earlier of `max_age_at` and the ID token's end.
    pub expires_at: f64,
    /// How long it lasts without activity.
    pub idle_timeout_secs: Option<f64>,
    /// When the user was last active.
    pub last_active_at: f64,
    /// When the access token was obtained.
    pub token_obtained_at: f64,
    /// When the access token ends.
    pub token_expires_at: f64,
    /// Whether it can be renewed.
    pub is_renewable: bool,
    /// Whether activity is reported to a gateway.
    pub reports_activity: bool,
    /// Renewals that failed in a row.
    pub failures: i32,
    /// When the last renewal finished or failed.
    pub last_renewal_at: f64,
    /// Whether a warning was reported.
    pub has_warned: bool,
    /// When it was first found idle.
    pub found_idle_at: Option<f64>,
    /// How many renewals may still be begun.
    pub budget: RenewalBudget,
}

/// Bounds the renewals of a session, even if each token response has an expired token: [`RENEWAL_BURST`] at once, and then one in
/// [`RENEWAL_REFILL_SECS`].
#[derive(Clone, Copy, Debug)]
pub struct RenewalBudget {
    credit: f64,
    counted_at: f64,
}

impl RenewalBudget {
    /// The whole budget.
    #[must_use]
    pub fn full(now: f64) -> Self {
        Self { credit: RENEWAL_BURST, counted_at: now }
    }

    /// When the next renewal may begin.
    fn next_at(&self) -> f64 {
        self.counted_at + (1.0 - self.credit).max(0.0) * RENEWAL_REFILL_SECS
    }

    fn spend(&mut self, now: f64) {
        let gained = (now - self.counted_at).max(0.0) / RENEWAL_REFILL_SECS;
        self.credit = (self.credit + gained).min(RENEWAL_BURST) - 1.0;
        self.counted_at = now;
    }
}

/// The next action for a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SessionAction {
    /// It has expired.
    Expire,
    /// It is about to expire, which has not been reported yet.
    Warn,
    /// Its tokens must be renewed.
    Renew,
    /// Nothing, for this many seconds.
    Wait(f64),
}

impl Lifetime {
    /// Returns when it ends unless the user is active.
    fn ends_at(&self) -> f64 {
        let idle =
            self.idle_timeout_secs.map_or(f64::INFINITY, |timeout| self.last_active_at + timeout);
        self.expires_at.min(idle)
    }

    /// Returns when `session.expiring` is to be reported.
    fn warns_at(&self) -> f64 {
        self.ends_at()
            - self
                .idle_timeout_secs
                .map_or(EXPIRY_WARNING_SECS, |timeout| EXPIRY_WARNING_SECS.min(timeout / 2.0))
    }

    /// Returns the seconds that it still lasts unless the user is active.
    #[must_use]
    pub fn remaining(&self, now: f64) -> f64 {
        (self.ends_at() - now).max(0.0)
    }

    /// Returns whether it is over.
    #[must_use]
    pub fn is_expired(&self, now: f64) -> bool {
        // A comparison with NaN is false, so a time that is NaN ends it. `f64::min` ignores NaN: `expires_at` is compared by
        // itself, too.
        let is_running = now < self.expires_at && now < self.ends_at();
        !is_running
    }

    /// Returns whether it has ended only since the user was not active.
    #[must_use]
    pub fn is_idle(&self, now: f64) -> bool {
        self.is_expired(now) && now < self.expires_at
    }

    /// Records that the user was active at a time, which postpones the idle limit unless it had passed by then.
    pub fn record_activity(&mut self, at: f64) {
        if at > self.last_active_at && !self.is_expired(at) {
            self.last_active_at = at;
        }
    }

    /// Returns whether the access token is still valid for so many seconds.
    #[must_use]
    pub fn has_token_for(&self, seconds: f64, now: f64) -> bool {
        now + seconds < self.token_expires_at
    }

    /// Returns when the tokens are to be renewed.
    fn renews_at(&self) -> f64 {
        if !self.is_renewable {
            return f64::INFINITY;
        }
        let lead = RENEWAL_LEAD_SECS.min((self.token_expires_at - self.token_obtained_at) / 2.0);
        let mut at = self.token_expires_at - lead;
        if self.reports_activity && self.last_active_at > self.token_obtained_at {
            let report_after_secs = self
                .idle_timeout_secs
                .map_or(ACTIVITY_REPORT_SECS, |timeout| ACTIVITY_REPORT_SECS.min(timeout / 3.0));
            at = at.min(self.token_obtained_at + report_after_secs);
        }
        if self.failures > 0 {
            at = at.max(self.last_renewal_at + 2f64.powi(self.failures - 1).min(MAX_BACKOFF_SECS));
        }
        at.max(self.budget.next_at())
    }

    /// Returns whether a renewal may begin now, also when it is asked for before it is due.
    #[must_use]
    pub fn can_renew(&self, now: f64) -> bool {
        self.is_renewable && now >= self.budget.next_at()
    }

    /// Records that a renewal begins.
    pub fn record_renewal(&mut self, now: f64) {
        self.budget.spend(now);
    }

    /// Records that a renewal failed.
    pub fn record_failure(&mut self, now: f64) {
        self.failures = self.failures.saturating_add(1);
        self.last_renewal_at = now;
    }

    /// Returns the lifetime after a renewal without a new ID token.
    #[must_use]
    pub fn renewed(self, expires_in: Option<f64>, now: f64) -> Self {
        let token_expires_at = expires_in.map_or(self.expires_at, |seconds| now + seconds);
        self.after_renewal(Self { token_obtained_at: now, token_expires_at, ..self }, now)
    }

    /// Returns the lifetime after a renewal with a new ID token, whose own lifetime is `next`. The limits of this one remain.
    #[must_use]
    pub fn carry_over_to(self, next: Self, now: f64) -> Self {
        let next = Self {
            max_age_at: self.max_age_at,
            expires_at: next.expires_at.min(self.max_age_at),
            last_active_at: self.last_active_at,
            has_warned: self.has_warned,
            ..next
        };
        self.after_renewal(next, now)
    }

    /// Returns the lifetime `next` of a renewal. One in the last [`RENEWAL_LEAD_SECS`] of the token before counts as failed if its
    /// token is not newer, or ends in less than [`MIN_TOKEN_LIFE_SECS`]: so it is not repeated at once.
    fn after_renewal(self, next: Self, now: f64) -> Self {
        let expires_at = next.token_expires_at;
        let is_stale = now >= self.token_expires_at - RENEWAL_LEAD_SECS
            && (expires_at < self.token_expires_at + 1.0 || expires_at < now + MIN_TOKEN_LIFE_SECS);
        let failures = if is_stale { self.failures.saturating_add(1) } else { 0 };
        Self { failures, last_renewal_at: now, budget: self.budget, ..next }
    }

    /// Returns the action that is due now. It warns once, and once more after each activity.
    #[must_use]
    pub fn next_action(&mut self, now: f64) -> SessionAction {
        let ends_at = self.ends_at();
        let warns_at = self.warns_at();
        if now < warns_at {
            self.has_warned = false;
        }
        let renews_at = self.renews_at();
        if !self.is_idle(now) {
            self.found_idle_at = None;
        } else if let wait = *self.found_idle_at.get_or_insert(now) + IDLE_GRACE_SECS - now
            && wait > 0.0
        {
            return SessionAction::Wait(wait);
        }
        if self.is_expired(now) {
            SessionAction::Expire
        } else if now >= warns_at && !self.has_warned {
            self.has_warned = true;
            SessionAction::Warn
        } else if now >= renews_at {
            SessionAction::Renew
        } else {
            let next = if self.has_warned { ends_at } else { warns_at };
            SessionAction::Wait(next.min(renews_at) - now)
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An hour's session with a token of five minutes and an idle limit of half an hour, begun at 0.
    pub(in crate::session) fn session() -> Lifetime {
        Lifetime {
            max_age_at: 3600.0,
            expires_at: 3600.0,
            idle_timeout_secs: Some(1800.0),
            last_active_at: 0.0,
            token_obtained_at: 0.0,
            token_expires_at: 300.0,
            is_renewable: true,
            reports_activity: false,
            failures: 0,
            last_renewal_at: 0.0,
            has_warned: false,
            found_idle_at: None,
            budget: RenewalBudget::full(0.0),
        }
    }

    #[test]
    fn elapsed_clock_follows_the_clock_that_advanced_more() {
        let mut elapsed = ElapsedClock::default();
        let mut step = |monotonic, wall| elapsed.tick(monotonic, wall).to_bits();
        assert_eq!(step(100.0, 5000.0), 0f64.to_bits());
        assert_eq!(step(110.0, 5010.0), 10f64.to_bits());
        // A lid closed for two hours: the monotonic clock stood still.
        assert_eq!(step(110.0, 12210.0), 7210f64.to_bits());
        // The wall clock is set back by a day.
        assert_eq!(step(120.0, -74190.0), 7220f64.to_bits());
        // Both stand still, or run backwards.
        assert_eq!(step(119.0, -74191.0), 7220f64.to_bits());
        assert_eq!(step(f64::NAN, -74190.0), 7221f64.to_bits());
    }

    #[test]
    fn session_expires_without_activity_and_at_its_limit() {
        let mut lifetime = session();
        assert!(!lifetime.is_expired(1799.0));
        assert!(lifetime.is_expired(1800.0));
        lifetime.last_active_at = 1799.0;
        assert!(!lifetime.is_expired(3598.0));
        lifetime.last_active_at = 3500.0;
        assert!(lifetime.is_expired(3600.0));
        lifetime.idle_timeout_secs = None;
        lifetime.last_active_at = 0.0;
        assert!(!lifetime.is_expired(3599.0));
        lifetime.expires_at = f64::NAN;
        assert!(lifetime.is_expired(0.0));
    }

    #[test]
    fn session_warns_once_a_minute_before_its_end_and_again_after_activity() {
        let mut lifetime = Lifetime { is_renewable: false, ..session() };
        assert_eq!(lifetime.next_action(0.0), SessionAction::Wait(1740.0));
        assert_eq!(lifetime.next_action(1740.0), SessionAction::Warn);
        assert_eq!(lifetime.next_action(1740.0), SessionAction::Wait(60.0));
        lifetime.last_active_at = 1750.0;
        assert_eq!(lifetime.next_action(1750.0), SessionAction::Wait(1740.0));
        assert_eq!(lifetime.next_action(3490.0), SessionAction::Warn);
        assert_eq!(lifetime.next_action(3551.0), SessionAction::Wait(IDLE_GRACE_SECS));
        assert_eq!(lifetime.next_action(3552.0), SessionAction::Expire);
    }

    #[test]
    fn session_with_a_short_idle_limit_warns_at_half_of_it_each_time() {
        let mut lifetime =
            Lifetime { idle_timeout_secs: Some(20.0), is_renewable: false, ..session() };
        assert_eq!(lifetime.next_action(0.0), SessionAction::Wait(10.0));
        assert_eq!(lifetime.next_action(10.0), SessionAction::Warn);
        assert_eq!(lifetime.remaining(10.0).to_bits(), 10f64.to_bits());
        lifetime.last_active_at = 15.0;
        assert_eq!(lifetime.next_action(15.0), SessionAction::Wait(10.0));
        assert_eq!(lifetime.next_action(25.0), SessionAction::Warn);
        assert_eq!(lifetime.next_action(35.0), SessionAction::Wait(IDLE_GRACE_SECS));
        assert_eq!(lifetime.next_action(35.0 + IDLE_GRACE_SECS), SessionAction::Expire);
        assert_eq!(lifetime.remaining(36.0).to_bits(), 0f64.to_bits());
    }

    #[test]
    fn session_of_a_tab_that_slept_waits_for_activity_in_other_tabs_before_it_expires() {
        let mut lifetime = Lifetime { is_renewable: false, ..session() };
        assert_eq!(lifetime.next_action(2000.0), SessionAction::Wait(IDLE_GRACE_SECS));
        lifetime.record_activity(1000.0);
        assert_eq!(lifetime.next_action(2000.0), SessionAction::Wait(740.0));
        // What is older changes nothing, nor does what came too late.
        lifetime.record_activity(900.0);
        assert_eq!(lifetime.next_action(2000.0), SessionAction::Wait(740.0));
        lifetime.record_activity(2900.0);
        assert_eq!(lifetime.next_action(2900.0), SessionAction::Wait(IDLE_GRACE_SECS));
        assert_eq!(lifetime.next_action(2901.0), SessionAction::Expire);
        assert!(lifetime.is_idle(2901.0));
        // Its limit does not depend on other tabs.
        assert_eq!(lifetime.next_action(3600.0), SessionAction::Expire);
        assert!(!lifetime.is_idle(3600.0));
    }

    #[test]
    fn token_is_renewed_a_minute_before_its_end_or_after_half_its_life() {
        let mut lifetime = session();
        assert_eq!(lifetime.next_action(239.0), SessionAction::Wait(1.0));
        assert_eq!(lifetime.next_action(240.0), SessionAction::Renew);
        lifetime.token_expires_at = 10.0;
        assert_eq!(lifetime.next_action(4.0), SessionAction::Wait(1.0));
        assert_eq!(lifetime.next_action(5.0), SessionAction::Renew);
        lifetime.is_renewable = false;
        assert_eq!(lifetime.next_action(5.0), SessionAction::Wait(1735.0));
        // The life counts from when it was obtained; a renewal that went well before holds nothing up.
        let mut later = Lifetime {
            token_obtained_at: 100.0,
            token_expires_at: 110.0,
            last_renewal_at: 104.9,
            ..session()
        };
        assert_eq!(later.next_action(104.0), SessionAction::Wait(1.0));
        assert_eq!(later.next_action(105.0), SessionAction::Renew);
    }

    #[test]
    fn activity_is_reported_to_a_gateway_before_its_idle_limit() {
        let mut lifetime =
            Lifetime { reports_activity: true, token_expires_at: 3600.0, ..session() };
        assert_eq!(lifetime.next_action(400.0), SessionAction::Wait(1340.0));
        lifetime.last_active_at = 10.0;
        assert_eq!(lifetime.next_action(299.0), SessionAction::Wait(1.0));
        assert_eq!(lifetime.next_action(300.0), SessionAction::Renew);
        lifetime.idle_timeout_secs = Some(90.0);
        assert_eq!(lifetime.next_action(30.0), SessionAction::Renew);
        lifetime.idle_timeout_secs = None;
        assert_eq!(lifetime.next_action(300.0), SessionAction::Renew);
    }

    #[test]
    fn failed_renewal_is_repeated_with_exponential_backoff() {
        let mut lifetime =
            Lifetime { idle_timeout_secs: None, last_renewal_at: 250.0, ..session() };
        for (failures, wait) in [(1, 1.0), (2, 2.0), (3, 4.0), (7, 64.0), (8, 64.0), (5000, 64.0)] {
            lifetime.failures = failures;
            assert_eq!(lifetime.next_action(250.0), SessionAction::Wait(wait), "{failures}");
            assert_eq!(lifetime.next_action(250.0 + wait), SessionAction::Renew, "{failures}");
        }
    }

    #[test]
    fn renewal_that_returns_no_newer_token_is_not_repeated_at_once() {
        let lifetime = Lifetime { token_expires_at: 1790.0, ..session() };
        let renewed = lifetime.renewed(Some(300.0), 1730.0);
        assert_eq!((renewed.token_expires_at, renewed.failures), (2030.0, 0));
        assert_eq!((renewed.token_obtained_at, renewed.last_renewal_at), (1730.0, 1730.0));
        // A second more is fresher.
        assert_eq!(lifetime.renewed(Some(51.0), 1740.0).failures, 0);
        let mut same = lifetime.renewed(Some(50.0), 1740.0);
        assert_eq!((same.token_expires_at, same.failures), (1790.0, 1));
        same.has_warned = true;
        same = same.renewed(Some(40.0), 1750.0);
        assert_eq!(same.failures, 2);
        assert_eq!(same.next_action(1770.0), SessionAction::Renew);
        // Early on, when only activity was reported, the same token is what is expected.
        let early = lifetime.renewed(Some(1490.0), 300.0);
        assert_eq!((early.token_expires_at, early.failures), (1790.0, 0));
        // Without `expires_in` it lasts as long as the session can.
        let untold = lifetime.renewed(None, 100.0);
        assert_eq!(untold.token_expires_at.to_bits(), 3600f64.to_bits());
    }

    #[test]
    fn renewed_id_token_keeps_the_session_limit_and_does_not_count_as_activity() {
        let before = Lifetime { last_active_at: 100.0, has_warned: true, ..session() };
        let next = Lifetime {
            max_age_at: 9000.0,
            expires_at: 8000.0,
            last_active_at: 200.0,
            token_obtained_at: 200.0,
            ..session()
        };
        let after = before.carry_over_to(next, 200.0);
        assert_eq!(
            (after.max_age_at, after.expires_at, after.last_active_at),
            (3600.0, 3600.0, 100.0)
        );
        assert_eq!((after.token_obtained_at, after.has_warned), (200.0, true));
        let short = before.carry_over_to(Lifetime { expires_at: 500.0, ..next }, 200.0);
        assert_eq!((short.max_age_at, short.expires_at), (3600.0, 500.0));
    }

    #[test]
    fn token_is_valid_for_a_number_of_seconds() {
        let lifetime = session();
        assert!(lifetime.has_token_for(30.0, 269.0));
        assert!(!lifetime.has_token_for(30.0, 270.0));
        assert!(!lifetime.has_token_for(f64::NAN, 0.0));
    }

    proptest! {
        #[test]
        fn elapsed_clock_never_runs_backwards(steps: Vec<(f64, f64)>) {
            let mut elapsed = ElapsedClock::default();
            let mut last = 0.0;
            for (monotonic, wall) in steps {
                let now = elapsed.tick(monotonic, wall);
                prop_assert!(now >= last);
                last = now;
            }
        }

        #[test]
        fn next_action_waits_for_a_positive_time(now in 0.0..4000.0, last_active_at in 0.0..4000.0, failures in 0..20) {
            let mut lifetime = Lifetime { last_active_at, failures, reports_activity: true, ..session() };
            if let SessionAction::Wait(seconds) = lifetime.next_action(now) {
                prop_assert!(seconds > 0.0);
            }
        }
    }
}
