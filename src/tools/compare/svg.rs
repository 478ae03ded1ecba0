//! A comparison as a picture: two bars for each way, its connections and its requests a second.

use std::fmt::Write as _;

use super::Comparison;

const WIDTH: f64 = 760.0;
const ROW: f64 = 54.0;
const TOP: f64 = 84.0;
/// Where the bars begin, and the longest ends.
const LEFT: f64 = 170.0;
const RIGHT: f64 = 560.0;

/// It follows the reader's choice of light or dark.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:16px;font-weight:600}\
.small{font-size:11px;fill:#57606a}.rate{fill:#0969da}.connections{fill:#cf7b00}.paper{fill:#fff}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.rate{fill:#58a6ff}\
.connections{fill:#e3a23b}.paper{fill:#0d1117}}";

impl Comparison {
    /// The picture, as a whole SVG document.
    pub fn to_svg(&self) -> String {
        let height = TOP + ROW * self.ways.len() as f64 + 16.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n\
             <rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n"
        );
        let software = self.software.as_deref().unwrap_or("a server that names itself nothing");
        text(&mut svg, 16.0, 28.0, "title", &format!("{} requests, five ways", self.requests));
        text(&mut svg, 16.0, 48.0, "small", &format!("{}, {software}", self.url));
        text(&mut svg, LEFT, 72.0, "small", "requests a second (blue), connections opened (amber)");
        let most_rate = self.ways.iter().map(|measured| measured.tally.rate()).fold(0.0, f64::max);
        for (at, measured) in self.ways.iter().enumerate() {
            let y = TOP + ROW * at as f64;
            let (rate, connections) = (measured.tally.rate(), measured.tally.responses.len());
            text(&mut svg, 16.0, y + 24.0, "", measured.way.label);
            bar(&mut svg, y + 4.0, "rate", rate / most_rate, &format!("{rate:.0}/s"));
            let share = connections as f64 / f64::from(self.requests);
            bar(&mut svg, y + 24.0, "connections", share.min(1.0), &format!("{connections}"));
        }
        svg += "</svg>\n";
        svg
    }
}

fn bar(svg: &mut String, y: f64, class: &str, share: f64, label: &str) {
    let width = ((RIGHT - LEFT) * share).max(2.0);
    // Writing to a string does not fail.
    let _ =
        writeln!(svg, "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"16\" rx=\"3\"/>");
    text(svg, LEFT + width + 8.0, y + 13.0, "", label);
}

fn text(svg: &mut String, x: f64, y: f64, class: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" class=\"{class}\">{content}</text>");
}
