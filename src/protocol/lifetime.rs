//! How long a session lasts: its limits, judged by elapsed time, since school devices' clocks are wrong, are set while
//! they run, and stand still in sleep.

/// Time that has passed, in seconds. Per step it is the larger of what the monotonic and the wall clock advanced: the
/// monotonic one stops in sleep on most systems, and a wall clock set back counts as none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elapsed {
    last: Option<(f64, f64)>,
    total: f64,
}

impl Elapsed {
    /// Takes a step: what the two clocks say now, in seconds. Answers with all that has passed since the first step.
    pub fn step(&mut self, monotonic: f64, wall: f64) -> f64 {
        if let Some((last_monotonic, last_wall)) = self.last {
            // `max` passes over what is no number.
            self.total += (monotonic - last_monotonic).max(wall - last_wall).max(0.0);
        }
        self.last = Some((monotonic, wall));
        self.total
    }
}

/// How long before its end a session is said to be expiring, in seconds; of a short idle limit, half of it.
const WARNING: f64 = 60.0;

/// How long before its end an access token is renewed, in seconds; of a short-lived one, half its life.
const AHEAD: f64 = 60.0;

/// The longest that somebody is active without the gateway hearing of it, in seconds: its own idle limit runs, too.
const SILENCE: f64 = 300.0;

/// The longest wait before a failed renewal is tried again, in seconds.
const MAX_BACKOFF: f64 = 64.0;

/// How long a tab that finds its session idle still listens, in seconds: it may have slept while another was in use, and
/// what that one said is still to be heard.
const HEARING: f64 = 0.125;

/// The limits of one session. All times are in seconds of [`Elapsed`] time.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// When it ends however often it is renewed.
    pub limit: f64,
    /// When it ends in any case: its limit or its ID token's end, whichever is first.
    pub ends: f64,
    /// How long it lasts without activity.
    pub idle_timeout: Option<f64>,
    /// When somebody was last active.
    pub active: f64,
    /// When the access token was obtained.
    pub obtained: f64,
    /// When the access token ends.
    pub token_ends: f64,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Whether a gateway must hear of activity.
    pub reports_activity: bool,
    /// Renewals that failed in a row.
    pub failures: i32,
    /// When the last of them failed.
    pub failed: f64,
    /// Whether it was said that the session is expiring.
    pub warned: bool,
    /// When it was found idle.
    pub found_idle: Option<f64>,
}

/// What is to be done about a session at some moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Due {
    /// It is over.
    End,
    /// It is about to end, and nobody has been told.
    Warning,
    /// Its tokens are to be renewed.
    Renewal,
    /// Nothing, for so many seconds.
    Nothing(f64),
}

impl Lifetime {
    /// When it ends unless somebody is active.
    fn end(&self) -> f64 {
        let idle = self.idle_timeout.map_or(f64::INFINITY, |timeout| self.active + timeout);
        self.ends.min(idle)
    }

    /// When it is said to be expiring.
    fn warning(&self) -> f64 {
        self.end() - self.idle_timeout.map_or(WARNING, |timeout| WARNING.min(timeout / 2.0))
    }

    /// How long it still lasts unless somebody is active.
    #[must_use]
    pub fn remaining(&self, now: f64) -> f64 {
        (self.end() - now).max(0.0)
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self, now: f64) -> bool {
        // Put as what must hold, so that a time that is no number ends it.
        let lives = now < self.ends && now < self.end();
        !lives
    }

    /// Whether it is over for nothing but want of activity.
    #[must_use]
    pub fn is_idle(&self, now: f64) -> bool {
        self.is_over(now) && now < self.ends
    }

    /// Somebody was active at some moment, which puts the idle limit off, unless it had passed by then.
    pub fn be_active(&mut self, at: f64) {
        if at > self.active && !self.is_over(at) {
            self.active = at;
        }
    }

