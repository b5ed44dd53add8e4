//! The median of measured values with its interval, and what most of them do not exceed.
//!
//! It must never assume a distribution of the values.

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

/// The least of the values that so many of a hundred do not exceed.
pub fn percentile(values: &[f64], of_hundred: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * of_hundred).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::{median, percentile};

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=50).map(f64::from).rev().collect();
        assert_eq!(percentile(&values, 95), 48.0);
        assert_eq!(percentile(&values, 100), 50.0);
        assert_eq!(percentile(&[7.0], 95), 7.0);
        assert_eq!(percentile(&[], 95), 0.0);
    }

    #[test]
    fn a_median_stands_between_its_ranks() {
        let values: Vec<f64> = (1..=15).map(f64::from).rev().collect();
        assert_eq!(median(&values), (8.0, 4.0, 12.0));
        assert_eq!(median(&[4.0, 1.0]), (2.5, 1.0, 4.0));
        assert_eq!(median(&[7.0]), (7.0, 7.0, 7.0));
        assert_eq!(median(&[]), (0.0, 0.0, 0.0));
    }
}
