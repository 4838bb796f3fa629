//! Random operations, reboots and clock jumps against a plain model of the store: the conformance
//! suite of its backends.
//!
//! The suite speaks in the verbs of the store's public API alone; [`backend`] is all that knows how
//! one backend is opened, killed and rebuilt. [`table`] is the state machine and [`model`] everything
//! else that callers may rely on, both written down a second time and as plainly as possible: they
//! are documentation, and share no code with what they check.
//!
//! `TIDEGATE_MODEL_SEED` replays a run and `TIDEGATE_MODEL_CASES` says how many cases it has. A case
//! that fails is shrunk, and its seed and its shortest form are printed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at a surprise")]

mod backend;
mod cases;
mod compare;
mod fairness;
mod gate;
mod model;
mod ops;
mod retention;
mod sender;
mod staff;
mod suite;
mod table;
mod work;

use std::cell::Cell;
use std::fmt::Debug;
use std::str::FromStr;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// What a check comes to.
pub(crate) type Checked = Result<(), TestCaseError>;

const CASES: u64 = 12;

#[test]
fn the_store_does_what_its_model_does() {
    let seed = setting("TIDEGATE_MODEL_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    let cases = setting("TIDEGATE_MODEL_CASES").unwrap_or(CASES);
    println!("TIDEGATE_MODEL_SEED={seed} TIDEGATE_MODEL_CASES={cases}");
    let anew: u64 = (0..cases).map(|number| run_case(seed.wrapping_add(number))).sum();
    println!("the index was made anew {anew} times");
    assert!(anew > 0 || cases < CASES, "no index was ever made anew");
}

fn run_case(seed: u64) -> u64 {
    let anew = Cell::new(0);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let tried = runner.run(&cases::cases(), |case| {
        anew.set(anew.get() + runtime.block_on(suite::run(case))?);
        Ok(())
    });
    if let Err(failure) = tried {
        panic!("replay with TIDEGATE_MODEL_SEED={seed} TIDEGATE_MODEL_CASES=1\n{failure}");
    }
    anew.get()
}

fn setting<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Both are equal, or the case fails and says what is not.
#[track_caller]
pub(crate) fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Checked {
    that(found == expected, || format!("{what}:\n   found {found:?}\nexpected {expected:?}"))
}

/// It holds, or the case fails.
#[track_caller]
pub(crate) fn that(holds: bool, what: impl FnOnce() -> String) -> Checked {
    let place = std::panic::Location::caller();
    if holds { Ok(()) } else { Err(TestCaseError::fail(format!("{place}: {}", what()))) }
}