    /// Whether the access token is still valid for so many seconds.
    #[must_use]
    pub fn has_token_for(&self, seconds: f64, now: f64) -> bool {
        now + seconds < self.token_ends
    }

    /// When the tokens are to be renewed.
    fn renewal(&self) -> f64 {
        if !self.renewable {
            return f64::INFINITY;
        }
        let ahead = AHEAD.min((self.token_ends - self.obtained) / 2.0);
        let mut at = self.token_ends - ahead;
        if self.reports_activity && self.active > self.obtained {
            let silence = self.idle_timeout.map_or(SILENCE, |timeout| SILENCE.min(timeout / 3.0));
            at = at.min(self.obtained + silence);
        }
        if self.failures > 0 {
            at = at.max(self.failed + 2f64.powi(self.failures - 1).min(MAX_BACKOFF));
        }
        at
    }

    /// The same after a renewal without a new ID token. One that brought nothing fresher when it had to counts as failed,
    /// so that it is not asked for again and again.
    #[must_use]
    pub fn renewed(self, expires_in: Option<f64>, now: f64) -> Self {
        let token_ends = expires_in.map_or(self.ends, |seconds| now + seconds);
        let stale = now >= self.token_ends - AHEAD && token_ends < self.token_ends + 1.0;
        let failures = if stale { self.failures.saturating_add(1) } else { 0 };
        Self { obtained: now, token_ends, failures, failed: now, ..self }
    }

    /// The same after a renewal with a new ID token, whose own lifetime is `next`. What limits the session still does.
    #[must_use]
    pub fn followed_by(self, next: Self) -> Self {
        Self {
            limit: self.limit,
            ends: next.ends.min(self.limit),
            active: self.active,
            warned: self.warned,
            ..next
        }
    }

