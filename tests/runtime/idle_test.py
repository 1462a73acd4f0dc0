#!/usr/bin/env python3
"""An idle runtime makes no system call: strace watches all its threads for two seconds."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 30
SETTLE_SECONDS = 1.0  # Attaching interrupts every call under way, and so wakes each thread once.
WATCH_SECONDS = 2.0


def calls_in(path):
    """(thread, moment, call) for each line that strace has written."""
    with open(path) as file:
        lines = re.findall(r"^(\d+) +(\d{9,}\.\d+) (.*)", file.read(), re.M)
    return [(int(thread), float(stamp), call) for thread, stamp, call in lines]


def attached(watch, path, threads):
    """Waits until each thread was interrupted."""
    end = time.monotonic() + PATIENCE
    while len({thread for thread, _, _ in calls_in(path)}) < threads:
        if watch.poll() is not None or time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def main() -> int:
    if shutil.which("strace") is None:
        print("strace is missing: skipped")
        return 77
    program = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline() == "waiting\n"
    threads = len(os.listdir(f"/proc/{program.pid}/task"))
    with tempfile.NamedTemporaryFile() as seen:
        watch = subprocess.Popen(["strace", "-f", "-qq", "-ttt", "-o", seen.name, "-p", str(program.pid)],
                                 stderr=subprocess.PIPE, text=True)
        is_attached = attached(watch, seen.name, threads)
        if is_attached:
            time.sleep(SETTLE_SECONDS + WATCH_SECONDS)
        watch.send_signal(signal.SIGINT)
        complaint = watch.communicate(timeout=PATIENCE)[1]
        lines = calls_in(seen.name)
    program.stdin.close()
    if program.wait(timeout=PATIENCE) != 0:
        print("the program ended with", program.returncode)
        return 1
    if "Operation not permitted" in complaint:
        print("strace may not attach here: skipped")
        return 77
    if not is_attached:
        print(f"strace did not attach to {threads} threads: {lines} {complaint}")
        return 1
    first = {}
    for thread, stamp, _ in lines:
        first.setdefault(thread, stamp)
    settled = max(first.values()) + SETTLE_SECONDS
    late = [call for _, stamp, call in lines if stamp > settled and "detached" not in call]
    print(f"{len(lines)} lines after attaching, {len(late)} system calls in the {WATCH_SECONDS} s after that")
    if late:
        print("\n".join(late[:50]))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
