async fn take_turns(rounds: u64) -> u64 {
    let mut mine = 0;
    while mine < rounds {
        tokio::task::yield_now().await;
        mine += 1;
    }
    mine
}

fn main() {
    let what = race::ordered("pair", 1_000_000);
    let rounds = what.size / 2;
    let result = race::run(what.cores, race::measured(move || async move {
        let first = tokio::spawn(take_turns(rounds));
        let second = tokio::spawn(take_turns(rounds));
        first.await.unwrap() + second.await.unwrap()
    }));
    race::report("yield", "tokio", &what, what.size, result, what.size, "");
}
