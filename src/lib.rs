//! holdline
pub mod http;
