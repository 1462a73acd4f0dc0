async fn in_batches(count: u64, batch: u64) -> u64 {
    let mut sum = 0;
    let mut tasks = Vec::with_capacity(batch as usize);
    for first in (0..count).step_by(batch as usize) {
        for i in first..first + batch {
            tasks.push(tokio::spawn(async move { i & 1 }));
        }
        for each in tasks.drain(..) {
            sum += each.await.unwrap();
        }
    }
    sum
}

fn main() {
    let what = race::ordered("one", 1_000_000);
    let batch = match what.variant.as_str() {
        "one" => 1,
        "batch" => 1000,
        _ => race::refuse("spawn_join", &what),
    };
    let count = what.size;
    let result = race::run(what.cores, race::measured(move || in_batches(count, batch)));
    race::report("spawn_join", "tokio", &what, what.size, result, what.size / 2, "");
}
