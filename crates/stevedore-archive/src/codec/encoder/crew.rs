//! Threads that work on chunks side by side, and a caller who gets the results in order.

use std::any::Any;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// How many chunks a thread may have before it, or behind it and not written yet: one to work on, and one so that it
/// does not wait for the caller.
pub(in crate::codec) const IN_FLIGHT: usize = 2;

/// What is done with each chunk.
pub(super) trait Work: Send {
    /// Makes the output of a chunk, in the first bytes of `output`: how many. What else is in there does not matter.
    fn run(&mut self, input: &[u8], output: &mut Vec<u8>) -> io::Result<usize>;
}

type Recruit = Box<dyn Fn() -> io::Result<Box<dyn Work>> + Send>;

/// A chunk on its way, with buffers that are used again and again.
struct Job {
    number: u64,
    input: Vec<u8>,
    output: Vec<u8>,
    /// How much of the output counts.
    len: usize,
}

enum Outcome {
    Done(Job),
    Failed(io::Error),
    Panicked(Box<dyn Any + Send>),
}

/// Workers, begun as chunks come, that all take from one queue.
///
/// Nobody waits but who must: a worker for the next chunk, the caller for a result where as many chunks as may be are
/// on their way. Both queues have room for all of those.
pub(super) struct Crew {
    threads: usize,
    recruit: Recruit,
    /// For what the caller does without them.
    own: Option<Box<dyn Work>>,
    own_output: Vec<u8>,
    workers: Vec<JoinHandle<()>>,
    /// Where chunks are put; taken to let the workers end.
    jobs: Option<Sender<Job>>,
    queue: Arc<Mutex<Receiver<Job>>>,
    report: Sender<Outcome>,
    outcomes: Receiver<Outcome>,
    stop: Arc<AtomicBool>,
    /// The number of the next chunk that comes.
    next: u64,
    /// The number of the next chunk to be written.
    due: u64,
    /// What is done, from the one due on.
    done: VecDeque<Option<Job>>,
    /// Inputs and outputs to be used again.
    spare: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Crew {
    pub(super) fn new(
        threads: NonZero<usize>,
        recruit: impl Fn() -> io::Result<Box<dyn Work>> + Send + 'static,
    ) -> Self {
        let (jobs, queue) = mpsc::channel();
        let (report, outcomes) = mpsc::channel();
        Self {
            threads: threads.get(),
            recruit: Box::new(recruit),
            own: None,
            own_output: Vec::new(),
            workers: Vec::new(),
            jobs: Some(jobs),
            queue: Arc::new(Mutex::new(queue)),
            report,
            outcomes,
            stop: Arc::default(),
            next: 0,
            due: 0,
            done: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// Whether the caller does all the work.
    pub(super) fn is_inline(&self) -> bool {
        self.threads == 1
    }

    /// Works on a chunk here and now. Nothing may be on its way.
    pub(super) fn run(&mut self, chunk: &[u8], sink: &mut dyn Write) -> io::Result<()> {
        let own = match &mut self.own {
            Some(own) => own,
            none => none.insert((self.recruit)()?),
        };
        let len = own.run(chunk, &mut self.own_output)?;
        sink.write_all(&self.own_output[..len])
    }

    /// Takes a chunk on and leaves an empty buffer for the next one; writes what is done, and waits where too much is
    /// on its way.
    pub(super) fn submit(&mut self, chunk: &mut Vec<u8>, sink: &mut dyn Write) -> io::Result<()> {
        if self.is_inline() {
            self.run(chunk, sink)?;
            chunk.clear();
            return Ok(());
        }
        while let Ok(outcome) = self.outcomes.try_recv() {
            self.keep(outcome)?;
        }
        self.write(sink)?;
        while self.in_flight() >= self.threads * IN_FLIGHT {
            self.wait(sink)?;
        }
        // One more, where none is idle.
        if self.workers.len() < self.threads && self.workers.len() <= self.in_flight() {
            self.hire()?;
        }
        let (input, output) = self.spare.pop().unwrap_or_default();
        let job = Job {
            number: self.next,
            input: std::mem::replace(chunk, input),
            output,
            len: 0,
        };
        self.next += 1;
        let jobs = self
            .jobs
            .as_ref()
            .expect("because it is taken when this is dropped");
        jobs.send(job).expect("because this has the other end, too");
        Ok(())
    }

    /// Waits for all that is on its way, and writes it.
    pub(super) fn drain(&mut self, sink: &mut dyn Write) -> io::Result<()> {
        while self.in_flight() > 0 {
            self.wait(sink)?;
        }
        Ok(())
    }

    /// How many chunks were taken on and are not written.
    fn in_flight(&self) -> usize {
        usize::try_from(self.next - self.due).expect("because it is a small number")
    }

    /// Waits for a result. Every worker at work sends one, also when it ends.
    fn wait(&mut self, sink: &mut dyn Write) -> io::Result<()> {
        let outcome = self.outcomes.recv().expect("because this has the other end, too");
        self.keep(outcome)?;
        self.write(sink)
    }

    fn keep(&mut self, outcome: Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Done(job) => {
                let place = usize::try_from(job.number - self.due).expect("because it is a small number");
                if self.done.len() <= place {
                    self.done.resize_with(place + 1, || None);
                }
                self.done[place] = Some(job);
                Ok(())
            }
            Outcome::Failed(error) => Err(error),
            Outcome::Panicked(payload) => resume_unwind(payload),
        }
    }

    /// Writes what is done and due.
    fn write(&mut self, sink: &mut dyn Write) -> io::Result<()> {
        while let Some(Some(_)) = self.done.front() {
            let Some(Some(mut job)) = self.done.pop_front() else {
                unreachable!("it was just looked at")
            };
            sink.write_all(&job.output[..job.len])?;
            self.due += 1;
            job.input.clear();
            self.spare.push((job.input, job.output));
        }
        Ok(())
    }

    fn hire(&mut self) -> io::Result<()> {
        let work = (self.recruit)()?;
        let (queue, report, stop) = (
            Arc::clone(&self.queue),
            self.report.clone(),
            Arc::clone(&self.stop),
        );
        let name = format!("compress-{}", self.workers.len());
        let worker = thread::Builder::new().name(name);
        self.workers
            .push(worker.spawn(move || serve(work, &queue, &report, &stop))?);
        Ok(())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // It cannot have panicked: what it does for others is caught.
            drop(worker.join());
        }
    }
}

/// What a worker does until there is nothing more to do, or something goes wrong.
fn serve(mut work: Box<dyn Work>, queue: &Mutex<Receiver<Job>>, report: &Sender<Outcome>, stop: &AtomicBool) {
    loop {
        // Who waits for a chunk holds the lock meanwhile, and the others wait for the lock.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut job) = job else { return };
        if stop.load(Ordering::Relaxed) {
            return;
        }
        // After a panic neither is used again.
        let done = catch_unwind(AssertUnwindSafe(|| work.run(&job.input, &mut job.output)));
        let outcome = match done {
            Ok(Ok(len)) => {
                job.len = len;
                Outcome::Done(job)
            }
            Ok(Err(error)) => Outcome::Failed(error),
            Err(payload) => Outcome::Panicked(payload),
        };
        let goes_on = matches!(outcome, Outcome::Done(_));
        if report.send(outcome).is_err() || !goes_on {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Doubles each byte; fails or panics where it is told so, and takes its time with chunks that begin with `.`.
    struct Double;

    impl Work for Double {
        fn run(&mut self, input: &[u8], output: &mut Vec<u8>) -> io::Result<usize> {
            output.resize(output.len().max(2 * input.len() + 7), b'-');
            match input.first() {
                Some(b'!') => panic!("as told"),
                Some(b'?') => return Err(io::ErrorKind::OutOfMemory.into()),
                Some(b'.') => thread::yield_now(),
                _ => {}
            }
            for (index, byte) in input.iter().enumerate() {
                output[2 * index..2 * index + 2].fill(*byte);
            }
            Ok(2 * input.len())
        }
    }

    fn crew(threads: usize) -> Crew {
        Crew::new(NonZero::new(threads).unwrap(), || Ok(Box::new(Double)))
    }

    fn submit(crew: &mut Crew, chunks: &[&str], sink: &mut Vec<u8>) -> io::Result<()> {
        for chunk in chunks {
            crew.submit(&mut chunk.as_bytes().to_vec(), sink)?;
        }
        crew.drain(sink)
    }

    #[test]
    fn results_come_in_order() {
        let chunks: Vec<String> = (0..300).map(|n| format!("{}{n} ", [".", ""][n % 2])).collect();
        let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
        let expected: String = chunks.concat().chars().flat_map(|c| [c, c]).collect();
        for threads in 1..6 {
            let mut sink = Vec::new();
            submit(&mut crew(threads), &chunks, &mut sink).unwrap();
            assert_eq!(String::from_utf8(sink).unwrap(), expected);
        }
    }

    #[test]
    fn no_more_is_on_its_way_than_may_be_and_buffers_are_used_again() {
        let mut crew = crew(3);
        let mut sink = Vec::new();
        let mut chunk = Vec::with_capacity(10);
        for _ in 0..100 {
            chunk.extend(b"abc");
            crew.submit(&mut chunk, &mut sink).unwrap();
            assert!(chunk.is_empty());
            assert!(crew.in_flight() <= 3 * IN_FLIGHT);
            assert!(crew.workers.len() <= 3);
            assert!(crew.in_flight() + crew.spare.len() <= 3 * IN_FLIGHT);
        }
        crew.drain(&mut sink).unwrap();
        assert_eq!(sink.len(), 600);
        assert!((1..=3 * IN_FLIGHT).contains(&crew.spare.len()));
        assert!(
            crew.spare
                .iter()
                .all(|(input, output)| input.is_empty() && output.len() == 13)
        );
    }

    #[test]
    fn an_error_of_the_work_comes_out() {
        for threads in [1, 2, 5] {
            let error = submit(&mut crew(threads), &["a", "?", "b"], &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        }
    }

    #[test]
    fn a_panic_of_the_work_comes_out() {
        for threads in [1, 2, 5] {
            let caught =
                catch_unwind(|| submit(&mut crew(threads), &["a", "b", "!", "!", "!"], &mut Vec::new()));
            assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"as told"));
        }
    }

    /// Counts the chunks that it began, and ends none of the first two before its gate is opened.
    struct Gated {
        begun: Arc<AtomicUsize>,
        gate: Arc<Barrier>,
    }

    impl Work for Gated {
        fn run(&mut self, _: &[u8], _: &mut Vec<u8>) -> io::Result<usize> {
            if self.begun.fetch_add(1, Ordering::Relaxed) < 2 {
                self.gate.wait();
            }
            Ok(0)
        }
    }

    #[test]
    fn chunks_that_nobody_began_are_left_when_it_is_dropped() {
        let (begun, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(3)));
        let work = (Arc::clone(&begun), Arc::clone(&gate));
        let mut crew = Crew::new(NonZero::new(2).unwrap(), move || {
            let (begun, gate) = (Arc::clone(&work.0), Arc::clone(&work.1));
            Ok(Box::new(Gated { begun, gate }))
        });
        for _ in 0..4 {
            crew.submit(&mut b"chunk".to_vec(), &mut Vec::new()).unwrap();
        }
        let stop = Arc::clone(&crew.stop);
        while begun.load(Ordering::Relaxed) < 2 {
            thread::yield_now();
        }
        let opener = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            gate.wait();
        });
        drop(crew);
        opener.join().unwrap();
        assert_eq!(begun.load(Ordering::Relaxed), 2);
    }
}
