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
        }
    }
}
