//! SIGINT and SIGTERM: no server is left running, and no file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};

static ASKED_TO_STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on these signals are noted, and end nothing by themselves.
pub fn install_handler() {
    for signal in [SIGINT, SIGTERM] {
        // Without a handler the signal does what it always did.
        let _ = signal_hook::flag::register(signal, Arc::clone(&ASKED_TO_STOP));
    }
}

/// Whether to go on.
///
/// # Errors
/// If not.
pub fn check() -> Result<(), String> {
    if ASKED_TO_STOP.load(Ordering::Relaxed) { Err("interrupted".into()) } else { Ok(()) }
}
