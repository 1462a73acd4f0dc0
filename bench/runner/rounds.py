"""The rounds of the races: all entries of a race in turn, A B A B, so that a drift of the machine meets all alike."""
import sys
import time

import builds
import catalogue
import measure
import servers

SECONDS_OF_LOAD = 3.0
QUICK_SECONDS_OF_LOAD = 0.7


class Progress:
    """Lines on the standard error stream that tell how far a run has come."""

    def __init__(self, total):
        self.total = total
        self.done = 0
        self.begin = time.monotonic()

    def step(self, text):
        self.done += 1
        seconds = int(time.monotonic() - self.begin)
        print(f"[{self.done}/{self.total} {seconds // 60}:{seconds % 60:02}] {text}", file=sys.stderr, flush=True)


def one_run(race, library, command, load, quick):
    words = [*command, *builds.arguments(race, library, quick)]
    seconds = QUICK_SECONDS_OF_LOAD if quick else SECONDS_OF_LOAD
    if race.kind == "echo":
        return servers.run_echo(race, words, load, seconds)
    if race.kind == "http":
        return servers.run_http(race, library, words, seconds)
    if race.kind == "idle":
        return measure.run_idle(race, words, race.size_for(library, quick))
    return measure.run_program(race, words)


def field(race, entries, only):
    """The commands of those that enter a race, and why the others do not."""
    commands, absent = {}, {}
    for library in race.libraries:
        if (only and library not in only) or not catalogue.enters(race, library):
            continue
        command = entries.command(race, library)
        if isinstance(command, str):
            absent[library] = command
        else:
            commands[library] = command
    return commands, absent


def run_race(race, entries, rounds, quick, only, progress):
    """All rounds of one race: {library: [Run, ...]} and {library: why it is missing}."""
    commands, absent = field(race, entries, only)
    runs = {library: [] for library in commands}
    load = entries.build / "bench" / "echo_load"
    for turn in range(rounds):
        told = []
        for library in list(runs):
            try:
                run = one_run(race, library, commands[library], load, quick)
            except (measure.Failed, OSError, ValueError, KeyError) as failed:
                absent[library] = f"it failed: {failed}"
                del runs[library]
                continue
            runs[library].append(run)
            told.append(f"{library} {run.cost:.3g}")
        progress.step(f"{race.name}, {race.cores} core{'s' * (race.cores > 1)}, round {turn + 1}: " + ", ".join(told))
    return runs, absent
