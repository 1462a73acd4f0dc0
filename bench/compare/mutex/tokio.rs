// A lock that is held across a suspension is what tokio::sync::Mutex is for.
use std::sync::Arc;
use tokio::sync::Mutex;

async fn count_together(tasks: u64, count: u64) -> u64 {
    let counter = Arc::new(Mutex::new(0u64));
    let mut crew = Vec::new();
    for _ in 0..tasks {
        let counter = counter.clone();
        crew.push(tokio::spawn(async move {
            for i in 0..count / tasks {
                let mut held = counter.lock().await;
                *held += 1;
                if tasks > 1 && i % 16 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }));
    }
    for each in crew {
        each.await.unwrap();
    }
    let counted = *counter.lock().await;
    counted
}

fn main() {
    let what = race::ordered("uncontended", 1_000_000);
    let tasks = match what.variant.as_str() {
        "uncontended" => 1,
        "contended" => 8,
        _ => race::refuse("mutex", &what),
    };
    let count = what.size;
    let result = race::run(what.cores, race::measured(move || count_together(tasks, count)));
    race::report("mutex", "tokio", &what, what.size, result, count / tasks * tasks, "");
}
