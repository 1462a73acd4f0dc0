"""The races: which problems there are, in which variants, on how many cores, of what size, and who enters."""
from dataclasses import dataclass, replace

# Who is no peer but a bound: what the machine allows, or what plain calls cost.
FLOORS = ("serial", "bare", "raw_epoll")

# Entries that take so much longer for an item that they get fewer of them; what is compared is the time for an item.
FEWER = {"std_thread": 50, "asyncio": 20, "uvloop": 20, "gevent": 20, "boost_fiber": 4}


@dataclass(frozen=True)
class Race:
    problem: str
    variant: str
    cores: int
    size: int
    quick_size: int
    libraries: tuple
    kind: str = "program"  # program, echo, http or idle: how it is run
    measure: str = "time"  # What decides: time for an item, cpu for an item, p50_us, p99_us, wakeups_per_second
    per_library: bool = True  # Whether FEWER applies
    connections: int = 0

    @property
    def name(self):
        return f"{self.problem} {self.variant}"

    @property
    def key(self):
        return f"{self.problem}/{self.variant}/{self.cores}"

    def size_for(self, library, quick):
        size = self.quick_size if quick else self.size
        if self.per_library and self.kind == "program":
            size = max(1000, size // FEWER.get(library, 1)) if library in FEWER else size
        return size

    def at(self, cores):
        return replace(self, cores=cores)


def _program(problem, variant, size, quick, libraries, cores=(1, 2), **more):
    return [Race(problem, variant, n, size, quick, tuple(libraries.split()), **more) for n in cores]


def _fork_join(problem, size, quick, libraries):
    return _program(problem, "fork", size, quick, libraries, per_library=False)


def _echo(variant, connections, libraries, cores=(1, 2), **more):
    return [Race("hog" if variant == "hog" else "echo", variant if variant == "hog" else f"{variant} {connections}", n, 0, 0,
                 tuple(libraries.split()), kind="echo", connections=connections, **more) for n in cores]


SERVERS = "weft raw_epoll go tokio std_thread asyncio uvloop gevent"
FAST_SERVERS = "weft raw_epoll go tokio uvloop"

ALL = [
    *_program("yield", "pair", 4_000_000, 400_000, "weft go tokio boost_fiber std_thread asyncio uvloop gevent", (1,)),
    *_program("spawn_join", "one", 2_000_000, 200_000,
              "weft go tokio boost_fiber tbb openmp std_thread asyncio uvloop gevent"),
    *_program("spawn_join", "batch", 2_000_000, 200_000,
              "weft go tokio boost_fiber tbb openmp std_thread asyncio uvloop gevent"),
    *_program("channel", "rendezvous", 3_000_000, 300_000, "weft go boost_fiber"),
    *_program("channel", "buffered", 5_000_000, 500_000, "weft go tokio boost_fiber asyncio uvloop"),
    *_program("channel", "many", 5_000_000, 500_000, "weft go boost_fiber"),
    *_program("mutex", "uncontended", 20_000_000, 2_000_000, "weft go tokio boost_fiber std_thread", (1,)),
    *_program("mutex", "contended", 2_000_000, 200_000, "weft go tokio boost_fiber std_thread"),
    *_program("skynet", "joins", 1_000_000, 100_000, "weft go tokio boost_fiber tbb openmp", per_library=False),
    *_program("skynet", "channels", 1_000_000, 100_000, "weft go tokio boost_fiber", per_library=False),
    *_fork_join("fib", 34, 24, "weft tbb openmp rayon go serial"),
    *_fork_join("nqueens", 12, 9, "weft tbb openmp rayon go serial"),
    *_fork_join("matmul", 1024, 512, "weft tbb openmp serial"),
    *_fork_join("uts", 8000, 1000, "weft tbb openmp rayon go serial"),
    *_program("timers", "sleepers", 1_000_000, 50_000, "weft go tokio boost_fiber asyncio uvloop", (1, 2), measure="cpu"),
    *_program("timers", "cancel", 1_000_000, 100_000, "weft go tokio asyncio uvloop", (1,)),
    *_program("parked", "parked", 1_000_000, 100_000, "weft go tokio bare", per_library=False),
    *_program("wake", "asleep", 1000, 200, "weft go tokio std_thread", (1, 2), per_library=False, measure="p50_us"),
    *_program("wake", "awake", 50_000, 5_000, "weft go tokio std_thread", (1, 2), per_library=False, measure="p50_us"),
    *_echo("pingpong", 1, SERVERS),
    *_echo("pingpong", 100, SERVERS + " weft_dedicated weft_inlined"),
    *_echo("pingpong", 1000, SERVERS),
    *_echo("pingpong", 10_000, FAST_SERVERS),
    *_echo("stream", 1, FAST_SERVERS),
    *_echo("stream", 100, FAST_SERVERS),
    *_echo("hog", 20, "weft weft_free weft_dedicated go tokio std_thread", (1, 2), measure="p99_us"),
    *_program("http", "small", 0, 0, "weft go nginx", kind="http", connections=100),
    *_program("http", "large", 0, 0, "weft go nginx", kind="http", connections=100),
    *_program("idle", "idle", 3000, 1500, "weft go tokio asyncio uvloop", kind="idle", measure="wakeups_per_second"),
]

# One core or two do not matter to those that have nothing but one thread.
_SINGLE = {"boost_fiber": ("timers",), "asyncio": (), "uvloop": (), "gevent": (), "serial": ()}


def enters(race, library):
    """Whether the entry can use as many cores as the race gives."""
    if race.cores == 1:
        return True
    if library in ("asyncio", "uvloop", "gevent", "serial", "bare"):
        return False
    return race.problem not in _SINGLE.get(library, ())


PROBLEMS = tuple(dict.fromkeys(race.problem for race in ALL))
SCALING = ("fib", "nqueens", "matmul", "uts", "skynet")


def chosen(problems, cores):
    """The races of the problems asked for, that so many cores can run."""
    return [race for race in ALL if (not problems or race.problem in problems) and race.cores <= cores]


def sweep(problems, cores):
    """The scaling races at 1..cores."""
    bases = {race.name: race for race in ALL if race.problem in (problems or SCALING) and race.kind == "program"}
    return [race.at(n) for race in bases.values() for n in range(1, cores + 1)]
