//! Content codings (RFC 9110 §8.4.1, §12.5.3): which of the files that lie beside each other is sent.

use std::path::Path;

use super::quality::{self, Quality, weighted};
use crate::http::{Field, RequestHead};

/// How a stored representation is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `FILE.br`
    Brotli,
    /// `FILE.zst`
    Zstandard,
    /// `FILE.gz`
    Gzip,
    /// `FILE` itself.
    Identity,
}

impl Coding {
    /// The codings of siblings; of those that a client wants equally, the first is sent.
    pub const SIBLINGS: [Coding; 3] = [Coding::Brotli, Coding::Zstandard, Coding::Gzip];

    /// How a file is coded by itself. `.svgz` is SVG in gzip, and a browser shows it only if it is told so.
    pub fn of(path: &Path) -> Coding {
        let is_svgz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svgz"));
        if is_svgz { Coding::Gzip } else { Coding::Identity }
    }

    /// The token in `Content-Encoding`.
    pub const fn token(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstandard => "zstd",
            Coding::Gzip => "gzip",
            Coding::Identity => "identity",
        }
    }

    /// What the sibling's name adds to the file's.
    pub const fn suffix(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Zstandard => ".zst",
            Coding::Gzip => ".gz",
            Coding::Identity => "",
        }
    }

    fn is_named_by(self, name: &[u8]) -> bool {
        // RFC 9110 §8.4.1.3: "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"."
        name.eq_ignore_ascii_case(self.token().as_bytes())
            || self == Coding::Gzip && name.eq_ignore_ascii_case(b"x-gzip")
    }
}

/// What the client wants most among the siblings and the file itself (RFC 9110 §12.5.3); `None` if it accepts
/// none of them. Where there are no siblings nothing is negotiated: the file is all there is.
pub fn choose<T>(head: &RequestHead<'_>, siblings: Vec<(Coding, T)>, file: (Coding, T)) -> Option<(Coding, T)> {
    let mut best = (preference(head, file.0), file);
    if siblings.is_empty() {
        return Some(best.1);
    }
    for sibling in siblings.into_iter().rev() {
        let wanted = preference(head, sibling.0);
        if wanted.0 > 0 && wanted >= best.0 {
            best = (wanted, sibling);
        }
    }
    (best.0.0 > 0).then_some(best.1)
}

/// How much the client wants a coding, 0 is not at all; and whether it names it. Of two codings that are wanted equally, it
/// prefers the one that it names.
fn preference(head: &RequestHead<'_>, coding: Coding) -> (Quality, bool) {
    let weight_of = |fits: &dyn Fn(&[u8]) -> bool| {
        weighted(head.lines(Field::AcceptEncoding)).find(|(name, _)| fits(name)).map(|(_, weight)| weight)
    };
    let named = weight_of(&|name| coding.is_named_by(name)).map(|weight| (weight, true));
    named.or_else(|| weight_of(&|name| name == b"*").map(|weight| (weight, false))).unwrap_or(match coding {
        // Acceptable unless excluded, but whoever names another coding would rather have that.
        Coding::Identity => (quality::LEAST, false),
        _ => (0, false),
    })
}
