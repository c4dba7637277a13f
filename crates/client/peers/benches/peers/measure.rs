//! Bursts on one thread, and on two.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;

/// For so many records of a thread each library has room.
const BURST: u64 = 1000;

pub type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// Makes so many records, on the thread that it was made on.
pub type Burst<'a> = Box<dyn FnMut(u64) + 'a>;

/// Events of a span, of which there may be so many with each library.
pub const EVENTS: u64 = 100;

/// Measures bursts, on one thread and on two; `between` takes away what was recorded.
pub fn bench<'a>(
    group: &mut Group<'_>,
    name: &str,
    make: impl Fn() -> Burst<'a> + Sync,
    between: impl Fn(),
) {
    for threads in [1, 2] {
        let name = if threads == 1 { name.to_owned() } else { format!("{name}, two threads") };
        let arrived = AtomicUsize::new(0);
        thread::scope(|scope| {
            let workers: Vec<(Sender<u64>, Receiver<Duration>)> = (0..threads)
                .map(|_| {
                    let ((sizes, work), (done, times)) = (channel(), channel());
                    let (arrived, make) = (&arrived, &make);
                    scope.spawn(move || run(&mut *make(), &work, &done, arrived, threads));
                    (sizes, times)
                })
                .collect();
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|records| {
                    let (mut rest, mut spent) = (records, Duration::ZERO);
                    while rest > 0 {
                        let now = rest.min(BURST);
                        for (sizes, _) in &workers {
                            sizes.send(now).expect("it works until the end");
                        }
                        let times = workers.iter().map(|(_, times)| times.recv().expect("it works until the end"));
                        spent += times.max().expect("there is one");
                        rest -= now;
                        between();
                    }
                    spent
                });
            });
        });
    }
}

/// Runs bursts, each when all threads are ready for it.
fn run(
    burst: &mut dyn FnMut(u64),
    work: &Receiver<u64>,
    done: &Sender<Duration>,
    arrived: &AtomicUsize,
    threads: usize,
) {
    for (round, size) in work.iter().enumerate() {
        arrived.fetch_add(1, Ordering::AcqRel);
        while arrived.load(Ordering::Acquire) < (round + 1) * threads {
            spin_loop();
        }
        let begun = Instant::now();
        burst(size);
        if done.send(begun.elapsed()).is_err() {
            return;
        }
    }
}
