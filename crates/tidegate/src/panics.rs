//! What a panic tells: where it was, never with which words, since those may quote what a sender sent.
//!
//! sled panics on some damaged files. The store notices and makes a new index, so that is a line in the
//! log and no more.

/// Tells of panics in this way for the rest of the process.
pub(crate) fn tell_where_only() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        if is_in_sled(&place) {
            tracing::warn!(place, "the index's engine panicked");
        } else if tracing::dispatcher::has_been_set() {
            tracing::error!(place, "panicked");
        } else {
            eprintln!("tidegate: panicked at {place}; please report this");
        }
    }));
}

fn is_in_sled(place: &str) -> bool {
    place.contains("/sled-")
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_panic_tells_where_it_was_and_not_its_words() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let writer = Mutex::new(log.reopen().unwrap());
        let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
        let before = std::panic::take_hook();
        tell_where_only();
        tracing::subscriber::with_default(subscriber, || {
            assert!(catch_unwind(|| panic!("PID|1||JANE^DOE")).is_err());
        });
        std::panic::set_hook(before);
        let told = std::fs::read_to_string(log.path()).unwrap();
        assert!(told.contains("panics.rs:") && !told.contains("JANE"), "{told}");
    }

    #[test]
    fn a_panic_of_the_index_is_known_by_its_place() {
        assert!(is_in_sled("/home/jo/.cargo/registry/src/index.crates.io-1/sled-0.34.7/src/tree.rs:9:1"));
        assert!(!is_in_sled("crates/tidegate-store/src/open/index.rs:9:1"));
    }
}
