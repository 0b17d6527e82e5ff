//! Many runs from one seed, and the shortest schedule of one that fails.

use super::browser::Step;
use super::world::{Setting, World};

/// Xorshift: the same seed makes the same run everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn step(dice: &mut Dice) -> Step {
    let tab = dice.below(4) as u8;
    let user = dice.below(2) as u8;
    match dice.below(100) {
        0..38 => Step::Network { request: dice.byte() },
        38..50 => Step::Message { message: dice.byte() },
        50..53 => Step::Fail { request: dice.byte() },
        53..60 => Step::SignIn { tab, user },
        60..62 => Step::LoginStays { tab },
        62..64 => Step::OpenPopup { tab },
        64..67 => Step::FinishPopup { tab, user },
        67 => Step::ClosePopup { tab },
        68 => Step::StaleCallback { tab },
        69..73 => Step::SignOut { tab },
        73..78 => Step::GetUser { tab },
        78..81 => Step::GetToken { tab },
        81 => Step::Touch { tab },
        82..89 => Step::Advance { secs: dice.one_of(&[1, 6, 30, 250, 250, 400, 900, 2000]) },
        89 => Step::BusyMinute { tab },
        90 => Step::SetClock { by_secs: dice.one_of(&[-3600, -5, 5, 3600]) },
        91 => Step::Sleep { tab },
        92..94 => Step::Wake { tab },
        94 => Step::Freeze { tab },
        95 => Step::Thaw { tab },
        96..99 => Step::Reload { tab },
        _ => Step::Revoke,
    }
}

fn setting(dice: &mut Dice) -> Setting {
    Setting {
        tabs: dice.one_of(&[1, 2, 2, 3, 4]),
        has_gateway: dice.below(4) > 0,
        has_channel: dice.below(6) > 0,
        has_locks: dice.below(4) > 0,
        is_framed: dice.below(10) == 0,
        max_age_secs: dice.one_of(&[600, 28800]),
        idle_secs: dice.one_of(&[1800, 1800, 60]),
        token_secs: dice.one_of(&[300, 300, 3600, 0]),
        new_id_tokens: dice.below(3) == 0,
    }
}

/// Plays a schedule to its end.
pub fn play(setting: Setting, schedule: &[Step]) -> Option<String> {
    let mut world = World::new(setting);
    for step in schedule {
        world.play(*step);
        if world.violation.is_some() {
            return world.violation;
        }
    }
    world.settle_down();
    world.violation
}

/// The shortest schedule that still breaks the same rule: parts are left out for as long as it does.
fn shrink(setting: Setting, mut schedule: Vec<Step>, rule: &str) -> Vec<Step> {
    let mut size = schedule.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < schedule.len() {
            let end = (at + size).min(schedule.len());
            let shorter = [&schedule[..at], &schedule[end..]].concat();
            if play(setting, &shorter).is_some_and(|found| found.starts_with(rule)) {
                schedule = shorter;
            } else {
                at = end;
            }
        }
        size /= 2;
    }
    schedule
}

#[test]
fn session_keeps_its_rules_in_every_order_of_events() {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let runs = number("SIMULATION_RUNS", 60_000);
    let first = number("SIMULATION_SEED", 1);
    let tabs = number("SIMULATION_TABS", 0) as u8;
    for seed in first..first + runs {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut setting = setting(&mut dice);
        if tabs > 0 {
            setting.tabs = tabs;
        }
        let length = 10 + dice.below(50);
        let schedule: Vec<_> = (0..length).map(|_| step(&mut dice)).collect();
        if let Some(violation) = play(setting, &schedule) {
            let rule = violation.split(':').next().unwrap_or_default().to_owned();
            let shortest = shrink(setting, schedule, &rule);
            let mut world = World::new(setting);
            world.traces = true;
            shortest.iter().for_each(|step| world.play(*step));
            world.settle_down();
            let again = world.violation.unwrap_or_default();
            let steps: Vec<_> = shortest.iter().map(|step| format!("    {step:?},\n")).collect();
            panic!(
                "run {} (SIMULATION_SEED={seed} SIMULATION_RUNS=1 SIMULATION_TABS={tabs})\n{again}\n{setting:#?}\n[\n{}]",
                seed - first + 1,
                steps.concat()
            );
        }
    }
}
