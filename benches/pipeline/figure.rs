//! A measured figure: its samples, and the goal it is held to.

use serde::{Deserialize, Serialize};

/// What was measured, once a round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) samples: Vec<f64>,
    pub(crate) goal: Option<Goal>,
}

/// A goal of the project.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, unit: &str, samples: impl Into<Vec<f64>>) -> Self {
        Self { name: name.into(), unit: unit.to_owned(), samples: samples.into(), goal: None }
    }

    /// `ns` a row as rows a CPU second, in thousands.
    pub(crate) fn rate(name: impl Into<String>, ns: &[f64]) -> Self {
        Self::new(name, "1000/CPU-s", ns.iter().map(|ns| 1e6 / ns).collect::<Vec<_>>())
    }

    /// How many times `above` is what `below` is, round by round.
    pub(crate) fn ratio(name: impl Into<String>, above: &[f64], below: &[f64]) -> Self {
        Self::new(name, "×", above.iter().zip(below).map(|(a, b)| a / b).collect::<Vec<_>>())
    }

    pub(crate) fn goal(self, goal: Goal) -> Self {
        Self { goal: Some(goal), ..self }
    }

    /// The middle one; of an even number the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
        }
    }

    /// Whether the median meets the goal.
    pub(crate) fn is_held(&self) -> Option<bool> {
        self.goal.map(|goal| match goal {
            Goal::AtLeast(least) => self.median() >= least,
            Goal::AtMost(most) => self.median() <= most,
        })
    }

    /// The cells of its line: name, median, range, unit, goal, verdict.
    fn cells(&self) -> [String; 6] {
        let (least, most) = self.samples.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
        let range = if self.samples.len() > 1 { format!("{}–{}", digits(least), digits(most)) } else { String::new() };
        let goal = match self.goal {
            None => String::new(),
            Some(Goal::AtLeast(least)) => format!("≥ {least}"),
            Some(Goal::AtMost(most)) => format!("≤ {most}"),
        };
        let verdict = self.is_held().map_or("", |held| if held { "held" } else { "**missed**" });
        [self.name.clone(), digits(self.median()), range, self.unit.clone(), goal, verdict.to_owned()]
    }
}

/// Three significant digits, and all before the point.
fn digits(x: f64) -> String {
    match x.abs() {
        a if a >= 100.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        _ => format!("{x:.2}"),
    }
}

/// The figures as a table.
pub(crate) fn table(title: &str, figures: &[Figure]) -> String {
    let head = [title, "median", "range", "unit", "goal", ""].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(figures.iter().map(Figure::cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .enumerate()
            .map(|(column, (cell, width))| if matches!(column, 1 | 2 | 4) { format!("{cell:>width$}") } else { format!("{cell:<width$}") })
            .collect();
        text += &format!("| {} |\n", cells.join(" | "));
        if place == 0 {
            text += "|---|--:|--:|---|--:|---|\n";
        }
    }
    text
}
