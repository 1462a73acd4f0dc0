use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{watch, Notify};

/// What is resident, page tables included.
fn memory_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb = |line: &str| line.split_whitespace().nth(1).and_then(|number| number.parse::<i64>().ok()).unwrap_or(0);
    status.lines().filter(|line| line.starts_with("VmRSS:") || line.starts_with("VmPTE:")).map(kb).sum()
}

async fn park(count: u64) -> (race::Outcome, i64) {
    let parked = Arc::new(AtomicU64::new(0));
    let all_there = Arc::new(Notify::new());
    let (open, closed) = watch::channel(false);
    let mut tasks = Vec::with_capacity(count as usize);
    let before = memory_kb();
    let begin = Instant::now();
    for _ in 0..count {
        let (parked, all_there, mut gate) = (parked.clone(), all_there.clone(), closed.clone());
        tasks.push(tokio::spawn(async move {
            if parked.fetch_add(1, Ordering::AcqRel) + 1 == count {
                all_there.notify_one();
            }
            gate.wait_for(|is_open| *is_open).await.unwrap();
        }));
    }
    all_there.notified().await;
    let result = race::Outcome { seconds: begin.elapsed().as_secs_f64(), check: parked.load(Ordering::Acquire) };
    let kb = memory_kb() - before;
    open.send(true).unwrap();
    for each in tasks {
        each.await.unwrap();
    }
    (result, kb)
}

fn main() {
    let what = race::ordered("parked", 100_000);
    let count = what.size;
    let (result, kb) = race::run(what.cores, async move {
        let (_, kb) = park(count).await;
        (park(count).await.0, kb)
    });
    let more = format!(",\"kib_each\":{:.3}", kb as f64 / count as f64);
    race::report("parked", "tokio", &what, count, result, count, &more);
}
