//! The colours of the live page, for a terminal. They are those that each terminal's own theme defines, so that they
//! can be read on a light ground as on a dark one.

use anstyle::{AnsiColor, Style};

/// A style for each thing that has a colour. `{style}text{style:#}` writes text in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// What matters less.
    pub dim: Style,
    /// The first request on a connection, which had to be opened for it.
    pub first: Style,
    /// A later one.
    pub reused: Style,
    /// A request that was lost to our FIN.
    pub race: Style,
    /// What the client did.
    pub client: Style,
    /// What the server did.
    pub server: Style,
    /// What the network did.
    pub network: Style,
    /// An address to open in a browser.
    pub url: Style,
}

impl Palette {
    /// For a terminal that has colours.
    pub const COLOURS: Palette = Palette {
        dim: Style::new().dimmed(),
        first: AnsiColor::Yellow.on_default(),
        reused: AnsiColor::Blue.on_default(),
        race: AnsiColor::Red.on_default().bold(),
        client: AnsiColor::Magenta.on_default(),
        server: AnsiColor::Green.on_default(),
        network: AnsiColor::White.on_default(),
        url: AnsiColor::Cyan.on_default(),
    };

    /// For one that has none.
    pub const PLAIN: Palette = Palette {
        dim: Style::new(),
        first: Style::new(),
        reused: Style::new(),
        race: Style::new(),
        client: Style::new(),
        server: Style::new(),
        network: Style::new(),
        url: Style::new(),
    };
}
