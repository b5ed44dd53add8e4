//! Numbers: medians with their intervals, and how they are written.
//!
//! It must never round a figure so that a missed goal looks met.

/// The median of measured values, and its 95 percent interval by rank, from the binomial
/// distribution: no distribution of the values is assumed.
pub fn median(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let Some(last) = count.checked_sub(1) else { return (0.0, 0.0, 0.0) };
    let reach = (0.98 * (count as f64).sqrt()).ceil() as usize;
    let middle = (sorted[last / 2] + sorted[count / 2]) / 2.0;
    (middle, sorted[(last / 2).saturating_sub(reach)], sorted[(count / 2 + reach).min(last)])
}

/// A number with `digits` digits after the point, and commas between thousands.
pub fn number(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{rest}") }
}

/// A goal: the most, or the least, that a figure may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    /// Whether so many digits say the goal exactly.
    pub fn is_exact_with(self, digits: usize) -> bool {
        let (Goal::AtMost(goal) | Goal::AtLeast(goal)) = self;
        let scaled = goal * 10f64.powi(digits as i32);
        (scaled - scaled.round()).abs() < 1e-9
    }

    /// By which share of the goal a figure misses it; `None` if it is met.
    pub fn missed_by(self, figure: f64) -> Option<f64> {
        let share = match self {
            Goal::AtMost(goal) => figure / goal - 1.0,
            Goal::AtLeast(goal) => 1.0 - figure / goal,
        };
        (share > 0.0).then_some(share)
    }

    pub fn text(self, digits: usize) -> String {
        match self {
            Goal::AtMost(goal) => format!("at most {}", number(goal, digits)),
            Goal::AtLeast(goal) => format!("at least {}", number(goal, digits)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_stands_between_its_ranks() {
        let values: Vec<f64> = (1..=15).map(f64::from).rev().collect();
        assert_eq!(median(&values), (8.0, 4.0, 12.0));
        assert_eq!(median(&[4.0, 1.0]), (2.5, 1.0, 4.0));
        assert_eq!(median(&[]), (0.0, 0.0, 0.0));
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(number(1_234_567.0, 0), "1,234,567");
        assert_eq!(number(999.96, 1), "1,000.0");
        assert_eq!(number(0.9496, 3), "0.950");
        assert_eq!(number(-1_500.0, 0), "-1,500");
    }

    #[test]
    fn a_goal_is_met_at_its_very_edge_and_not_beyond() {
        assert_eq!(Goal::AtMost(250.0).missed_by(250.0), None);
        assert_eq!(Goal::AtLeast(0.95).missed_by(0.95), None);
        assert!((Goal::AtMost(200.0).missed_by(220.0).unwrap() - 0.1).abs() < 1e-9);
        assert!((Goal::AtLeast(100.0).missed_by(80.0).unwrap() - 0.2).abs() < 1e-9);
    }
}
