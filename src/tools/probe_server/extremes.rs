//! Two probes that disturb others, and so are made on request only: many connections, and the stop of the server.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::exchanges::response_or_end;
use super::seen::{Evidence, FullSeen, NextSeen, StopOutcome, StopSeen};
use super::subject::Subject;
use crate::tools::connection::{ClientConnection, ServerEnd};
use crate::tools::response::Head;

/// The longest that the command which stops the server may take.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How long after the start of that command the connections are used again.
const STOP_PAUSE: Duration = Duration::from_millis(300);

/// Opens this many connections that idle, and another one.
pub fn full(subject: &Subject, wanted: u32, usual_status: u16) -> Evidence<FullSeen> {
    let mut idle: Vec<ClientConnection> = Vec::new();
    let mut next = None;
    for _ in 0..wanted {
        match one_more(subject, usual_status) {
            (NextSeen::Served, Some(connection)) => idle.push(connection),
            (other, _) => {
                next = Some(other);
                break;
            }
        }
    }
    let next = next.unwrap_or_else(|| one_more(subject, usual_status).0);
    let closed = idle.iter().filter(|connection| connection.has_news()).count();
    Ok(FullSeen { wanted, served: idle.len() as u32, closed: closed as u32, next })
}

fn one_more(subject: &Subject, usual_status: u16) -> (NextSeen, Option<ClientConnection>) {
    let Ok(mut connection) = subject.open() else { return (NextSeen::NotConnected, None) };
    // Whether it was taken shows in what is read.
    let _ = connection.send(subject.request("GET", "").as_bytes());
    match response_or_end(&mut connection) {
        Ok(head) if head.status == usual_status => (NextSeen::Served, Some(connection)),
        Ok(head) => (NextSeen::Refused(head.status), None),
        Err(Some(_)) => (NextSeen::Ended, None),
        Err(None) => (NextSeen::Waits, None),
    }
}

/// Runs the command that stops the server, and uses connections that were open before.
pub fn stop(subject: &Subject, command: &str) -> Evidence<StopSeen> {
    let mut idle = subject.open()?;
    subject.get(&mut idle, "").map_err(|broken| broken.to_string())?;
    let mut in_flight = subject.open()?;
    let request = subject.request("GET", "");
    let (first_half, second_half) = request.split_at(request.len() / 2);
    in_flight.send(first_half.as_bytes()).map_err(|broken| broken.to_string())?;
    let mut backlog = subject.open()?;

    let mut stopping = run_by_shell(command).map_err(|error| format!("cannot run sh: {error}"))?;
    thread::sleep(STOP_PAUSE);
    let seen = StopSeen {
        idle: outcome_of_stop(&mut idle, &request),
        in_flight: outcome_of_stop(&mut in_flight, second_half),
        backlog: outcome_of_stop(&mut backlog, &request),
        command: None,
    };
    drop((idle, in_flight, backlog));
    Ok(StopSeen { command: exit_status(&mut stopping), ..seen })
}

/// Runs a command line, in a process group of its own.
fn run_by_shell(command: &str) -> io::Result<Child> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).spawn()
}

/// Waits for its exit status. If it does not end in time, it is ended with all that it has started.
fn exit_status(child: &mut Child) -> Option<i32> {
    let limit = Instant::now() + STOP_LIMIT;
    while Instant::now() < limit {
        match child.try_wait() {
            Ok(Some(status)) => return status.code(),
            Ok(None) => thread::sleep(Duration::from_millis(10)),
            Err(_) => break,
        }
    }
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        // It may have ended just now.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
    None
}

fn outcome_of_stop(connection: &mut ClientConnection, request: &str) -> StopOutcome {
    // If it has ended, that shows in what is read.
    let _ = connection.send(request.as_bytes());
    match response_or_end(connection) {
        Ok(Head { persists: false, .. }) => StopOutcome::AnsweredWithClose,
        Ok(_) => StopOutcome::Answered,
        Err(Some(ServerEnd::Fin)) => StopOutcome::Fin,
        Err(Some(ServerEnd::Reset)) => StopOutcome::Reset,
        Err(None) => StopOutcome::Silence,
    }
}
