//! What the kernel knows of a server's processes, and where they and we run.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The two cores of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    pub server: usize,
    pub load: usize,
}

impl Cores {
    /// The first two that we may use. If there is but one, both share it, and only counted instructions mean much.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn find() -> Result<Cores, String> {
        let set = sched_getaffinity(None).map_err(|error| format!("sched_getaffinity: {error}"))?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core));
        let server = cores.next().ok_or("no core is ours")?;
        Ok(Cores { server, load: cores.next().unwrap_or(server) })
    }

    /// Whether the load has a core of its own.
    pub fn are_two(self) -> bool {
        self.server != self.load
    }

    /// From now on we run on the core of the load.
    pub fn take(self) {
        pin(self.load);
    }

    /// Does something, such as starting a process, on the server's core, which the process inherits.
    pub fn on_the_servers<T>(self, act: impl FnOnce() -> T) -> T {
        pin(self.server);
        let result = act();
        pin(self.load);
        result
    }
}

fn pin(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).expect("a core that we may use");
}

/// As many descriptors as we are allowed, for us and those we start. Says how many.
pub fn raise_descriptor_limit() -> u64 {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// CPU time that a process and its descendants have used so far, in the kernel and outside of it. Exact when they
/// sleep.
pub fn cpu_time(pid: u32) -> Duration {
    let of_thread = |path: String| -> u64 {
        let times = fs::read_to_string(path).unwrap_or_default();
        times.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
    };
    let of_process = |pid: &u32| -> u64 {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        threads.map(|thread| of_thread(format!("{}/schedstat", thread.path().display()))).sum()
    };
    Duration::from_nanos(family(pid).iter().map(of_process).sum())
}

/// Bytes of memory that a process and its descendants have to themselves, not backed by a file. What several share
/// counts once.
pub fn own_memory(pid: u32) -> u64 {
    let of_process = |pid: &u32| -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss_Anon:"));
        line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
    };
    family(pid).iter().map(of_process).sum::<u64>() * 1024
}

/// Whether the clock of [`cpu_time`] can be trusted: 100 ms of work of our own must be 100 ms in it.
///
/// # Errors
/// If it can't.
pub fn check_clock() -> Result<(), String> {
    let own = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let schedstat = || {
        let text = fs::read_to_string("/proc/thread-self/schedstat").map_err(|error| format!("schedstat: {error}"))?;
        text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).ok_or("schedstat: no number".to_owned())
    };
    let (told_before, real_before) = (schedstat()?, own());
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(100) {
        std::hint::spin_loop();
    }
    let (told, real) = (schedstat()? - told_before, own());
    let real = (real.tv_sec - real_before.tv_sec) * 1_000_000_000 + real.tv_nsec - real_before.tv_nsec;
    // The figure of a thread that runs is as old as the last tick of the scheduler.
    match (told as f64 / real as f64 - 1.0).abs() < 0.15 {
        true => Ok(()),
        false => Err(format!("/proc/PID/schedstat says {told} ns where the clock says {real} ns")),
    }
}

/// A process and its descendants.
fn family(pid: u32) -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // pid (name) state ppid …, and a name may hold anything.
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pairs: Vec<(u32, u32)> = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let mut family = vec![pid];
    let mut at = 0;
    while at < family.len() {
        let children = pairs.iter().filter(|(_, parent)| *parent == family[at]).map(|(pid, _)| *pid);
        let children: Vec<u32> = children.collect();
        family.extend(children);
        at += 1;
    }
    family
}
