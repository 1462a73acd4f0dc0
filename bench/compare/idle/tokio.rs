use std::time::Duration;
use tokio::sync::watch;

fn main() {
    let what = race::ordered("idle", 1500);
    let milliseconds = what.size;
    let ended = race::run(what.cores, async move {
        let (open, closed) = watch::channel(false);
        let crew: Vec<_> = (0..100)
            .map(|_| {
                let mut gate = closed.clone();
                tokio::spawn(async move { gate.wait_for(|is_open| *is_open).await.is_ok() })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        open.send(true).unwrap();
        let mut ended = 0;
        for each in crew {
            ended += u64::from(each.await.unwrap());
        }
        ended
    });
    let result = race::Outcome { seconds: milliseconds as f64 / 1000.0, check: ended };
    race::report("idle", "tokio", &what, 1, result, 100, "");
}
