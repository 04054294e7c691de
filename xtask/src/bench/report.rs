//! What was measured, as a table and as JSON, and whether the targets hold.

use std::fmt;

use serde_json::{Value, json};

use super::corpus::Size;
use super::operation::{LIMITED, MEMORY, Operation, START, allowed};
use super::paired::Series;
use super::programs::Who;
use super::real;
use super::timer::Sample;

/// A row: one operation, on one image and one medium, by all who can.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) operation: Operation,
    pub(super) image: String,
    pub(super) size: Size,
    pub(super) medium: String,
    pub(super) limit: Option<f64>,
    /// Ours first.
    pub(super) entries: Vec<Entry>,
}

/// What one program did.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) who: Who,
    pub(super) name: String,
    pub(super) series: Series,
}

/// A target, and whether it holds.
#[derive(Debug, PartialEq)]
pub(super) struct Target {
    pub(super) holds: bool,
    pub(super) says: String,
}

fn cpu(sample: &Sample) -> f64 {
    sample.cpu
}

fn wall(sample: &Sample) -> f64 {
    sample.wall
}

impl Row {
    /// What ours is held to in this row.
    pub(super) fn targets(&self) -> Vec<Target> {
        let Some(ours) = self
            .entries
            .iter()
            .find(|entry| entry.who == Who::Stevedore && entry.counts())
        else {
            return Vec::new();
        };
        let mut targets = Vec::new();
        if let Some(limit) = self.limit.filter(|_| self.size.bytes >= LIMITED) {
            targets.push(at_most(
                "cpu is",
                ours.series.median(cpu) / limit,
                allowed(limit),
                "x of the limit",
            ));
        }
        if self.operation == Operation::Start {
            targets.push(at_most(
                "wall is",
                ours.series.median(wall) * 1e3,
                START * 1e3,
                " ms",
            ));
        }
        for (what, figure) in [("cpu", cpu as fn(&Sample) -> f64), ("wall", wall)] {
            let rivals = self
                .entries
                .iter()
                .filter(|entry| entry.counts() && !entry.who.is_ours() && !entry.who.trusts(self.operation));
            let best = rivals.min_by(|a, b| a.series.median(figure).total_cmp(&b.series.median(figure)));
            if let Some(best) = best {
                let ratio = ours.series.ratio(&best.series, figure);
                targets.push(at_most(
                    &format!("{what} is"),
                    ratio,
                    1.0,
                    &format!("x of that of {}", best.name),
                ));
            }
        }
        let mib = |bytes: u64| real(bytes) / f64::from(1 << 20);
        targets.push(at_most(
            "memory is",
            mib(ours.series.memory()),
            mib(MEMORY),
            " MiB",
        ));
        targets
    }

    /// All figures.
    pub(super) fn json(&self) -> Value {
        let ours = self.ours();
        let entries = self.entries.iter().map(|entry| {
            let all =
                |figure: fn(&Sample) -> f64| entry.series.samples.iter().map(figure).collect::<Vec<_>>();
            json!({
                "program": entry.name,
                "leaves_out": entry.who.leaves_out(self.operation),
                "failure": entry.series.failure.as_ref().map(ToString::to_string),
                "cpu": all(cpu), "wall": all(wall), "server_cpu": all(|sample| sample.server),
                "memory": entry.series.memory(),
                "others": entry.series.others(),
                "ours_to_its_cpu": ours.series.ratio(&entry.series, cpu),
                "ours_to_its_wall": ours.series.ratio(&entry.series, wall),
            })
        });
        let targets = self
            .targets()
            .into_iter()
            .map(|target| json!({"holds": target.holds, "says": target.says}));
        json!({
            "operation": self.operation.name(), "image": self.image, "medium": self.medium,
            "bytes": self.size.bytes, "blobs": self.size.blobs, "limit_cpu": self.limit,
            "entries": entries.collect::<Vec<_>>(), "targets": targets.collect::<Vec<_>>(),
        })
    }

    fn ours(&self) -> &Entry {
        &self.entries[0]
    }
}

