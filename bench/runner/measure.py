"""Running one program: pinned, with its processor time and its wake-ups counted by the kernel."""
import json
import os
import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

CPUS = sorted(os.sched_getaffinity(0))


class Failed(Exception):
    """A program that did not end well; the text says how."""


@dataclass
class Run:
    """What one run of one entry gave; `cost` is what decides, less is better."""
    cost: float
    cpu_seconds: float
    wakeups: int
    more: dict = field(default_factory=dict)


def prepare(cpus):
    """What the child does before it becomes the program: it pins itself and may open many descriptors."""
    def in_child():
        os.sched_setaffinity(0, cpus)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return in_child


def reap(child):
    """Exit code and resource usage of a child that ends."""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage


def start(command, cpus, **more):
    environment = {**os.environ, "OMP_WAIT_POLICY": "active", "OMP_PROC_BIND": "true",
                   "PYTHONPATH": "bench/compare/support"}
    return subprocess.Popen([str(part) for part in command], preexec_fn=prepare(cpus), env=environment, text=True, **more)


def run(command, cpus, patience=300):
    """Runs a program to its end; returns the object that it printed, its processor time and its voluntary switches."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = start(command, cpus, stdout=out, stderr=err)
        end = time.monotonic() + patience
        while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() > end:
                child.kill()
            time.sleep(0.002)
        code, usage = reap(child)
        out.seek(0)
        err.seek(0)
        if code != 0:
            reason = "took too long" if time.monotonic() > end else f"status {code}"
            raise Failed(f"{reason}: {err.read().strip()[-300:]}")
        return json.loads(out.read()), usage.ru_utime + usage.ru_stime, usage.ru_nvcsw


def wakeups_of(pid):
    """Voluntary switches of all threads of a process so far."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii", errors="replace") as status:
                total += sum(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))
        except FileNotFoundError:
            pass
    return total


def run_program(race, command):
    told, cpu, wakeups = run(command, CPUS[:race.cores])
    if race.measure == "time":
        cost = told["seconds"] / told["items"] * 1e9
    elif race.measure == "cpu":
        cost = cpu / 2 / told["items"] * 1e9  # The program does its work twice.
    else:
        cost = told[race.measure]
    more = {name: told[name] for name in ("kib_each", "p50_us", "p99_us", "p999_us") if name in told}
    return Run(cost, cpu, wakeups, more)


def run_idle(race, command, milliseconds):
    """Counts from outside how often the threads of an idle process wake up, once it has settled."""
    child = start(command, CPUS[:race.cores], stdout=subprocess.PIPE)
    time.sleep(milliseconds / 3000)
    before = wakeups_of(child.pid)
    begin = time.monotonic()
    time.sleep(milliseconds / 2000)
    woken = wakeups_of(child.pid) - before
    seconds = time.monotonic() - begin
    child.stdout.read()
    code, usage = reap(child)
    if code != 0:
        raise Failed(f"status {code}")
    return Run(woken / seconds, usage.ru_utime + usage.ru_stime, usage.ru_nvcsw)
