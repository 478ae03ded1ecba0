//! Tables and bars for a terminal.

use std::fmt;

/// Columns of the longest bar.
const BAR: usize = 40;

/// Rows of cells under headings.
#[derive(Debug)]
pub struct Table {
    /// The heading of each column, and whether its cells are numbers, which stand at the right.
    columns: Vec<(&'static str, bool)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows. A heading that begins with `>` is that of numbers.
    pub fn new(headings: &[&'static str]) -> Table {
        let column = |heading: &&'static str| match heading.strip_prefix('>') {
            Some(heading) => (heading, true),
            None => (*heading, false),
        };
        Table { columns: headings.iter().map(column).collect(), rows: Vec::new() }
    }

    /// Another row, with as many cells as there are headings.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            cells.chain([self.columns[at].0.chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let headings: Vec<String> = self.columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
        for row in [&headings].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for ((cell, width), (_, right)) in row.iter().zip(&widths).zip(&self.columns) {
                line += &if *right { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A bar whose length is to that of the longest as `value` is to `most`.
pub fn bar(value: f64, most: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = if most > 0.0 { (value / most * (BAR * 8) as f64).round() as usize } else { 0 };
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_at_the_left_and_numbers_at_the_right() {
        let mut table = Table::new(&["name", ">n", "more"]);
        table.row(["a".to_owned(), "100".to_owned(), "x".to_owned()]);
        table.row(["longer".to_owned(), "5".to_owned(), String::new()]);
        assert_eq!(table.to_string(), "name      n  more\na       100  x\nlonger    5\n");
    }

    #[test]
    fn bars_are_as_long_as_their_values() {
        assert_eq!(bar(1.0, 1.0).chars().count(), BAR);
        assert_eq!(bar(0.5, 1.0), "█".repeat(BAR / 2));
        assert_eq!(bar(1.0, 320.0), "▏");
        assert_eq!(bar(0.0, 0.0), "");
    }
}
