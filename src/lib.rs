//! A static HTTP/1.1 server on one thread that shows why each connection stayed open, and who hung up.

pub mod http;
pub mod site;
