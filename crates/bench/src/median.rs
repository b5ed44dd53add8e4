//! The median of measured values, and its interval.
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

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn a_median_stands_between_its_ranks() {
        let values: Vec<f64> = (1..=15).map(f64::from).rev().collect();
        assert_eq!(median(&values), (8.0, 4.0, 12.0));
        assert_eq!(median(&[4.0, 1.0]), (2.5, 1.0, 4.0));
        assert_eq!(median(&[7.0]), (7.0, 7.0, 7.0));
        assert_eq!(median(&[]), (0.0, 0.0, 0.0));
    }
}
