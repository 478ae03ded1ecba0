//! What the exchanges with a server mean for its clients.

use super::exchanges::TOGETHER;
use super::rows::{Case, Grade, Judgement};
use super::seen::{NextSeen, OptionSeen, PipeliningSeen, StopOutcome, StopSeen, UploadSeen};

/// A shorter response may fit into the buffers of the kernels, where no server can cut it.
const TELLING_SIZE: u64 = 4 << 20;

/// Many requests on one connection.
pub fn limit(case: &Case<'_>) -> Option<Judgement> {
    Some(match &case.seen.exchanges.limit {
        Err(why) => Grade::NotShown.says(why),
        Ok(seen) if !seen.closed => Grade::Ok.says(format!("kept a connection through {} requests", seen.answered)),
        Ok(seen) if seen.announced => {
            Grade::Ok.says(format!("closes with response {}, and announces it", seen.answered))
        }
        Ok(seen) => Grade::Careful
            .says(format!("closes after response {}, unannounced: the next request is lost", seen.answered))
            .by("RFC 9112 §9.6"),
    })
}

/// The options about the connection.
pub fn options(case: &Case<'_>) -> Option<Judgement> {
    let seen = match &case.seen.exchanges.options {
        Ok(seen) => seen,
        Err(why) => return Some(Grade::NotShown.says(why)),
    };
    let keeps = case.seen.idle.as_ref().is_ok_and(|seen| seen.idle.is_some());
    let faults = seen.iter().filter_map(|option| fault(option, keeps));
    let worst = faults.reduce(|one, other| if other.0.grade > one.0.grade { other } else { one });
    let kept = seen.iter().any(|option| option.says_keep_alive && option.second_answered);
    let old = if kept { "keeps HTTP/1.0 with keep-alive, and says so" } else { "closes HTTP/1.0, with keep-alive too" };
    Some(match worst {
        Some((judgement, rfc)) => judgement.by(rfc),
        None => Grade::Ok.says(format!("closes where it must, and only there; {old}")),
    })
}

/// What is wrong with what an option did.
fn fault(seen: &OptionSeen, keeps: bool) -> Option<(Judgement, &'static str)> {
    let OptionSeen { form, must_close, status, announced, says_keep_alive, second_answered, ended } = *seen;
    if must_close && second_answered {
        return Some((Grade::Bad.says(format!("answers a request behind one with {form}")), "RFC 9112 §9.6"));
    }
    if must_close && !ended {
        return Some((Grade::Bad.says(format!("does not close after {form}")), "RFC 9112 §9.6"));
    }
    if must_close && !announced {
        return Some((Grade::Careful.says(format!("closes after {form}, and does not say so")), "RFC 9112 §9.6"));
    }
    if must_close {
        return None;
    }
    if form.starts_with("HTTP/1.0") {
        let unsaid = second_answered && !says_keep_alive;
        return unsaid.then(|| (Grade::Careful.says(format!("keeps {form}, and does not say so")), "RFC 9112 §C.2.2"));
    }
    // What only resembles the option is none; it may be refused as malformed.
    (keeps && !second_answered && status != 400)
        .then(|| (Grade::Careful.says(format!("takes {form} for close")), "RFC 9110 §7.6.1"))
}

/// Requests that are sent together.
pub fn pipelining(case: &Case<'_>) -> Option<Judgement> {
    let PipeliningSeen { of_ten, announced, of_three_close_three } = match &case.seen.exchanges.pipelining {
        Ok(seen) => *seen,
        Err(why) => return Some(Grade::NotShown.says(why)),
    };
    let answers = format!("answers {of_ten} of {TOGETHER} requests sent together");
    Some(if of_three_close_three > 4 {
        Grade::Bad
            .says(format!("{answers}, and {of_three_close_three} of 3, one with close and 3 more: 4 are right"))
            .by("RFC 9112 §9.6")
    } else if of_ten < TOGETHER && announced {
        Grade::Careful.says(format!("{answers}, and announces that it closes"))
    } else if of_ten < TOGETHER {
        Grade::Bad.says(format!("{answers}; the others are lost")).by("RFC 9112 §9.3.2")
    } else if of_three_close_three < 4 {
        Grade::Bad
            .says(format!("{answers}, but {of_three_close_three} of 3 and one with close, if 3 more follow"))
            .by("RFC 9112 §9.3.2")
    } else {
        Grade::Ok.says(format!("{answers}, and none behind Connection: close"))
    })
}

