fn child(node: u64, i: u64) -> u64 {
    let mut z = node.wrapping_add((i + 1).wrapping_mul(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
    z ^ (z >> 31)
}

fn is_inner(node: u64) -> bool {
    ((node >> 11) as f64) / ((1u64 << 53) as f64) < 0.124
}

fn count_all(node: u64, found: &mut [u64]) -> u64 {
    rayon::scope(|children| {
        for (i, mine) in found.iter_mut().enumerate() {
            children.spawn(move |_| *mine = count(child(node, i as u64)));
        }
    });
    1 + found.iter().sum::<u64>()
}

fn count(node: u64) -> u64 {
    if is_inner(node) { count_all(node, &mut [0u64; 8]) } else { 1 }
}

fn serial(node: u64) -> u64 {
    if !is_inner(node) { 1 } else { 1 + (0..8).map(|i| serial(child(node, i))).sum::<u64>() }
}

fn main() {
    let what = race::ordered("fork", 2000);
    let nodes = 1 + (0..what.size).map(|i| serial(child(1, i))).sum::<u64>();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(what.cores).build().unwrap();
    let result = pool.install(|| race::measured_call(|| count_all(1, &mut vec![0u64; what.size as usize])));
    race::report("uts", "rayon", &what, nodes, result, nodes, "");
}
