#[derive(Clone, Default)]
struct Board {
    column: [i8; 16],
    rows: usize,
}

impl Board {
    fn allows(&self, candidate: usize) -> bool {
        (0..self.rows).all(|row| {
            let distance = i64::from(self.column[row]) - candidate as i64;
            let apart = (self.rows - row) as i64;
            distance != 0 && distance != apart && distance != -apart
        })
    }

    fn with(&self, candidate: usize) -> Board {
        let mut next = self.clone();
        next.column[next.rows] = candidate as i8;
        next.rows += 1;
        next
    }
}

fn solutions(placed: &Board, n: usize) -> u64 {
    if placed.rows == n {
        return 1;
    }
    let mut found = [0u64; 16];
    rayon::scope(|rows| {
        for (column, mine) in found.iter_mut().enumerate().take(n) {
            if placed.allows(column) {
                let next = placed.with(column);
                rows.spawn(move |_| *mine = solutions(&next, n));
            }
        }
    });
    found.iter().sum()
}

fn main() {
    let what = race::ordered("fork", 10);
    let known = [1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365596];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(what.cores).build().unwrap();
    let n = what.size as usize;
    let result = pool.install(|| race::measured_call(|| solutions(&Board::default(), n)));
    race::report("nqueens", "rayon", &what, known[n], result, known[n], "");
}
