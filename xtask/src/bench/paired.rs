//! Runs in turn (A B C A B C …), and figures compared run by run: what the machine did meanwhile met all of them.

use super::timer::Sample;
use crate::Failure;

/// What the runs of one program gave.
#[derive(Debug)]
pub(super) struct Series {
    /// One a round, without the first.
    pub(super) samples: Vec<Sample>,
    /// Why it gave up.
    pub(super) failure: Option<Failure>,
}

/// Lets each of `count` programs run once to warm up and then `rounds` times, in turn. One that fails is left out of
/// the rounds that follow.
pub(super) fn measure(
    count: usize,
    rounds: usize,
    mut run: impl FnMut(usize) -> Result<Sample, Failure>,
) -> Vec<Series> {
    let new = || Series {
        samples: Vec::new(),
        failure: None,
    };
    let mut all: Vec<Series> = (0..count).map(|_| new()).collect();
    for round in 0..=rounds {
        for (index, series) in all.iter_mut().enumerate() {
            if series.failure.is_some() {
                continue;
            }
            match run(index) {
                Ok(sample) if round > 0 => series.samples.push(sample),
                Ok(_) => {}
                Err(failure) => series.failure = Some(failure),
            }
        }
    }
    all
}

impl Series {
    /// The median of a figure.
    pub(super) fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        let figures: Vec<f64> = self.samples.iter().map(figure).collect();
        median(&figures).unwrap_or(f64::NAN)
    }

    /// The median of the ratios of a figure to that of another series in the same round: 2 is twice as much.
    pub(super) fn ratio(&self, other: &Self, figure: impl Fn(&Sample) -> f64) -> f64 {
        let pairs = self.samples.iter().zip(&other.samples);
        let ratios: Vec<f64> = pairs.map(|(one, two)| figure(one) / figure(two)).collect();
        median(&ratios).unwrap_or(f64::NAN)
    }

    /// The peak memory of the largest run, in bytes.
    pub(super) fn memory(&self) -> u64 {
        self.samples
            .iter()
            .map(|sample| sample.memory)
            .max()
            .unwrap_or_default()
    }

    /// The share of the machine that others had: the median of the runs that were long enough to tell.
    pub(super) fn others(&self) -> Option<f64> {
        let shares: Vec<f64> = self.samples.iter().filter_map(|sample| sample.others).collect();
        median(&shares)
    }
}

/// The middle of some figures, or the mean of the two in the middle.
pub(super) fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        count if count % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::bench) fn sample(cpu: f64, wall: f64) -> Sample {
        Sample {
            wall,
            cpu,
            memory: 1 << 20,
            server: 0.0,
            others: None,
        }
    }

    #[test]
    fn takes_turns_and_leaves_the_warm_up_out() {
        let mut order = Vec::new();
        let all = measure(2, 2, |index| {
            order.push(index);
            Ok(sample(f64::from(u32::try_from(order.len()).unwrap()), 1.0))
        });
        assert_eq!(order, [0, 1, 0, 1, 0, 1]);
        let cpu = |series: &Series| series.samples.iter().map(|it| it.cpu).collect::<Vec<_>>();
        assert_eq!(cpu(&all[0]), [3.0, 5.0]);
        assert_eq!(cpu(&all[1]), [4.0, 6.0]);
    }

    #[test]
    fn one_that_fails_is_not_asked_again() {
        let mut asked = 0;
        let all = measure(2, 3, |index| {
            if index == 1 {
                asked += 1;
                return Err("no".into());
            }
            Ok(sample(1.0, 1.0))
        });
        assert_eq!(asked, 1);
        assert_eq!(all[0].samples.len(), 3);
        assert_eq!(all[1].failure.as_ref().unwrap().to_string(), "no");
    }

    #[test]
    fn ratios_are_taken_run_by_run() {
        let series = |figures: [f64; 3]| Series {
            samples: figures.iter().map(|&cpu| sample(cpu, 1.0)).collect(),
            failure: None,
        };
        // By medians it would be 10 / 10.
        let (one, two) = (series([1.0, 10.0, 30.0]), series([20.0, 5.0, 10.0]));
        assert!((one.ratio(&two, |it| it.cpu) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
