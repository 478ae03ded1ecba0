//! The one table of timers: how long a connection may stay in its state, and why it ends then.

use std::time::Duration;

use super::{BODY_TIME_FACTOR, CloseReason, MIN_BODY_RATE, Moment, OVER_LIMIT_HEAD_TIMEOUT, State, Tick};

/// A connection, as its timer sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed {
    pub(super) state: State,
    /// What the wait is counted from: where the state was entered, or the last progress in it.
    pub(super) since: Moment,
    /// Set if it is over the limit: the reason for which it closes.
    pub(super) rejected: Option<CloseReason>,
    /// The content of the request that is arriving: when it began, and how much has come.
    pub(super) content: Option<(Moment, u64)>,
    /// What the lab waits for, if it has a plan.
    pub(super) lab: Option<LabWait>,
}

/// What a plan of the lab has to do with the timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LabWait {
    /// The response is held back for this long.
    Pause(Duration),
    /// The idle connection is closed after this.
    Close(Duration),
    /// A close was announced that did not come: when the idle connection ends at last, the lab is the reason.
    Lie,
}

/// How long, counted from `timed.since`, the connection may stay in its state, and why it ends then.
pub(super) fn timeout(timed: &Timed, tick: &Tick<'_>) -> Option<(Duration, CloseReason)> {
    let limits = tick.limits;
    match (timed.state, timed.lab) {
        // From the accept.
        (State::Opened, _) => Some((head(timed, tick), timed.rejected.unwrap_or(CloseReason::NoRequest))),
        // From the first byte of the head: progress does not extend it.
        (State::ReadingHead, _) => Some((head(timed, tick), timed.rejected.unwrap_or(CloseReason::HeadTimeout))),
        // From the last progress; one byte per timeout would be progress, and hold the connection for hours.
        (State::ReadingContent, _) => {
            let total = timed.content.map_or(Duration::MAX, |(began, length)| {
                (began + longest_content(length, limits.body_timeout)).since(timed.since)
            });
            Some((limits.body_timeout.min(total), CloseReason::ContentTimeout))
        }
        // From the last progress.
        (State::Sending, _) => Some((limits.send_timeout, CloseReason::SendTimeout)),
        (State::Pausing, Some(LabWait::Pause(wait))) => Some((wait, CloseReason::Lab)),
        // Only the lab pauses. A viewer that reads nothing is dropped when its queue overflows, not by a timer.
        (State::Pausing | State::Streaming, _) => None,
        // From the last byte of the response.
        (State::Idle, Some(LabWait::Close(wait))) => Some((wait, CloseReason::Lab)),
        (State::Idle, Some(LabWait::Lie)) => Some((idle(tick), CloseReason::Lab)),
        (State::Idle, _) => Some((idle(tick), CloseReason::IdleTimeout)),
        // The server may be silent for as long as the client may be.
        (State::Stalled, _) => Some((idle(tick), CloseReason::Lab)),
        // From our FIN.
        (State::Lingering(why), _) => Some((limits.linger, why)),
        (State::Closed(_), _) => None,
    }
}

/// How long a request head may take.
fn head(timed: &Timed, tick: &Tick<'_>) -> Duration {
    let most = if timed.rejected.is_some() { OVER_LIMIT_HEAD_TIMEOUT } else { Duration::MAX };
    tick.limits.head_timeout.min(most)
}

/// What clients are promised, and the grace behind it. There is no grace while the server drains: no client that trusts
/// its promise loses a request then either, since its last response has told it, or its next one will tell it, that the
/// connection closes.
fn idle(tick: &Tick<'_>) -> Duration {
    let grace = if tick.draining { Duration::ZERO } else { tick.limits.keep_alive_grace };
    tick.limits.keep_alive_timeout.saturating_add(grace)
}

/// How long the content of a request may take, pauses or not, when this many bytes of it have come.
fn longest_content(length: u64, body_timeout: Duration) -> Duration {
    body_timeout.saturating_mul(BODY_TIME_FACTOR).saturating_add(Duration::from_secs(length / MIN_BODY_RATE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Date, Limits};

    /// One row per line of the table: the state and its facts, while serving and while draining.
    #[test]
    fn each_state_has_its_timeout() {
        use CloseReason::*;
        let secs = Duration::from_secs;
        let millis = Duration::from_millis;
        let of =
            |state| Timed { state, since: Moment::default() + secs(100), rejected: None, content: None, lab: None };
        let rejected = |state| Timed { rejected: Some(TooMany), ..of(state) };
        let lab = |state, wait| Timed { lab: Some(wait), ..of(state) };
        let content = |began, length| Timed {
            content: Some((Moment::default() + secs(began), length)),
            ..of(State::ReadingContent)
        };
        let rows = [
            (of(State::Opened), Some((secs(10), NoRequest)), "silent since the accept"),
            (of(State::ReadingHead), Some((secs(10), HeadTimeout)), "half a head"),
            (rejected(State::Opened), Some((secs(1), TooMany)), "over the limit, and silent"),
            (rejected(State::ReadingHead), Some((secs(1), TooMany)), "over the limit, with half a head"),
            (content(100, 0), Some((secs(10), ContentTimeout)), "content that has just begun"),
            (content(55, 0), Some((secs(5), ContentTimeout)), "content that drips: fifty seconds in all"),
            (content(55, 5 * 512), Some((secs(10), ContentTimeout)), "and one more for each 512 bytes"),
            (content(10, 0), Some((secs(0), ContentTimeout)), "its time is over"),
            (of(State::Sending), Some((secs(60), SendTimeout)), "a client that reads nothing"),
            (of(State::Streaming), None, "a viewer"),
            (of(State::Pausing), None, "only the lab pauses"),
            (lab(State::Pausing, LabWait::Pause(millis(7))), Some((millis(7), Lab)), "as long as the plan says"),
            (of(State::Idle), Some((secs(75), IdleTimeout)), "promise and grace"),
            (lab(State::Idle, LabWait::Close(millis(7))), Some((millis(7), Lab)), "earlier than promised"),
            (lab(State::Idle, LabWait::Lie), Some((secs(75), Lab)), "announced, and not closed"),
            (of(State::Stalled), Some((secs(75), Lab)), "nothing comes any more"),
            (of(State::Lingering(Evicted)), Some((secs(2), Evicted)), "the peer's FIN does not come"),
        ];
        let date = Date::from_unix(0);
        let limits = Limits::DEFAULT;
        let mut tick = Tick { now: Moment::default(), date: &date, limits: &limits, draining: false };
        for (timed, expected, what) in rows {
            assert_eq!(timeout(&timed, &tick), expected, "{what}");
        }
        tick.draining = true;
        assert_eq!(timeout(&of(State::Idle), &tick), Some((secs(70), IdleTimeout)), "no grace while the server drains");
    }
}
