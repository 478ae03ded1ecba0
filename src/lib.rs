//! holdline
pub mod http;
pub mod site;
