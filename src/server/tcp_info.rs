//! The kernel's state of a TCP connection (`TCP_INFO`). The one file with `unsafe`: no maintained crate has this
//! option.
#![allow(unsafe_code, reason = "getsockopt(TCP_INFO) has no safe wrapper in libc, rustix, socket2 or nix")]

use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// A part of `struct tcp_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// The name of the state, as in `ss` and RFC 9293.
    pub state: &'static str,
    /// The smoothed round-trip time.
    pub round_trip: Duration,
    /// Segments that are not acknowledged yet.
    pub unacked: u32,
    /// Segments that were retransmitted in the life of the connection.
    pub retransmits: u32,
}

/// The kernel's numbers for the states (`net/tcp_states.h`), from 1.
const STATES: [&str; 12] = [
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
    "NEW_SYN_RECV",
];

/// Reads the state; `None` for a socket that is not TCP.
pub fn read(socket: BorrowedFd<'_>) -> Option<TcpInfo> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the descriptor is open as long as it is borrowed, and the kernel writes at most `length`
    // bytes to `info`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return None;
    }
    // SAFETY: every bit pattern, zeros included, is a valid `tcp_info`: it holds nothing but integers.
    let info = unsafe { info.assume_init() };
    Some(TcpInfo {
        state: STATES.get(usize::from(info.tcpi_state).wrapping_sub(1)).copied().unwrap_or("UNKNOWN"),
        round_trip: Duration::from_micros(info.tcpi_rtt.into()),
        unacked: info.tcpi_unacked,
        retransmits: info.tcpi_total_retrans,
    })
}
