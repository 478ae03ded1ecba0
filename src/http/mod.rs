//! The protocol, sans-IO: bytes and ticks in, steps out. No socket, no file, no clock.
//!
//! Everything is decided in three small pure places: [`head::parse`] (is it a request?),
//! [`persistence::decide`] (keep or close, and why?) and [`State::timeout`] (how long in this
//! state, and why then?). [`Connection`] walks between them.

mod body;
mod close_reason;
mod connection;
mod date;
pub mod head;
mod limits;
pub mod persistence;
mod response;
mod tick;

pub use body::ContentReader;
pub use close_reason::{CloseReason, Closer, How};
pub use connection::{Connection, Ending, Failure, FirstFin, Request, Responded, State, Step};
pub use date::{Date, parse_http_date};
pub use head::{BadRequest, Expectation, Field, Framing, Method, RequestHead, Target, Version};
pub use limits::{Limits, MAX_BATCH, MAX_CHUNK_EXTRAS, MAX_FIELDS, MIN_BODY_RATE};
pub use persistence::{ConnectionOptions, Facts, KeepReason, Persistence};
pub use response::{FieldBlock, Length, ResponseHead, Status};
pub use tick::{Moment, Tick};
