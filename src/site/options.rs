//! What the operator decides about the site.

use super::console::ConsoleAccess;

/// How a folder is served; the defaults are those of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteOptions {
    /// The file that stands for its folder.
    pub index: String,
    /// Serve names that begin with a dot.
    pub hidden: bool,
    /// List folders that have no index.
    pub listing: bool,
    /// Serve `FILE.br`, `.zst` and `.gz` for `FILE` to those who accept it.
    pub precompressed: bool,
    /// `Cache-Control` of files.
    pub cache_control: Option<String>,
    /// The page for 404, a path beneath the root.
    pub not_found: Option<String>,
    /// That page is an application that knows all paths without an extension.
    pub spa: bool,
    /// Who may view the console.
    pub console: ConsoleAccess,
    /// Who may use the lab; if nothing is said, clients on this machine, and nobody without a console.
    pub lab: Option<ConsoleAccess>,
    /// The console has listening addresses of its own: the public ones show it to nobody. A server that has such addresses
    /// sets it.
    pub console_elsewhere: bool,
}

impl Default for SiteOptions {
    fn default() -> Self {
        SiteOptions {
            index: "index.html".to_owned(),
            hidden: false,
            listing: false,
            precompressed: false,
            cache_control: None,
            not_found: None,
            spa: false,
            console: ConsoleAccess::default(),
            lab: None,
            console_elsewhere: false,
        }
    }
}
