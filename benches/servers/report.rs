//! What was measured, as a table and as JSON: medians, spread, ratios, and whether the targets are met.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::contender::Contender::{self, H2o, Holdline, Lighttpd, Nginx};
use super::rows::{Better, FIGURES, Figure, Target};

/// Who holdline is compared with, where nobody else is said.
const OTHERS: &[Contender] = &[Nginx, Lighttpd, H2o];

/// Every round's figures.
#[derive(Default)]
pub struct Report {
    samples: BTreeMap<(&'static str, Contender), Vec<f64>>,
    /// What could not be measured, and why.
    pub failures: BTreeMap<(&'static str, Contender), String>,
}

/// A target, and what became of it.
pub struct Verdict {
    pub met: bool,
    /// Such as `0.57 ≤ 0.60 × nginx`.
    pub text: String,
}

impl Report {
    /// Adds the figures of one round.
    pub fn add(&mut self, contender: Contender, figures: Vec<(&'static str, f64)>) {
        for (id, value) in figures {
            self.samples.entry((id, contender)).or_default().push(value);
        }
    }

    /// The median over the rounds.
    pub fn median(&self, figure: &Figure, contender: Contender) -> Option<f64> {
        let mut samples = self.samples.get(&(figure.id, contender))?.clone();
        samples.sort_by(f64::total_cmp);
        let middle = samples.len() / 2;
        Some(if samples.len() % 2 == 1 { samples[middle] } else { (samples[middle - 1] + samples[middle]) / 2.0 })
    }

    /// Half the distance between the rounds' extremes, as a part of the median.
    fn spread(&self, figure: &Figure, contender: Contender) -> Option<f64> {
        let samples = self.samples.get(&(figure.id, contender)).filter(|samples| samples.len() > 1)?;
        let (low, high) =
            (samples.iter().copied().fold(f64::MAX, f64::min), samples.iter().copied().fold(f64::MIN, f64::max));
        Some((high - low) / 2.0 / self.median(figure, contender)?)
    }

    /// The best median among some contenders.
    pub fn best(&self, figure: &Figure, of: &[Contender]) -> Option<f64> {
        let medians = of.iter().filter_map(|contender| self.median(figure, *contender));
        match figure.better {
            Better::Less => medians.reduce(f64::min),
            Better::More => medians.reduce(f64::max),
        }
    }

    /// What became of the figure's targets, as far as there is anything to compare.
    pub fn verdicts(&self, figure: &Figure) -> Vec<Verdict> {
        let Some(own) = self.median(figure, Holdline) else { return Vec::new() };
        let sign = if figure.better == Better::Less { "≤" } else { "≥" };
        let reaches = |value: f64, bound: f64| match figure.better {
            Better::Less => value <= bound,
            Better::More => value >= bound,
        };
        let judged = figure.targets.iter().filter_map(|target| match *target {
            Target::Number(bound) => Some(Verdict { met: reaches(own, bound), text: format!("{sign} {bound}") }),
            Target::Times(times, of) => {
                let ratio = own / self.best(figure, of)?;
                let names: Vec<&str> = of.iter().map(|contender| contender.name()).collect();
                let of = if of == OTHERS { "best of three".to_owned() } else { names.join(", ") };
                Some(Verdict { met: reaches(ratio, times), text: format!("{ratio:.2} {sign} {times:.2} × {of}") })
            }
        });
        judged.collect()
    }

    /// Whether holdline was measured, and reached its targets, as far as there is anything to compare.
    pub fn is_good(&self) -> bool {
        let failed = self.failures.keys().any(|(_, contender)| *contender == Holdline);
        !failed && FIGURES.iter().all(|figure| self.verdicts(figure).iter().all(|verdict| verdict.met))
    }

    /// The table, in Markdown.
    pub fn table(&self) -> String {
        let mut text = String::from("| work | |");
        let mut line = String::from("|---|---|");
        for contender in Contender::ALL {
            write!(text, " {} |", contender.name()).expect("a String takes all");
            line += "---:|";
        }
        text += &format!(" ÷ nginx | ÷ best | target |\n{line}---:|---:|---|\n");
        for figure in FIGURES.iter().filter(|figure| self.is_measured(figure)) {
            text += &format!("| {} | {} |", figure.label, figure.unit);
            for contender in Contender::ALL {
                text += &format!(" {} |", self.cell(figure, contender));
            }
            for of in [&[Nginx] as &[Contender], OTHERS] {
                let ratio = self.median(figure, Holdline).zip(self.best(figure, of)).map(|(own, other)| own / other);
                text += &ratio.map_or(" |".to_owned(), |ratio| format!(" {ratio:.2} |"));
            }
            let verdicts = self.verdicts(figure);
            let verdicts: Vec<String> = verdicts
                .iter()
                .map(|verdict| format!("{} {}", verdict.text, if verdict.met { "met" } else { "**missed**" }))
                .collect();
            text += &format!(" {} |\n", verdicts.join("; "));
        }
        text
    }

    fn is_measured(&self, figure: &Figure) -> bool {
        Contender::ALL.iter().any(|contender| {
            self.samples.contains_key(&(figure.id, *contender)) || self.failures.contains_key(&(figure.row, *contender))
        })
    }

    fn cell(&self, figure: &Figure, contender: Contender) -> String {
        let Some(median) = self.median(figure, contender) else {
            let failed = self.failures.get(&(figure.row, contender));
            return failed.map_or("–", |why| if why.ends_with("missing") { "missing" } else { "failed" }).to_owned();
        };
        let number = grouped(median, figure.digits);
        match self.spread(figure, contender) {
            Some(spread) if spread > 1.0 => format!("{number} ±>100%"),
            Some(spread) => format!("{number} ±{:.0}%", spread * 100.0),
            None => number,
        }
    }

    /// All that was measured, for programs.
    pub fn json(&self, about: &Value) -> Value {
        let figures: Vec<Value> = FIGURES
            .iter()
            .filter(|figure| self.is_measured(figure))
            .map(|figure| {
                let of = |contender: &Contender| {
                    let samples = self.samples.get(&(figure.id, *contender))?;
                    let value = json!({ "median": self.median(figure, *contender), "rounds": samples });
                    Some((contender.name().to_owned(), value))
                };
                let verdicts: Vec<Value> = self
                    .verdicts(figure)
                    .iter()
                    .map(|verdict| json!({ "target": verdict.text, "met": verdict.met }))
                    .collect();
                json!({
                    "figure": figure.id,
                    "label": figure.label,
                    "unit": figure.unit,
                    "contenders": Contender::ALL.iter().filter_map(of).collect::<serde_json::Map<_, _>>(),
                    "targets": verdicts,
                })
            })
            .collect();
        let failures: Vec<Value> = self
            .failures
            .iter()
            .map(|((row, contender), why)| json!({ "row": row, "contender": contender.name(), "why": why }))
            .collect();
        json!({ "about": about, "figures": figures, "failures": failures })
    }
}

/// A number with its thousands apart.
pub fn grouped(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut grouped = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && whole.len() > 4 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped + rest
}
