//! The tools beside the server, clients that measure: what persistent connections save with any server
//! (`holdline compare`), and how any client behaves when a server breaks one (`holdline probe-client`).

pub mod compare;
mod connection;
mod interrupt;
pub mod peers;
pub mod probe;
mod progress;
mod response;
mod table;
mod url;

pub use url::HttpUrl;
