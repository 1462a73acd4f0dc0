fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = rayon::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

fn plain(n: u64) -> u64 {
    if n < 2 { n } else { plain(n - 1) + plain(n - 2) }
}

fn main() {
    let what = race::ordered("fork", 27);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(what.cores).build().unwrap();
    let result = pool.install(|| race::measured_call(|| fib(what.size)));
    race::report("fib", "rayon", &what, 2 * plain(what.size + 1) - 1, result, plain(what.size), "");
}
