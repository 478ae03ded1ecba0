//! One connection as the driver holds it: its socket, its HTTP state machine, and the output that is not sent yet.

use crate::http::{Connection, Ending, Moment, Status, Tick};
use crate::observe::snapshot::{LastRequest, OpenConnection, Tcp, Timeout, millis};
use crate::observe::{ConnectionId, Life};
use crate::site::Arrival;

use super::queues::EngineQueue;
use super::remembered::RememberedRequests;
use super::send_state::{Piece, SendState};
use crate::server::socket::Socket;

/// A live connection.
#[derive(Debug)]
pub struct Live<S> {
    pub(super) id: ConnectionId,
    pub(super) arrival: Arrival,
    pub(super) socket: S,
    pub(super) http: Connection,
    /// Only while a response is going out, or the live feed is viewed.
    pub(super) send_state: Option<Box<SendState>>,
    pub(super) remembered: RememberedRequests,
    /// A read may find something.
    pub(super) readable: bool,
    /// A write may find room.
    pub(super) writable: bool,
    /// EPOLLRDHUP was reported: read until the peer's FIN comes.
    pub(super) read_closed: bool,
    /// EPOLLERR was reported: read until the error comes.
    pub(super) error: bool,
    /// The engine's queue in which the connection stands.
    pub(super) queue: EngineQueue,
    /// Whether it is counted among the connections of its address.
    pub(super) counted: bool,
    /// Whether it is on one of the engine's lists of connections to drive.
    pub(super) on_ready_list: bool,
}

impl<S: Socket> Live<S> {
    pub(super) fn new(id: ConnectionId, arrival: Arrival, socket: S, now: Moment) -> Self {
        Live {
            id,
            arrival,
            socket,
            http: Connection::new(now),
            send_state: None,
            remembered: RememberedRequests::default(),
            // With short connections the request has usually come when they are accepted.
            readable: true,
            writable: true,
            read_closed: false,
            error: false,
            queue: EngineQueue::None,
            counted: false,
            on_ready_list: false,
        }
    }

    /// The whole life of the connection, which has ended.
    pub(super) fn life(&self, ending: Ending, now: Moment, with_round_trip: bool) -> Life<'_> {
        let (received, sent) = self.http.bytes();
        Life {
            id: self.id,
            peer: self.arrival.peer,
            ending,
            announced: self.http.announced(),
            first_fin: self.http.first_fin(),
            reset_by: self.http.reset_by(),
            requests: self.http.requests(),
            idle: self.http.last_idle().unwrap_or_default(),
            age: now.since(self.http.opened()),
            received,
            sent,
            round_trip: with_round_trip.then(|| self.socket.tcp_info()).flatten().map(|info| info.round_trip),
            race: self.http.race(),
            first: self.remembered.first(),
            last: self.remembered.last(),
        }
    }

    /// Bytes of input that is not used yet, and of output in memory that is not sent yet.
    pub(super) fn buffered(&self) -> usize {
        let waiting = self.send_state.iter().flat_map(|state| &state.waiting).map(|piece| match piece {
            Piece::Bytes(_, rest) => rest.len(),
            Piece::File(_) | Piece::Repeated(..) => 0,
        });
        self.http.held().len() + waiting.sum::<usize>()
    }

    /// The present state of the connection, for `/-/status`.
    pub(super) fn snapshot(&self, tick: &Tick<'_>, with_tcp: bool) -> OpenConnection {
        let (bytes_received, bytes_sent) = self.http.bytes();
        let state = self.http.state();
        let timeout = self.http.timeout(tick).zip(self.http.deadline(tick));
        let tcp = with_tcp.then(|| self.socket.tcp_info()).flatten();
        OpenConnection {
            id: self.id.0,
            peer: self.arrival.peer.to_string(),
            state: state.label(),
            age_ms: millis(tick.now.since(self.http.opened())),
            requests: self.http.requests(),
            bytes_received,
            bytes_sent,
            timeout: timeout
                .map(|((_, why), deadline)| Timeout { reason: why.label(), in_ms: millis(deadline.since(tick.now)) }),
            last: self.remembered.last().split_once(' ').map(|(method, target)| LastRequest {
                method: method.to_owned(),
                target: target.to_owned(),
                status: self.remembered.last_status.map(Status::code),
            }),
            tcp: tcp.map(|info| Tcp {
                state: info.state,
                rtt_us: u32::try_from(info.round_trip.as_micros()).unwrap_or(u32::MAX),
                unacked: info.unacked,
                retransmits: info.retransmits,
            }),
        }
    }
}
