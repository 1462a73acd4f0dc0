#!/usr/bin/env python3
"""An idle runtime makes no system call: strace watches all its threads for two seconds."""
import re
import shutil
import subprocess
import sys
import time

SETTLE_SECONDS = 1.0  # Attaching interrupts every call under way, and so wakes each thread once.
WATCH_SECONDS = 2.0


def main() -> int:
    if shutil.which("strace") is None:
        print("strace is missing: skipped")
        return 77
    program = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline() == "waiting\n"
    attached_at = time.time()
    watch = subprocess.run(
        ["timeout", "-s", "INT", str(SETTLE_SECONDS + WATCH_SECONDS),
         "strace", "-f", "-qq", "-ttt", "-p", str(program.pid)],
        stderr=subprocess.PIPE, text=True, check=False)
    program.stdin.close()
    if program.wait(timeout=20) != 0:
        print("the program ended with", program.returncode)
        return 1
    if "Operation not permitted" in watch.stderr:
        print("strace may not attach here: skipped")
        return 77
    lines = [(float(stamp), call) for stamp, call in re.findall(r"(\d{9,}\.\d+) (.*)", watch.stderr)]
    late = [call for stamp, call in lines if stamp > attached_at + SETTLE_SECONDS and "detached" not in call]
    print(f"{len(lines)} lines after attaching, {len(late)} system calls in the {WATCH_SECONDS} s after that")
    if late or not lines:
        print("\n".join(late[:50]))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
