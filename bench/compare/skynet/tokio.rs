use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc;

fn by_joins(number: u64, size: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if size == 1 {
            return number;
        }
        let mut children = Vec::with_capacity(10);
        for i in 0..10 {
            children.push(tokio::spawn(by_joins(number + i * (size / 10), size / 10)));
        }
        let mut sum = 0;
        for each in children {
            sum += each.await.unwrap();
        }
        sum
    })
}

fn through_channels(up: mpsc::Sender<u64>, number: u64, size: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if size == 1 {
            up.send(number).await.unwrap();
            return;
        }
        let (sender, mut sums) = mpsc::channel(1);
        for i in 0..10 {
            tokio::spawn(through_channels(sender.clone(), number + i * (size / 10), size / 10));
        }
        let mut sum = 0;
        for _ in 0..10 {
            sum += sums.recv().await.unwrap();
        }
        up.send(sum).await.unwrap();
    })
}

async fn root_of_channels(leaves: u64) -> u64 {
    let (sender, mut result) = mpsc::channel(1);
    tokio::spawn(through_channels(sender, 0, leaves));
    result.recv().await.unwrap()
}

fn main() {
    let what = race::ordered("joins", 1_000_000);
    let leaves = what.size;
    let result = match what.variant.as_str() {
        "joins" => race::run(what.cores, race::measured(move || by_joins(0, leaves))),
        "channels" => race::run(what.cores, race::measured(move || root_of_channels(leaves))),
        _ => race::refuse("skynet", &what),
    };
    race::report("skynet", "tokio", &what, leaves, result, leaves * (leaves - 1) / 2, "");
}
