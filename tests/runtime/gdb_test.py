#!/usr/bin/env python3
"""gdb with weft's extension shows fibers and their frames, in a live process and in a core file of it.

usage: gdb_test.py PROGRAM EXTENSION"""
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

LOOK = ["info fibers", "fiber apply all bt 30", "fiber 999"]
WANTED = [
    r'fiber (\d+) "first", waits in weft::event::wait, spawned at .*gdb_program\.cpp:\d+',
    r'fiber (\d+) "second", waits in fiber::join, spawned at .*gdb_program\.cpp:\d+',
    r'fiber (\d+) "called", waits in weft::event::wait.*"parent", calls fiber \1,|'
    r'"parent", calls fiber (\d+),.*fiber \2 "called", waits in weft::event::wait',
    r"4 fibers",
    r"wait_deep_inside.*wait_deep_inside.*wait_deep_inside",
    r"no fiber 999",
]

# A name where nothing is, a state that is none, and a list that is a ring; then a command that fails half-way.
DAMAGE_IT = """python
at = layout()
all_records = list(records(at, print))
first, second = all_records[:2]
newest, oldest = (each & ~(at["chunk_bytes"] - 1) for each in (first, all_records[-1]))
def put(where, value, size):
    gdb.selected_inferior().write_memory(where, value.to_bytes(size, "little"))
put(first + at["name"], 8, 8)
put(pointer(second + at["on_stack"]) + at["run"], 77, 4)
put(oldest + at["chunk_older"], newest, 8)
put(oldest + at["chunk_carved"], 1 << 30, 4)
gdb.execute("info fibers")
one = fibers()[0].id
gdb.execute(f"fiber {one}")
try:
    gdb.execute("fiber apply all nonsense")
except gdb.error:
    print("selected:", UNWINDER.fiber.id == one)
"""
SEEN = [
    r"fiber record at 0x\w+ is damaged.*fiber record at 0x\w+ is damaged",
    r"chunk of records at 0x\w+ is damaged",
    r"the list of chunks is a ring",
    r"\b2 fibers",
    r"selected: True",
]


def gdb(extension, *arguments):
    command = ["gdb", "-nx", "-batch", "-ex", "set pagination off", "-ex", "set debuginfod enabled off", *arguments[:-1]]
    for each in (f"source {extension}", *arguments[-1]):
        command += ["-ex", each]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=100, check=False)
    return done.stdout


def misses(output, where, wanted=WANTED):
    missing = [each for each in wanted if not re.search(each, output, re.DOTALL)]
    for each in missing:
        print(f"{where}: nothing matches {each}")
    if missing:
        print(output)
    return missing


def select_one(output):
    number = re.search(WANTED[0], output).group(1)
    return [f"fiber {number}", "bt 30", "fiber", "fiber thread", "bt 1"]


def main() -> int:
    if shutil.which("gdb") is None:
        print("gdb is missing: skipped")
        return 77
    program, extension = sys.argv[1:]
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "waiting\n"
    live = gdb(extension, "-p", str(process.pid), [*LOOK, "detach"])
    if "Operation not permitted" in live and "fiber" not in live:
        print("gdb may not attach here: skipped")
        process.kill()
        return 77
    failed = misses(live, "live")
    process.stdin.close()
    if process.wait(timeout=20) != 0:
        print("the program ended with", process.returncode)
        return 1
    if failed or not core_file_is_well(program, extension) or not damage_is_told(program, extension):
        return 1
    return 0


def damage_is_told(program, extension):
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "waiting\n"
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
        script.write(DAMAGE_IT + "end\n")
        script.flush()
        output = gdb(extension, "-p", str(process.pid), [f"source {script.name}", "kill"])
    process.kill()
    process.wait()
    return not misses(output, "damaged", SEEN)


def core_file_is_well(program, extension):
    """The kernel writes it: gdb's own generate-core-file stops reading a mapping at its first guard."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([os.path.abspath(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   cwd=folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited))
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGABRT)
        process.wait(timeout=60)
        cores = [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("core")]
        if not cores:
            print("this system puts core files elsewhere: only the live process was looked at")
            return True
        dead = gdb(extension, program, cores[0], LOOK)
        if misses(dead, "core file"):
            return False
        one = gdb(extension, program, cores[0], select_one(dead))
        if one.count("wait_deep_inside") == 3 and one.count('"first", waits') == 2:
            return True
        print(one)
        return False


if __name__ == "__main__":
    sys.exit(main())
