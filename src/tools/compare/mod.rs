//! `holdline compare`: the same requests over short connections and long ones, with any server.

mod report;
mod runner;
mod svg;
mod tally;
mod way;

use std::io::ErrorKind;
use std::net::SocketAddr;

use serde::Serialize;

use super::connection::{Broken, ClientConnection};
use super::progress::Progress;
use super::response::Head;
use super::url::HttpUrl;
use runner::{PIPELINE_DEPTH, Runner};
use tally::Tally;
use way::{WAYS, Way};

/// What was measured. As text it is a table and a chart, as JSON all of its numbers.
#[derive(Debug, Serialize)]
pub struct Comparison {
    url: String,
    server: SocketAddr,
    /// The status of the first response.
    status: u16,
    /// What the server calls itself.
    software: Option<String>,
    /// Requests of each way.
    requests: u32,
    /// Requests that were sent together by the way that pipelines.
    pipeline_depth: u32,
    ways: Vec<Measured>,
}

/// One way, and what it cost.
#[derive(Debug)]
struct Measured {
    way: Way,
    tally: Tally,
}

/// Makes this many requests in each way.
///
/// The ways take turns, a few requests each, and each turn begins with another way, so that background load affects
/// all of them equally.
///
/// # Errors
/// If the server can't be reached or does not answer; one line that says why.
pub fn compare(target: &HttpUrl, requests: u32) -> Result<Comparison, String> {
    let (server, head) = first_response(target)?;
    let mut runners = WAYS.map(|way| Runner::new(way, way.request(target), server));
    let mut progress = Progress::new(u64::from(requests) * WAYS.len() as u64);
    let mut made = 0;
    let mut left = requests;
    for turn in 0.. {
        let share = left.min(PIPELINE_DEPTH);
        if share == 0 {
            break;
        }
        for at in (0..WAYS.len()).map(|at| (at + turn) % WAYS.len()) {
            progress.show(made, WAYS[at].label);
            runners[at].make(share).map_err(|broken| format!("{target}, as {}: {broken}", WAYS[at].label))?;
            made += u64::from(share);
        }
        left -= share;
    }
    drop(progress);
    let ways = WAYS.into_iter().zip(runners).map(|(way, mut runner)| {
        runner.finish();
        Measured { way, tally: runner.tally }
    });
    Ok(Comparison {
        url: target.to_string(),
        server,
        status: head.status,
        software: head.server,
        requests,
        pipeline_depth: PIPELINE_DEPTH,
        ways: ways.collect(),
    })
}

/// Finds the address at which the server answers, and what it says.
fn first_response(target: &HttpUrl) -> Result<(SocketAddr, Head), String> {
    let addresses = target.resolve().map_err(|_| format!("cannot find the host of {target}: check its name"))?;
    let mut why = "it has no address".to_owned();
    for address in addresses {
        match ClientConnection::open(address) {
            Ok(connection) => {
                let head = ask(connection, target).map_err(|broken| format!("{target}: {broken}"))?;
                return Ok((address, head));
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                why = "nothing listens there; start the server, or check the port".to_owned();
            }
            Err(error) => why = error.to_string(),
        }
    }
    Err(format!("cannot connect to {target}: {why}"))
}

fn ask(mut connection: ClientConnection, target: &HttpUrl) -> Result<Head, Broken> {
    let short = WAYS[2];
    connection.send(short.request(target).as_bytes())?;
    connection.read_response(short.is_http10())
}
