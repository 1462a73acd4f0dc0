use std::time::Duration;

async fn sleep_together(count: u64) -> u64 {
    let mut sleepers = Vec::with_capacity(count as usize);
    for i in 0..count {
        sleepers.push(tokio::spawn(tokio::time::sleep(Duration::from_millis(500 + i % 500))));
    }
    let mut awake = 0;
    for each in sleepers {
        each.await.unwrap();
        awake += 1;
    }
    awake
}

async fn be_in_time(count: u64) -> u64 {
    let mut in_time = 0;
    for _ in 0..count {
        tokio::time::timeout(Duration::from_secs(10), tokio::task::yield_now()).await.unwrap();
        in_time += 1;
    }
    in_time
}

fn main() {
    let what = race::ordered("cancel", 100_000);
    let count = what.size;
    let result = match what.variant.as_str() {
        "sleepers" => race::run(what.cores, race::measured(move || sleep_together(count))),
        "cancel" => race::run(what.cores, race::measured(move || be_in_time(count))),
        _ => race::refuse("timers", &what),
    };
    race::report("timers", "tokio", &what, count, result, count, "");
}
