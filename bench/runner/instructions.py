"""Instructions of the basic acts, counted by callgrind: noise cannot blur them."""
import json
import re
import shutil
import subprocess
from pathlib import Path

KEPT = Path("bench/instructions.json")
TOLERANCE = 0.03
COUNTS = {"yield": (2000, 12000), "spawn_join": (1000, 6000), "fork": (1000, 6000), "channel_hop": (1000, 6000),
          "echo": (200, 1200)}
MEANING = {"yield": "a yield", "spawn_join": "a spawn with its join", "fork": "a gather of two",
           "channel_hop": "a value through a channel without a buffer",
           "echo": "a request and its answer, client and server"}


def _total(program, act, count):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program), act, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or found is None:
        raise RuntimeError(f"callgrind of {act} failed: {done.stderr.strip()[-300:]}")
    return int(found.group(1))


def count(build):
    """{act: instructions of one}: the start and the end of the program cancel out between two counts."""
    if shutil.which("valgrind") is None:
        raise RuntimeError("valgrind is not installed")
    program = Path(build) / "bench" / "instructions_acts"
    found = {}
    for act, (few, many) in COUNTS.items():
        found[act] = round((_total(program, act, many) - _total(program, act, few)) / (many - few), 1)
        print(f"{act:12} {found[act]:8.1f} instructions for {MEANING[act]}", flush=True)
    return found


def keep(build, compiler):
    KEPT.write_text(json.dumps({"compiler": compiler, "acts": count(build)}, indent=1) + "\n", encoding="utf-8")
    print(f"kept in {KEPT}")
    return 0


def check(build, compiler):
    """Compares with the kept numbers; 1 where an act takes more than is allowed."""
    now = count(build)
    if not KEPT.exists():
        print(f"{KEPT} is not there; ./dev bench --instructions --keep makes it")
        return 1
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    if kept["compiler"] != compiler:
        print(f"not compared: the kept numbers are of {kept['compiler']}, this is {compiler}")
        return 0
    status = 0
    for act, instructions in now.items():
        before = kept["acts"].get(act)
        if before is None:
            print(f"{act}: nothing is kept; ./dev bench --instructions --keep adds it")
            continue
        change = instructions / before - 1
        if change > TOLERANCE:
            status = 1
            print(f"{act} takes {instructions} instructions, {change * 100:+.1f} % against the {before} kept: find out why, "
                  "or say why in the commit that keeps the new number (./dev bench --instructions --keep)")
        elif change < -TOLERANCE:
            print(f"{act} takes {instructions} instructions, {change * 100:+.1f} % against the {before} kept: keep the gain "
                  "(./dev bench --instructions --keep)")
    print("instructions: " + ("more than were kept" if status else "as kept, or fewer"))
    return status
