//! What the kernel knows about this process: metrics from `proc(5)`, and its limit of descriptors.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::observe::metrics::ProcessMetrics;

/// The most descriptors that the process asks for: as many as a Linux kernel gives by default (`fs.nr_open`).
pub const MAX_DESCRIPTORS: u64 = 1 << 20;

/// Reads the metrics. A value that can't be read is zero. `started` is the start of the server, since the Unix epoch.
pub fn read(started: Duration) -> ProcessMetrics {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may have spaces. The fields from the third on follow it.
    let fields: Vec<u64> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
        .unwrap_or_default();
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0);
    let ticks = (field(14) + field(15)) as f64 / rustix::param::clock_ticks_per_second() as f64;
    ProcessMetrics {
        cpu: Duration::from_secs_f64(ticks),
        virtual_bytes: field(23),
        resident_bytes: field(24) * rustix::param::page_size() as u64,
        open_fds: open_descriptors(),
        max_fds: descriptor_limit(),
        started: started.as_secs_f64(),
    }
}

/// The number of descriptors that the process may have: its soft limit (RLIMIT_NOFILE).
pub fn descriptor_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(MAX_DESCRIPTORS)
}

/// Raises the soft limit of descriptors (RLIMIT_NOFILE) to the hard one, as far as [`MAX_DESCRIPTORS`]. Shells and
/// service managers keep the soft one low for programs that use `select`.
///
/// # Errors
/// If the kernel refuses; then the limit is what it was.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX).min(MAX_DESCRIPTORS);
    if limit.current.is_some_and(|current| current < most) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum })?;
    }
    Ok(())
}

/// The number of open descriptors. Since Linux 6.2 it is the size of the folder; before, the entries have to be
/// counted, which takes milliseconds where there are thousands.
fn open_descriptors() -> u64 {
    const FOLDER: &str = "/proc/self/fd";
    match fs::metadata(FOLDER).map_or(0, |folder| folder.len()) {
        // The descriptor that reads the folder is not counted.
        0 => fs::read_dir(FOLDER).map_or(0, |entries| entries.count().saturating_sub(1) as u64),
        open => open,
    }
}