/// A client that has said it will send no more.
pub fn half_close(case: &Case<'_>) -> Option<Judgement> {
    let seen = match &case.seen.exchanges.half_close {
        Ok(seen) => seen,
        Err(why) => return Some(Grade::NotShown.says(why)),
    };
    let whole = seen.whole;
    Some(if seen.complete && whole >= TELLING_SIZE {
        Grade::Ok.says(format!("sends all {whole} bytes to a client that has half-closed"))
    } else if seen.complete {
        Grade::Ok.says(format!("sends all {whole} bytes to a client that has half-closed; 4 MiB would tell more"))
    } else {
        let how = if seen.reset { "resets" } else { "closes" };
        let received = seen.received;
        Grade::Bad
            .says(format!("{how} when a client has half-closed: {received} of {whole} bytes arrive"))
            .by("RFC 9293 §3.6")
    })
}

/// Content that may be unwanted.
pub fn uploads(case: &Case<'_>) -> Option<Judgement> {
    let seen = match &case.seen.exchanges.uploads {
        Ok(seen) => seen,
        Err(why) => return Some(Grade::NotShown.says(why)),
    };
    let parts: Vec<Judgement> = seen.iter().map(upload).collect();
    let sentence = parts.iter().map(|part| part.sentence.as_str()).collect::<Vec<_>>().join("; ");
    let grade = parts.iter().map(|part| part.grade).max().unwrap_or(Grade::NotShown);
    let rfc = parts.iter().find(|part| part.grade == grade).and_then(|part| part.rfc);
    Some(Judgement { grade, sentence, rfc })
}

fn upload(seen: &UploadSeen) -> Judgement {
    let UploadSeen { status, announced, kept, reset, received, .. } = *seen;
    let size =
        if seen.size < 1 << 20 { format!("{} KiB", seen.size >> 10) } else { format!("{} MiB", seen.size >> 20) };
    let Some(status) = status else {
        let end = if reset { "an RST" } else { "an end" };
        return Grade::Bad
            .says(format!("a body of {size} gets {end} in place of a response ({received} bytes came)"))
            .by("RFC 9112 §9.6");
    };
    if reset {
        return Grade::Careful
            .says(format!("a body of {size} gets {status} and then an RST, which can destroy it"))
            .by("RFC 9112 §9.6");
    }
    match (kept, announced) {
        (true, _) => Grade::Ok.says(format!("a body of {size} is read and the connection kept ({status})")),
        (false, true) => Grade::Ok.says(format!("a body of {size} gets {status} and an announced close")),
        (false, false) => {
            Grade::Careful.says(format!("a body of {size} gets {status} and an unannounced close")).by("RFC 9112 §9.6")
        }
    }
}

/// Many idle connections, and one more.
pub fn full(case: &Case<'_>) -> Option<Judgement> {
    let seen = match case.seen.full.as_ref()? {
        Ok(seen) => seen,
        Err(why) => return Some(Grade::NotShown.says(why)),
    };
    let (served, next) = (seen.served, seen.served + 1);
    Some(match seen.next {
        NextSeen::Served if seen.closed == 0 => Grade::Ok.says(format!("{served} idle ones leave room for the next")),
        NextSeen::Served => {
            Grade::Ok.says(format!("serves each of {next}, and closed {} idle ones for that", seen.closed))
        }
        NextSeen::Refused(status) => Grade::Ok.says(format!("refuses connection {next} in words: {status}")),
        NextSeen::Ended => Grade::Careful.says(format!("closes connection {next} without a response")),
        NextSeen::NotConnected => Grade::Careful.says(format!("does not accept connection {next}")),
        NextSeen::Waits => Grade::Bad.says(format!("leaves connection {next} waiting, while {served} are idle")),
    })
}

/// The stop of the server.
pub fn stop(case: &Case<'_>) -> Option<Judgement> {
    let StopSeen { idle, in_flight, backlog, command } = match case.seen.stop.as_ref()? {
        Ok(seen) => seen.clone(),
        Err(why) => return Some(Grade::NotShown.says(why)),
    };
    let answered = |outcome| [StopOutcome::Answered, StopOutcome::AnsweredWithClose].contains(&outcome);
    let text = format!(
        "the request of an idle connection {}, one on its way {}, one in the backlog {}",
        words(idle),
        words(in_flight),
        words(backlog),
    );
    Some(if command != Some(0) {
        Grade::NotShown.says("the command that stops the server has failed")
    } else if !answered(in_flight) || [idle, backlog].contains(&StopOutcome::Silence) {
        Grade::Bad.says(text)
    } else if [idle, in_flight, backlog].iter().all(|outcome| *outcome == StopOutcome::AnsweredWithClose) {
        Grade::Ok.says(text)
    } else {
        Grade::Careful.says(text).by("RFC 9112 §9.6")
    })
}

fn words(outcome: StopOutcome) -> &'static str {
    match outcome {
        StopOutcome::Answered => "is answered as before",
        StopOutcome::AnsweredWithClose => "is answered with close",
        StopOutcome::Fin => "is lost to a FIN",
        StopOutcome::Reset => "is lost to an RST",
        StopOutcome::Silence => "gets nothing",
    }
}
