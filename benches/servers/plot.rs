//! The report as a picture: a line for each figure, nginx at 1, and whoever is further left does better.

use std::fmt::Write as _;

use super::contender::Contender::{self, Holdline, Nginx};
use super::report::{Report, grouped};
use super::rows::{Better, FIGURES, Figure, Target};

const WIDTH: f64 = 920.0;
/// Where the axis begins and ends.
const LEFT: f64 = 270.0;
const RIGHT: f64 = 760.0;
const TOP: f64 = 84.0;
const LINE: f64 = 26.0;

/// Draws the figures that have a target, as far as nginx has them too.
pub fn svg(report: &Report, caption: &str) -> String {
    let lines: Vec<(&Figure, f64)> = FIGURES
        .iter()
        .filter(|figure| !figure.targets.is_empty() && !figure.label.starts_with('…'))
        .filter_map(|figure| Some((figure, report.median(figure, Nginx).filter(|median| *median > 0.0)?)))
        .collect();
    let ratios = |figure: &Figure, nginx: f64| {
        let ratio = move |median: f64| if figure.better == Better::Less { median / nginx } else { nginx / median };
        Contender::ALL.map(|contender| (contender, report.median(figure, contender).map(ratio)))
    };
    let all = lines.iter().flat_map(|(figure, nginx)| ratios(figure, *nginx)).filter_map(|(_, ratio)| ratio);
    let (low, high) = all.fold((0.5, 2.0), |(low, high), ratio| (f64::min(low, ratio), f64::max(high, ratio)));
    let axis = Axis { low: low.max(1.0 / 64.0).log2().floor(), high: high.min(64.0).log2().ceil() };

    let height = TOP + LINE * lines.len() as f64 + 44.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    legend(&mut out);
    let bottom = TOP + LINE * lines.len() as f64;
    for power in axis.low as i32..=axis.high as i32 {
        let at = axis.at(2f64.powi(power));
        let colour = if power == 0 { "#888" } else { "#e4e4e4" };
        let name = if power < 0 { format!("1/{}", 1 << -power) } else { format!("{}", 1 << power) };
        line(&mut out, (at, TOP - 8.0), (at, bottom), colour, 1.0);
        text(&mut out, (at, TOP - 14.0), "middle", "#666", &name);
    }
    for (number, (figure, nginx)) in lines.iter().enumerate() {
        let middle = TOP + LINE * (number as f64 + 0.5);
        text(&mut out, (LEFT - 14.0, middle + 4.5), "end", "#222", figure.label);
        line(&mut out, (LEFT, middle), (RIGHT, middle), "#f0f0f0", 1.0);
        if let Some(target) = target(figure, report, *nginx) {
            let at = axis.at(target);
            line(&mut out, (at, middle - 9.0), (at, middle + 9.0), colour(Holdline), 2.0);
        }
        for (contender, ratio) in ratios(figure, *nginx) {
            let Some(ratio) = ratio else { continue };
            let radius = if contender == Holdline { 6.5 } else { 4.5 };
            let (at, colour) = (axis.at(ratio), colour(contender));
            writeln!(out, "<circle cx=\"{at:.1}\" cy=\"{middle:.1}\" r=\"{radius}\" fill=\"{colour}\"/>")
                .expect("a String takes all");
        }
        if let Some(own) = report.median(figure, Holdline) {
            let told = format!("{} {}", grouped(own, figure.digits), figure.unit);
            text(&mut out, (RIGHT + 14.0, middle + 4.5), "start", "#222", &told);
        }
    }
    text(&mut out, (16.0, height - 14.0), "start", "#666", caption);
    out + "</svg>\n"
}

/// A logarithmic axis, from one power of two to another.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// Where a ratio lies; one beyond an end lies at that end.
    fn at(&self, ratio: f64) -> f64 {
        let part = (ratio.log2() - self.low) / (self.high - self.low);
        LEFT + part.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }
}

/// The strictest target of a figure, as a ratio to nginx that is the better the smaller it is.
fn target(figure: &Figure, report: &Report, nginx: f64) -> Option<f64> {
    let bounds = figure.targets.iter().filter_map(|target| match *target {
        Target::Number(bound) => Some(bound),
        Target::Times(times, of) => Some(times * report.best(figure, of)?),
    });
    let ratios = bounds.map(|bound| if figure.better == Better::Less { bound / nginx } else { nginx / bound });
    ratios.reduce(f64::min)
}

fn legend(out: &mut String) {
    let mut at = 16.0;
    for contender in Contender::ALL {
        writeln!(out, "<circle cx=\"{}\" cy=\"22\" r=\"5\" fill=\"{}\"/>", at + 5.0, colour(contender))
            .expect("a String takes all");
        text(out, (at + 15.0, 26.5), "start", "#222", contender.name());
        at += 44.0 + 8.0 * contender.name().len() as f64;
    }
    line(out, (at + 4.0, 13.0), (at + 4.0, 31.0), colour(Holdline), 2.0);
    text(out, (at + 12.0, 26.5), "start", "#222", "holdline's target");
    text(out, (LEFT, 54.0), "start", "#666", "← better");
    text(out, (RIGHT, 54.0), "end", "#666", "times nginx");
}

fn colour(contender: Contender) -> &'static str {
    match contender {
        Contender::Bare => "#999999",
        Contender::Nginx => "#009e73",
        Contender::Lighttpd => "#0072b2",
        Contender::H2o => "#cc79a7",
        Contender::Holdline => "#d55e00",
    }
}

fn line(out: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str, width: f64) {
    writeln!(
        out,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
    )
    .expect("a String takes all");
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, colour: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{words}</text>")
        .expect("a String takes all");
}
