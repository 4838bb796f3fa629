//! What is stored must come back from an encoding that does not describe itself.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tidegate_domain::maintenance::{Hold, Interval, Override, Window};

use crate::support::{at, ended, extended, hold, org, skipped, staff_window, window, window_of};

fn survives<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let bytes = postcard::to_stdvec(value).unwrap();
    assert_eq!(&postcard::from_bytes::<T>(&bytes).unwrap(), value);
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
}

#[test]
fn windows_holds_and_overrides_survive() {
    survives::<Window>(&window("file", "10:00", "11:00"));
    survives::<Window>(&staff_window("staff", "10:00", "11:00"));
    survives::<Window>(&window_of("county-*", "counties", "10:00", "11:00"));
    survives::<Hold>(&hold("hold", "10:00", None));
    survives::<Hold>(&Hold { org: Some(org("ACME01")), ..hold("hold", "10:00", Some("11:00")) });
    survives::<Override>(&ended("window", "10:00", "10:30"));
    survives::<Override>(&extended("window", "10:00", "12:30"));
    survives::<Override>(&skipped("window", "10:00"));
}

#[test]
fn an_interval_that_runs_backwards_is_not_read_back() {
    for (start, end) in [("11:00", "10:00"), ("10:00", "10:00")] {
        let bytes = postcard::to_stdvec(&(at(start), at(end))).unwrap();
        assert!(postcard::from_bytes::<Interval>(&bytes).is_err());
    }
    let bytes = postcard::to_stdvec(&(at("10:00"), at("11:00"))).unwrap();
    assert!(postcard::from_bytes::<Interval>(&bytes).is_ok());
}

/// The journal has them so since before windows recurred; what stands there must stay readable.
#[test]
fn what_is_on_disk_is_read_as_ever() {
    let bytes = postcard::to_stdvec(&ended("window", "10:00", "10:30")).unwrap();
    assert_eq!(bytes[0], 0);
    assert_eq!(postcard::to_stdvec(&extended("window", "10:00", "12:30")).unwrap()[0], 1);
    assert_eq!(postcard::to_stdvec(&skipped("window", "10:00")).unwrap()[0], 2);
}
