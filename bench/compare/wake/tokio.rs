use std::time::{Duration, Instant};
use tokio::sync::mpsc;

fn main() {
    let what = race::ordered("asleep", 200);
    if what.variant != "asleep" && what.variant != "awake" {
        race::refuse("wake", &what);
    }
    let (bell, mut rings) = mpsc::channel(1);
    let (answer, mut answers) = mpsc::channel(1);
    let (count, sleeps) = (what.size, what.variant == "asleep");
    let ringer = std::thread::spawn(move || {
        for _ in 0..count {
            if sleeps {
                std::thread::sleep(Duration::from_millis(5));
            }
            bell.blocking_send(Instant::now()).unwrap();
            answers.blocking_recv().unwrap();
        }
    });
    let mut taken = race::run(what.cores, async move {
        let mut taken = Vec::new();
        while let Some(rung_at) = rings.recv().await {
            taken.push(Instant::now().duration_since(rung_at).as_secs_f64() * 1e6);
            answer.send(1).await.unwrap();
        }
        taken
    });
    ringer.join().unwrap();
    taken.sort_by(f64::total_cmp);
    let at = |part: f64| taken[(part * taken.len() as f64) as usize];
    let more = format!(",\"p50_us\":{:.1},\"p99_us\":{:.1},\"p999_us\":{:.1}", at(0.5), at(0.99), at(0.999));
    let result = race::Outcome { seconds: taken.iter().sum::<f64>() / 1e6, check: taken.len() as u64 };
    race::report("wake", "tokio", &what, count, result, count, &more);
}