impl Entry {
    /// Whether it went through all rounds.
    pub(super) fn counts(&self) -> bool {
        self.series.failure.is_none() && !self.series.samples.is_empty()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation.name())?;
        if self.operation.moves_image() {
            let megabytes = real(self.size.bytes) / 1e6;
            write!(
                f,
                "/{} on {}: {megabytes:.0} MB in {} blobs",
                self.image, self.medium, self.size.blobs
            )?;
        }
        if let Some(limit) = self.limit {
            write!(f, "; limit {limit:.3} s cpu")?;
        }
        writeln!(
            f,
            "\n  {:<30}{:>9}{:>9}{:>9}{:>9}{:>8}   {:<19}leaves out",
            "", "cpu s", "wall s", "server", "MiB", "others", "ours: cpu   wall"
        )?;
        for entry in &self.entries {
            if let Some(failure) = &entry.series.failure {
                writeln!(f, "  {:<30}FAILED: {failure}", entry.name)?;
                continue;
            }
            let series = &entry.series;
            let others = series
                .others()
                .map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0));
            let ratios = if entry.who == Who::Stevedore {
                String::new()
            } else {
                let ours = &self.ours().series;
                format!(
                    "{:>9.2}{:>7.2}",
                    ours.ratio(series, cpu),
                    ours.ratio(series, wall)
                )
            };
            let line = format!(
                "  {:<30}{:>9.4}{:>9.4}{:>9.2}{:>9.1}{:>8}   {:<19}{}",
                entry.name,
                series.median(cpu),
                series.median(wall),
                series.median(|sample| sample.server),
                real(series.memory()) / f64::from(1 << 20),
                others,
                ratios,
                entry.who.leaves_out(self.operation)
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        for target in self.targets() {
            writeln!(
                f,
                "  {} {}",
                if target.holds { "holds: " } else { "MISSED:" },
                target.says
            )?;
        }
        Ok(())
    }
}

/// A figure is held to what is printed of it, so that nothing misses by what nobody sees.
fn at_most(what: &str, figure: f64, bound: f64, unit: &str) -> Target {
    Target {
        holds: (figure * 100.0).round() <= (bound * 100.0).round(),
        says: format!("{what} {figure:.2}{unit}, at most {bound:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::paired::tests::sample;
    use super::*;

    fn entry(who: Who, cpu: f64, wall: f64) -> Entry {
        Entry {
            who,
            name: format!("{who:?}").to_lowercase(),
            series: Series {
                samples: vec![sample(cpu, wall)],
                failure: None,
            },
        }
    }

    fn row(operation: Operation, limit: Option<f64>, entries: Vec<Entry>) -> Row {
        Row {
            operation,
            image: "layers".to_owned(),
            size: Size {
                bytes: LIMITED,
                blobs: 1,
            },
            medium: "/tmp".to_owned(),
            limit,
            entries,
        }
    }

    fn missed(row: &Row) -> Vec<String> {
        let targets = row.targets().into_iter().filter(|target| !target.holds);
        targets.map(|target| target.says).collect()
    }

    #[test]
    fn ours_is_held_to_the_limit_and_to_the_best_in_each_figure() {
        let entries = vec![
            entry(Who::Stevedore, 1.3, 0.9),
            entry(Who::Unsynced, 0.1, 0.1),
            entry(Who::Skopeo, 1.2, 2.0),
            entry(Who::Oras, 2.0, 0.8),
        ];
        let row = row(Operation::Copy, Some(1.0), entries);
        assert_eq!(
            missed(&row),
            [
                "cpu is 1.30x of the limit, at most 1.20",
                "cpu is 1.08x of that of skopeo, at most 1.00",
                "wall is 1.12x of that of oras, at most 1.00"
            ]
        );
    }

    #[test]
    fn who_trusts_is_no_rival_and_a_short_row_is_allowed_more() {
        let entries = vec![
            entry(Who::Stevedore, 0.52, 0.52),
            entry(Who::Oras, 0.1, 0.1),
            entry(Who::Regctl, 0.53, 0.53),
        ];
        assert_eq!(
            missed(&row(Operation::Push, Some(0.4), entries)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_small_image_is_held_to_the_peers_alone() {
        let entries = vec![entry(Who::Stevedore, 0.03, 0.03), entry(Who::Oras, 0.02, 0.04)];
        let mut row = row(Operation::Copy, Some(0.01), entries);
        row.size.bytes = LIMITED - 1;
        assert_eq!(missed(&row), ["cpu is 1.50x of that of oras, at most 1.00"]);
    }

    #[test]
    fn memory_and_start_have_bounds_of_their_own() {
        let mut entries = vec![entry(Who::Stevedore, 0.004, 0.006)];
        entries[0].series.samples[0].memory = 65 << 20;
        assert_eq!(
            missed(&row(Operation::Start, None, entries)),
            [
                "wall is 6.00 ms, at most 5.00",
                "memory is 65.00 MiB, at most 64.00"
            ]
        );
    }
}
