//! Programs timed from outside: wall and CPU seconds, peak memory, and what the rest of the machine did meanwhile.
//!
//! The resources of waited-for children are one sum in a process, and the peak memory is that of the largest of them
//! ever. So each measurement runs in a process of its own: this program again, as `xtask timer REPEATS PROGRAM …`.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};
use serde_json::{Value, json};

use super::real;
use crate::Failure;

/// Ticks a second in `/proc`: the kernel scales to this for every program that reads there.
const TICKS: f64 = 100.0;
/// Seconds of wall below which the share of others would be made of a few ticks.
const LONG_ENOUGH: f64 = 0.2;

/// A program and how it is called.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) variables: Vec<(&'static str, OsString)>,
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// Seconds from the start to the end of the process.
    pub(super) wall: f64,
    /// Seconds of all cores, in user and in system mode, of the process and of the children that it waited for.
    pub(super) cpu: f64,
    /// Bytes: the peak of the largest process.
    pub(super) memory: u64,
    /// CPU seconds of the server meanwhile, in ticks of 10 ms.
    pub(super) server: f64,
    /// Share of the machine, of 1, that all others had.
    pub(super) others: Option<f64>,
}

/// `xtask timer REPEATS PROGRAM …`: runs a program a few times in a row and prints the mean of what that took as JSON.
pub(crate) fn main(repeats: &str, program: &str, arguments: &[&str]) -> Result<bool, Failure> {
    let repeats: u32 = repeats.parse()?;
    let began = Instant::now();
    for _ in 0..repeats {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        if !command.status()?.success() {
            return Ok(false);
        }
    }
    let wall = began.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
    let times = f64::from(repeats);
    println!(
        "{}",
        json!({"wall": wall / times, "cpu": cpu / times, "memory": usage.max_rss() * 1024})
    );
    Ok(true)
}

impl Call {
    /// Runs it once, untimed.
    pub(super) fn run(&self) -> Result<String, Failure> {
        self.output(Command::new(&self.program).args(&self.arguments))
    }

    /// Runs it `repeats` times; the sample is of one of them. The server is counted by its process ID.
    pub(super) fn time(&self, repeats: u32, server: Option<u32>) -> Result<Sample, Failure> {
        let server_before = server.map_or(Ok(0.0), cpu_of)?;
        let (busy_before, began) = (busy()?, Instant::now());
        // Not by its path: it may be built again meanwhile.
        let mut timer = Command::new("/proc/self/exe");
        timer.args(["timer", &repeats.to_string()]).arg(&self.program);
        let printed = self.output(timer.args(&self.arguments))?;
        let (busy, took) = (busy()? - busy_before, began.elapsed().as_secs_f64());
        let server = server.map_or(Ok(0.0), cpu_of)? - server_before;
        let measured: Value = serde_json::from_str(&printed)?;
        let field = |name: &str| measured[name].as_f64().ok_or("the timer left out a figure");
        let cpu = field("cpu")?;
        let cores = real(std::thread::available_parallelism()?.get() as u64);
        let times = f64::from(repeats);
        let others = (busy - cpu * times - server) / (took * cores);
        Ok(Sample {
            wall: field("wall")?,
            cpu,
            memory: measured["memory"].as_u64().ok_or("the timer left out a figure")?,
            server: server / times,
            others: (took > LONG_ENOUGH).then_some(others.max(0.0)),
        })
    }

    fn output(&self, command: &mut Command) -> Result<String, Failure> {
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = command.stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "`{} {}` ended with {}: {}",
            self.program.display(),
            self.arguments.join(" "),
            output.status,
            said.trim()
        )
        .into())
    }
}

fn seconds(time: TimeVal) -> f64 {
    real(time.num_microseconds().unsigned_abs()) / 1e6
}

/// CPU seconds that all cores spent since the machine started.
fn busy() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let ticks = line
        .split_whitespace()
        .skip(1)
        .map(str::parse)
        .collect::<Result<Vec<u64>, _>>()?;
    // user, nice, system; then idle and waiting; then interrupts, hard and soft.
    let working = [0, 1, 2, 5, 6].iter().filter_map(|&index| ticks.get(index));
    Ok(real(working.sum()) / TICKS)
}

/// CPU seconds that a process has spent.
fn cpu_of(process: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    cpu_in(&stat).ok_or_else(|| format!("/proc/{process}/stat reads {stat:?}").into())
}

fn cpu_in(stat: &str) -> Option<f64> {
    // The name in parentheses may hold spaces and parentheses; the state is the first field after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse);
    let (user, system): (u64, u64) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some(real(user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cpu_of_a_process_whatever_its_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 9 9 20 0 1 0 5";
        assert_eq!(cpu_in(stat), Some(3.0));
        assert_eq!(cpu_in("7 (a) S 1"), None);
    }
}