    /// What is due now. A warning is given once.
    #[must_use]
    pub fn due(&mut self, now: f64) -> Due {
        let end = self.end();
        let warning = self.warning();
        if now < warning {
            self.warned = false;
        }
        let renewal = self.renewal();
        if !self.is_idle(now) {
            self.found_idle = None;
        } else if let wait = *self.found_idle.get_or_insert(now) + HEARING - now
            && wait > 0.0
        {
            return Due::Nothing(wait);
        }
        if self.is_over(now) {
            Due::End
        } else if now >= warning && !self.warned {
            self.warned = true;
            Due::Warning
        } else if now >= renewal {
            Due::Renewal
        } else {
            let next = if self.warned { end } else { warning };
            Due::Nothing(next.min(renewal) - now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An hour's session with a token of five minutes and an idle limit of half an hour, begun at 0.
    fn session() -> Lifetime {
        Lifetime {
            limit: 3600.0,
            ends: 3600.0,
            idle_timeout: Some(1800.0),
            active: 0.0,
            obtained: 0.0,
            token_ends: 300.0,
            renewable: true,
            reports_activity: false,
            failures: 0,
            failed: 0.0,
            warned: false,
            found_idle: None,
        }
    }

    #[test]
    fn the_clock_that_advanced_more_is_believed() {
        let mut elapsed = Elapsed::default();
        let mut step = |monotonic, wall| elapsed.step(monotonic, wall).to_bits();
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
    fn a_session_ends_when_nobody_is_active_and_in_any_case() {
        let mut lifetime = session();
        assert!(!lifetime.is_over(1799.0));
        assert!(lifetime.is_over(1800.0));
        lifetime.active = 1799.0;
        assert!(!lifetime.is_over(3598.0));
        lifetime.active = 3500.0;
        assert!(lifetime.is_over(3600.0));
        lifetime.idle_timeout = None;
        lifetime.active = 0.0;
        assert!(!lifetime.is_over(3599.0));
        lifetime.ends = f64::NAN;
        assert!(lifetime.is_over(0.0));
    }

    #[test]
    fn it_warns_once_a_minute_before_and_again_after_somebody_was_active() {
        let mut lifetime = Lifetime { renewable: false, ..session() };
        assert_eq!(lifetime.due(0.0), Due::Nothing(1740.0));
        assert_eq!(lifetime.due(1740.0), Due::Warning);
        assert_eq!(lifetime.due(1740.0), Due::Nothing(60.0));
        lifetime.active = 1750.0;
        assert_eq!(lifetime.due(1750.0), Due::Nothing(1740.0));
        assert_eq!(lifetime.due(3490.0), Due::Warning);
        assert_eq!(lifetime.due(3551.0), Due::Nothing(HEARING));
        assert_eq!(lifetime.due(3552.0), Due::End);
    }

    #[test]
    fn a_short_idle_limit_is_warned_of_at_half_of_it_each_time() {
        let mut lifetime = Lifetime { idle_timeout: Some(20.0), renewable: false, ..session() };
        assert_eq!(lifetime.due(0.0), Due::Nothing(10.0));
        assert_eq!(lifetime.due(10.0), Due::Warning);
        assert_eq!(lifetime.remaining(10.0).to_bits(), 10f64.to_bits());
        lifetime.active = 15.0;
        assert_eq!(lifetime.due(15.0), Due::Nothing(10.0));
        assert_eq!(lifetime.due(25.0), Due::Warning);
        assert_eq!(lifetime.due(35.0), Due::Nothing(HEARING));
        assert_eq!(lifetime.due(35.0 + HEARING), Due::End);
        assert_eq!(lifetime.remaining(36.0).to_bits(), 0f64.to_bits());
    }

    #[test]
    fn a_tab_that_slept_hears_of_activity_elsewhere_before_it_takes_itself_for_idle() {
        let mut lifetime = Lifetime { renewable: false, ..session() };
        assert_eq!(lifetime.due(2000.0), Due::Nothing(HEARING));
        lifetime.be_active(1000.0);
        assert_eq!(lifetime.due(2000.0), Due::Nothing(740.0));
        // What is older changes nothing, nor does what came too late.
        lifetime.be_active(900.0);
        assert_eq!(lifetime.due(2000.0), Due::Nothing(740.0));
        lifetime.be_active(2900.0);
        assert_eq!(lifetime.due(2900.0), Due::Nothing(HEARING));
        assert_eq!(lifetime.due(2901.0), Due::End);
        assert!(lifetime.is_idle(2901.0));
        // Its limit needs nobody's word.
        assert_eq!(lifetime.due(3600.0), Due::End);
        assert!(!lifetime.is_idle(3600.0));
    }

    #[test]
    fn a_token_is_renewed_a_minute_before_its_end_or_after_half_its_life() {
        let mut lifetime = session();
        assert_eq!(lifetime.due(239.0), Due::Nothing(1.0));
        assert_eq!(lifetime.due(240.0), Due::Renewal);
        lifetime.token_ends = 10.0;
        assert_eq!(lifetime.due(4.0), Due::Nothing(1.0));
        assert_eq!(lifetime.due(5.0), Due::Renewal);
        lifetime.renewable = false;
        assert_eq!(lifetime.due(5.0), Due::Nothing(1735.0));
        // The life counts from when it was obtained; a renewal that went well before holds nothing up.
        let mut later = Lifetime { obtained: 100.0, token_ends: 110.0, failed: 104.9, ..session() };
        assert_eq!(later.due(104.0), Due::Nothing(1.0));
        assert_eq!(later.due(105.0), Due::Renewal);
    }

    #[test]
    fn a_gateway_hears_of_activity_before_its_own_idle_limit() {
        let mut lifetime = Lifetime { reports_activity: true, token_ends: 3600.0, ..session() };
        assert_eq!(lifetime.due(400.0), Due::Nothing(1340.0));
        lifetime.active = 10.0;
        assert_eq!(lifetime.due(299.0), Due::Nothing(1.0));
        assert_eq!(lifetime.due(300.0), Due::Renewal);
        lifetime.idle_timeout = Some(90.0);
        assert_eq!(lifetime.due(30.0), Due::Renewal);
        lifetime.idle_timeout = None;
        assert_eq!(lifetime.due(300.0), Due::Renewal);
    }

    #[test]
    fn a_renewal_that_failed_is_tried_again_later_and_later() {
        let mut lifetime = Lifetime { idle_timeout: None, failed: 250.0, ..session() };
        for (failures, wait) in [(1, 1.0), (2, 2.0), (3, 4.0), (7, 64.0), (8, 64.0), (5000, 64.0)] {
            lifetime.failures = failures;
            assert_eq!(lifetime.due(250.0), Due::Nothing(wait), "{failures}");
            assert_eq!(lifetime.due(250.0 + wait), Due::Renewal, "{failures}");
        }
    }

    #[test]
    fn a_renewal_that_brings_nothing_fresher_is_not_asked_for_again_at_once() {
        let lifetime = Lifetime { token_ends: 1790.0, ..session() };
        let renewed = lifetime.renewed(Some(300.0), 1730.0);
        assert_eq!((renewed.token_ends, renewed.failures), (2030.0, 0));
        assert_eq!((renewed.obtained, renewed.failed), (1730.0, 1730.0));
        // A second more is fresher.
        assert_eq!(lifetime.renewed(Some(51.0), 1740.0).failures, 0);
        let mut same = lifetime.renewed(Some(50.0), 1740.0);
        assert_eq!((same.token_ends, same.failures), (1790.0, 1));
        same.warned = true;
        same = same.renewed(Some(40.0), 1750.0);
        assert_eq!(same.failures, 2);
        assert_eq!(same.due(1770.0), Due::Renewal);
        // Early on, when only activity was reported, the same token is what is expected.
        let early = lifetime.renewed(Some(1490.0), 300.0);
        assert_eq!((early.token_ends, early.failures), (1790.0, 0));
        // Without `expires_in` it lasts as long as the session can.
        let untold = lifetime.renewed(None, 100.0);
        assert_eq!(untold.token_ends.to_bits(), 3600f64.to_bits());
    }

    #[test]
    fn a_new_id_token_lengthens_no_session_beyond_its_limit_and_is_no_activity() {
        let before = Lifetime { active: 100.0, warned: true, ..session() };
        let next =
            Lifetime { limit: 9000.0, ends: 8000.0, active: 200.0, obtained: 200.0, ..session() };
        let after = before.followed_by(next);
        assert_eq!((after.limit, after.ends, after.active), (3600.0, 3600.0, 100.0));
        assert_eq!((after.obtained, after.warned), (200.0, true));
        let short = before.followed_by(Lifetime { ends: 500.0, ..next });
        assert_eq!((short.limit, short.ends), (3600.0, 500.0));
    }

    #[test]
    fn a_token_is_good_for_so_many_seconds() {
        let lifetime = session();
        assert!(lifetime.has_token_for(30.0, 269.0));
        assert!(!lifetime.has_token_for(30.0, 270.0));
        assert!(!lifetime.has_token_for(f64::NAN, 0.0));
    }

    proptest! {
        #[test]
        fn time_never_runs_backwards(steps: Vec<(f64, f64)>) {
            let mut elapsed = Elapsed::default();
            let mut last = 0.0;
            for (monotonic, wall) in steps {
                let now = elapsed.step(monotonic, wall);
                prop_assert!(now >= last);
                last = now;
            }
        }

        #[test]
        fn whatever_is_due_later_is_due_later_than_now(now in 0.0..4000.0, active in 0.0..4000.0, failures in 0..20) {
            let mut lifetime = Lifetime { active, failures, reports_activity: true, ..session() };
            if let Due::Nothing(seconds) = lifetime.due(now) {
                prop_assert!(seconds > 0.0);
            }
        }
    }
}
