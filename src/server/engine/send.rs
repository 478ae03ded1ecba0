//! Sends output: the write buffer, then the pieces that wait behind it.

use std::io::{self, ErrorKind};

use crate::http::{CloseReason, Moment};
use crate::site::FileSlice;

use super::drive::{Driven, cut, fail, is_temporary};
use super::live::Live;
use super::send_state::Piece;
use crate::server::socket::{FileError, Socket};

/// Sends the write buffer and the pieces behind it. Returns `None` if HTTP has the next step: all is sent, or the
/// connection can't go on.
pub(super) fn flush<S: Socket>(
    live: &mut Live<S>,
    out: &mut Vec<u8>,
    budget: &mut usize,
    now: Moment,
) -> Option<Driven> {
    let sent = send_out(live, out, budget, now).and_then(|()| send_waiting(live, budget, now));
    out.clear();
    match sent {
        Ok(driven) => driven,
        Err(error) if is_temporary(&error) => {
            live.writable = false;
            Some(Driven::Blocked)
        }
        Err(error) => {
            fail(live, &error, now);
            None
        }
    }
}

/// Sends the write buffer, and in the same call the first piece behind it. The part of the buffer that the socket has
/// no room for becomes a piece: the buffer belongs to the loop.
fn send_out<S: Socket>(live: &mut Live<S>, out: &[u8], budget: &mut usize, now: Moment) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let (behind, pieces) = match live.send_state.as_deref().map(|state| &state.waiting) {
        Some(waiting) => match waiting.front() {
            Some(Piece::Bytes(bytes, rest)) if rest.len() <= *budget => (&bytes[rest.clone()], waiting.len() - 1),
            _ => (&[][..], waiting.len()),
        },
        None => (&[][..], 0),
    };
    // With MSG_MORE our FIN travels with the last bytes, in one segment.
    let more = pieces > 0 || live.http.ends_after((out.len() + behind.len()) as u64);
    let result = live.socket.write(out, behind, more);
    let sent = *result.as_ref().unwrap_or(&0);
    if sent < out.len() {
        live.send_state().waiting.push_front(Piece::whole(&out[sent..]));
    } else if sent > out.len() {
        live.send_state().sent_of_first((sent - out.len()) as u64);
    }
    *budget = budget.saturating_sub(sent);
    live.http.wrote(sent as u64, now);
    if sent < out.len() { Err(result.err().unwrap_or(ErrorKind::WouldBlock.into())) } else { Ok(()) }
}

/// Sends the pieces that wait, one by one.
fn send_waiting<S: Socket>(live: &mut Live<S>, budget: &mut usize, now: Moment) -> io::Result<Option<Driven>> {
    loop {
        let allowed = usize::try_from(live.http.allowance(now)).unwrap_or(usize::MAX);
        let Some(state) = live.send_state.as_deref().filter(|_| allowed > 0) else { return Ok(None) };
        let Some(piece) = state.waiting.front() else { return Ok(None) };
        if *budget == 0 {
            return Ok(Some(Driven::BudgetSpent));
        }
        let count = usize::try_from(piece.len()).unwrap_or(usize::MAX).min(allowed).min(*budget);
        // Under a plan, the next piece may follow much later.
        let more = state.waiting.len() > 1 && allowed == usize::MAX || live.http.ends_after(count as u64);
        let sent = match send_piece(&mut live.socket, piece, count, more) {
            Ok(0) if matches!(piece, Piece::File(_)) => {
                cut(live, CloseReason::FileChanged, now);
                return Ok(None);
            }
            Err(error) if FileError::is(&error) => {
                log::error!("can't read a file that is being sent: {error}");
                cut(live, CloseReason::InternalError, now);
                return Ok(None);
            }
            sent => sent?,
        };
        *budget -= sent;
        live.send_state().sent_of_first(sent as u64);
        live.http.wrote(sent as u64, now);
    }
}

/// Sends at most `count` bytes from the beginning of a piece, and returns how many. `more` says that bytes or our FIN
/// follow at once.
fn send_piece<S: Socket>(socket: &mut S, piece: &Piece, count: usize, more: bool) -> io::Result<usize> {
    match piece {
        Piece::Bytes(bytes, rest) => socket.write(&bytes[rest.start..rest.start + count], &[], more),
        Piece::Repeated(block, rest) => {
            let bytes = &block[(rest.start % block.len() as u64) as usize..];
            socket.write(&bytes[..count.min(bytes.len())], &[], more)
        }
        Piece::File(FileSlice { file, offset, .. }) => socket.send_file(file, *offset, count),
    }
}
