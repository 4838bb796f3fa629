//! How the queue went of late, as pictures.
//!
//! Invariant: what is kept is bounded, and is taken whether anybody looks or not, so that whoever comes sees the last hour.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use maud::{Markup, html};
use tidegate_domain::job::JobState;
use tidegate_store::Stats;
use tokio::time::{MissedTickBehavior, interval};

use crate::control::{Control, blocking};
use crate::pages::words::number;

const EVERY: Duration = Duration::from_secs(5);
const KEPT: usize = 720;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;

/// One look at the queue.
#[derive(Debug, Clone, Copy)]
struct Sample {
    waiting: f64,
    files_per_s: f64,
}

/// The looks of the last hour.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples(Arc<Mutex<VecDeque<Sample>>>);

impl Samples {
    /// Looks until nobody has this any more.
    pub(super) fn of(control: &Control) -> Self {
        let samples = Self::default();
        let (kept, store) = (Arc::downgrade(&samples.0), control.store.clone());
        tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let looking = store.clone();
                let stats = blocking(move || looking.stats()).await;
                let Some(kept) = kept.upgrade() else { return };
                if let Ok(Ok(stats)) = stats {
                    Self(kept).push(&stats);
                }
            }
        });
        samples
    }

    fn push(&self, stats: &Stats) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Sample { waiting: waiting(stats), files_per_s: stats.finished_per_s });
    }

    fn all(&self) -> Vec<Sample> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Both pictures.
    pub(super) fn charts(&self) -> Markup {
        let samples = self.all();
        let waiting: Vec<f64> = samples.iter().map(|one| one.waiting).collect();
        let rate: Vec<f64> = samples.iter().map(|one| one.files_per_s).collect();
        html! {
            div.charts {
                (chart("Files that wait", &waiting, whole))
                (chart("Files finished in a second", &rate, |value| format!("{value:.1}")))
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a picture is coarser than 2^53")]
fn waiting(stats: &Stats) -> f64 {
    let waits = [JobState::Queued, JobState::Retrying, JobState::Processing];
    let sum: u64 = waits.iter().filter_map(|state| stats.by_state.get(state)).sum();
    sum as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count that was made a float")]
fn whole(value: f64) -> String {
    number(value as u64)
}

/// The line ends at the right edge, which is now.
fn chart(title: &str, values: &[f64], show: impl Fn(f64) -> String) -> Markup {
    let top = values.iter().copied().fold(0.0, f64::max);
    let (now, highest) = (show(values.last().copied().unwrap_or_default()), show(top));
    let line = points(values, top);
    html! {
        figure.chart {
            figcaption { (title) ": " strong { (now) } span.quiet { " now, " (highest) " at most in the last hour" } }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                aria-label={ (title) ": " (now) " now, " (highest) " at most in the last hour" } {
                @if let Some((first, _)) = line.split_once(',') {
                    polygon.area points={ (first) "," (HEIGHT) " " (line) " " (WIDTH) "," (HEIGHT) } {}
                    polyline.line points=(line) {}
                }
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "at most 720 values")]
fn points(values: &[f64], top: f64) -> String {
    let step = WIDTH / (KEPT - 1) as f64;
    let left = WIDTH - step * values.len().saturating_sub(1) as f64;
    let height =
        |value: f64| if top > 0.0 { HEIGHT - 2.0 - value / top * (HEIGHT - 10.0) } else { HEIGHT - 2.0 };
    let point =
        |(place, value): (usize, &f64)| format!("{:.1},{:.1}", left + step * place as f64, height(*value));
    values.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_ends_now_and_its_highest_point_is_at_the_top() {
        let line = points(&[0.0, 5.0, 10.0], 10.0);
        let last: Vec<&str> = line.split(' ').collect();
        assert_eq!((last.len(), last[2]), (3, "720.0,8.0"));
        assert!(last[0].ends_with(",118.0"), "{line}");
        assert_eq!(points(&[0.0], 0.0), "720.0,118.0");
    }
}
