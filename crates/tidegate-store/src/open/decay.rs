//! Looks for decay in an index that was trusted.
//!
//! sled keeps a checksum of each page and compares it whenever it reads the page, which may be weeks
//! later and in the middle of a change. So everything is read once after such a start, beside the work.
//! What is found ends the process, and the next start makes the index anew.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crate::core::Core;
use crate::threads::PanicGuard;

/// Begins to read; the thread ends with the index, or when the store closes.
pub(super) fn look_for(core: &Arc<Core>) -> io::Result<JoinHandle<()>> {
    let core = Arc::clone(core);
    std::thread::Builder::new().name("store-check".to_owned()).spawn(move || {
        let _guard = PanicGuard(Arc::clone(&core));
        read_all(&core);
    })
}

fn read_all(core: &Core) {
    let Ok(reader) = core.reader() else { return };
    for pair in reader.pairs() {
        if core.is_closing.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = pair {
            core.poison("reading the index", &error);
            return;
        }
    }
}
