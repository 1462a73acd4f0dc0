// Tokio has no channel without a buffer and none with several receivers: only "buffered" is the same work.
use tokio::sync::mpsc;

async fn pass(count: u64) -> u64 {
    let (sender, mut receiver) = mpsc::channel(100);
    let sum = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(number) = receiver.recv().await {
            sum += number;
        }
        sum
    });
    tokio::spawn(async move {
        for number in 0..count {
            sender.send(number).await.unwrap();
        }
    });
    sum.await.unwrap()
}

fn main() {
    let what = race::ordered("buffered", 1_000_000);
    if what.variant != "buffered" {
        race::refuse("channel", &what);
    }
    let count = what.size;
    let result = race::run(what.cores, race::measured(move || pass(count)));
    race::report("channel", "tokio", &what, count, result, count * (count - 1) / 2, "");
}
