#!/usr/bin/env python3
"""Runs a test program on a machine at its worst: the process is stopped now and then for up to 50 ms, and single threads
get next to no processor time for a while, beside one busy process for each CPU. Linux.

usage: shake.py PROGRAM [ARGUMENT...]       ./dev test --wrap tests/support/shake.py --suite api
WEFT_SEED=N draws the same pauses again, though the schedule will be another one."""

import os
import random
import signal
import subprocess
import sys
import time


def be_busy(cpu, parent):
    os.sched_setaffinity(0, {cpu})
    while os.getppid() == parent:
        for _ in range(100_000):
            pass
    os._exit(0)


def start_busy_processes():
    parent = os.getpid()
    children = []
    for cpu in os.sched_getaffinity(0):
        child = os.fork()
        if child == 0:
            be_busy(cpu, parent)
        children.append(child)
    return children


def starve_some(pid, draw):
    for thread in os.listdir(f'/proc/{pid}/task'):
        policy = os.SCHED_IDLE if draw.random() < 0.35 else os.SCHED_OTHER
        try:
            os.sched_setscheduler(int(thread), policy, os.sched_param(0))
        except (ProcessLookupError, PermissionError):
            pass  # It has ended, or this process may not take a thread out of SCHED_IDLE again.


def stop_for_a_moment(pid, draw):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(draw.uniform(0.002, 0.05))
    os.kill(pid, signal.SIGCONT)


def shake(program, draw):
    while program.poll() is None:
        try:
            if draw.random() < 0.5:
                starve_some(program.pid, draw)
            else:
                stop_for_a_moment(program.pid, draw)
        except (FileNotFoundError, ProcessLookupError):
            break
        time.sleep(draw.uniform(0.0003, 0.05))
    return program.wait()


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    seed = int(os.environ.get('WEFT_SEED', random.randrange(1 << 32)))
    program = subprocess.Popen(sys.argv[1:])
    busy = start_busy_processes()
    try:
        status = shake(program, random.Random(seed))
    finally:
        for child in busy:
            os.kill(child, signal.SIGKILL)
    if status != 0:
        print(f'shake: it failed with WEFT_SEED={seed}', file=sys.stderr)
    return status if status >= 0 else 128 - status


if __name__ == '__main__':
    sys.exit(main())
