//! How long the gate takes to answer with twenty recurring windows, when it was asked before.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at a surprise")]

use std::fmt::Write as _;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use tidegate_domain::maintenance::{MaintenanceConfig, gate};

const ASKED: u32 = 20_000;

fn main() {
    let mut text = "timezone = 'America/Chicago'\n".to_owned();
    for number in 0..20 {
        let starts = match number % 4 {
            0 => format!("cron = '{number} 2 * * *'"),
            1 => format!("cron = '0 {number} * * SUN'"),
            2 => format!("rrule = 'FREQ=MONTHLY;BYDAY=-1FR'\nstart = '18:{number}'"),
            _ => format!("cron = '{number} */2 * * *'"),
        };
        writeln!(text, "[[window]]\nname = '{number}'\n{starts}\nduration = '30m'").unwrap();
    }
    let calendar = toml::from_str::<MaintenanceConfig>(&text).unwrap().to_calendar().unwrap();
    let begin: DateTime<Utc> = "2026-05-04T00:00:00Z".parse().unwrap();
    let ask = |number: u32| gate(begin + TimeDelta::minutes(number.into()), None, &calendar, &[], &[]);
    let cold = Instant::now();
    ask(0);
    println!("the first answer takes {:.2} ms", cold.elapsed().as_secs_f64() * 1e3);
    let warm = Instant::now();
    let closed = (0..ASKED).filter(|number| !ask(*number).causes.is_empty()).count();
    let each = warm.elapsed().as_secs_f64() * 1e6 / f64::from(ASKED);
    println!("each of {ASKED} more takes {each:.1} µs; closed in {closed}");
}
