//! What the Rust programs of the races have in common: the command line, the runtime, the measuring, and the line that
//! they print.
use std::future::Future;
use std::time::Instant;

/// What a program is asked for: PROGRAM [VARIANT [CORES [SIZE]]].
#[derive(Clone)]
pub struct Order {
    pub variant: String,
    pub cores: usize,
    pub size: u64,
}

pub struct Outcome {
    pub seconds: f64,
    pub check: u64,
}

pub fn ordered(variant: &str, size: u64) -> Order {
    let given: Vec<String> = std::env::args().collect();
    let number = |at: usize, usual: u64| given.get(at).map_or(usual, |text| text.parse().expect("a number"));
    Order {
        variant: given.get(1).cloned().unwrap_or(variant.to_string()),
        cores: number(2, 1) as usize,
        size: number(3, size),
    }
}

/// Runs `work` as a task: on the current-thread runtime for one core, as Tokio's documentation advises, else on workers.
pub fn run<F>(cores: usize, work: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if cores == 1 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(async move { tokio::spawn(work).await.unwrap() });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(cores).enable_all().build().unwrap();
    runtime.block_on(async move { tokio::spawn(work).await.unwrap() })
}

/// Does the work once to warm memory and caches up, and once for the clock.
pub async fn measured<F, W>(work: W) -> Outcome
where
    W: Fn() -> F,
    F: Future<Output = u64>,
{
    work().await;
    let begin = Instant::now();
    let check = work().await;
    Outcome { seconds: begin.elapsed().as_secs_f64(), check }
}

/// The same for work that is no future.
pub fn measured_call(work: impl Fn() -> u64) -> Outcome {
    work();
    let begin = Instant::now();
    let check = work();
    Outcome { seconds: begin.elapsed().as_secs_f64(), check }
}

/// Prints the line of one run; `more` holds further members, each beginning with a comma.
pub fn report(problem: &str, library: &str, what: &Order, items: u64, result: Outcome, expected: u64, more: &str) {
    println!(
        "{{\"problem\":\"{}\",\"variant\":\"{}\",\"library\":\"{}\",\"cores\":{},\"items\":{},\"seconds\":{:.9},\"check\":{}{}}}",
        problem, what.variant, library, what.cores, items, result.seconds, result.check, more
    );
    if result.check != expected {
        eprintln!("{} of {}: the check value is {}, expected {}", problem, library, result.check, expected);
        std::process::exit(1);
    }
}

pub fn refuse(problem: &str, what: &Order) -> ! {
    eprintln!("{}: no variant is called '{}'", problem, what.variant);
    std::process::exit(2)
}
