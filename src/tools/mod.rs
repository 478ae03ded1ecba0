//! The tools beside the server, clients that measure: what persistent connections save with any server
//! (`holdline compare`), how any client behaves when a server breaks one (`holdline probe-client`), and how any server
//! treats its connections (`holdline probe-server`).

pub mod compare;
mod connection;
mod interrupt;
pub mod peers;
pub mod probe;
pub mod probe_server;
mod progress;
mod response;
mod table;
mod url;

pub use url::HttpUrl;
