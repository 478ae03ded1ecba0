//! The protocol, sans-IO: bytes and ticks in, steps out. No socket, no file, no clock.
//!
//! Everything is decided in three small pure places: [`head::parse`] (is it a request?),
//! [`persistence::decide`] (keep or close, and why?) and the table of timers behind [`Connection::timeout`] (how long in
//! this state, and why then?). [`Connection`] walks between them. Where a [`Plan`] of the lab breaks
//! the connection, it does so by the same steps.

mod bad_request;
mod close_reason;
mod connection;
mod content;
mod date;
pub mod fields;
pub mod head;
mod header_cache;
mod held_head;
mod host;
mod limits;
pub mod persistence;
mod plan;
mod request_target;
mod response;
mod state;
mod step;
mod tick;
mod timers;

pub use bad_request::BadRequest;
pub use close_reason::{CloseReason, Closer, How};
pub use connection::Connection;
pub use content::ContentReader;
pub use date::{Date, parse_http_date};
pub use fields::Field;
pub use head::{Expectation, Framing, Method, RequestHead, Version};
pub use header_cache::HeaderCache;
pub use host::is_host;
pub use limits::{
    BODY_TIME_FACTOR, Limits, MAX_BATCH, MAX_CHUNK_EXTRAS, MAX_FIELDS, MIN_BODY_RATE, OVER_LIMIT_HEAD_TIMEOUT,
};
pub use persistence::{ConnectionOptions, Facts, KeepOrClose, KeepReason, Persistence};
pub use plan::{Announce, Manner, Plan, PlannedClose, When};
pub use request_target::Target;
pub use response::{FieldBlock, Length, ResponseHead, Status};
pub use state::{Ending, Failure, FirstFin, State};
pub use step::{Refused, Request, Responded, Step};
pub use tick::{Moment, Tick};
