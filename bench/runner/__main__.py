"""Runs the races of bench/compare, and reports who is ahead and by how much."""
import argparse
import datetime
import os
import subprocess
import sys
from pathlib import Path

import baseline
import builds
import catalogue
import instructions
import machine
import measure
import report
import rounds
import summary


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, allow_abbrev=False,
                                     epilog="./dev bench micro [name...] runs the micro benchmarks.")
    parser.add_argument("problems", nargs="*", metavar="problem", help="one of " + ", ".join(catalogue.PROBLEMS))
    parser.add_argument("--build", default="build", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, help="how often each entry runs (5; 3 with --quick)")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds; writes no document")
    parser.add_argument("--cores", action="store_true", help="sweep the scaling races over 1..N cores instead")
    parser.add_argument("--only", metavar="LIBRARY,...", help="leave the other libraries out; writes no document")
    parser.add_argument("--check", action="store_true", help="fail where weft lost over 10 %% against the kept baseline")
    parser.add_argument("--keep", action="store_true", help="keep what this run finds as the baseline")
    parser.add_argument("--instructions", action="store_true", help="count instructions by callgrind, and compare")
    parser.add_argument("--list", action="store_true", help="print the races and who enters them")
    wanted = parser.parse_args()
    unknown = [name for name in wanted.problems if name not in catalogue.PROBLEMS]
    if unknown:
        parser.error(f"no problem is called {', '.join(unknown)}; there are {', '.join(catalogue.PROBLEMS)}")
    if wanted.rounds is not None and wanted.rounds < 1:
        parser.error("--rounds needs at least 1")
    return wanted


def run_all(races, entries, wanted, only):
    """Results of the races, one after the other."""
    count = wanted.rounds or (3 if wanted.quick else 5)
    progress = rounds.Progress(len(races) * count)
    results = []
    for race in races:
        runs, absent = rounds.run_race(race, entries, count, wanted.quick, only, progress)
        results.append(summary.of_race(race, runs, absent))
    return results, count


def check(races, entries, wanted):
    """A loss has to show twice before it counts: the second time with twice the rounds."""
    before = baseline.kept()
    races, only = baseline.only_kept(races, before)
    if not races:
        raise RuntimeError(f"{baseline.KEPT} has none of these races; ./dev bench --keep adds them")
    results, count = run_all(races, entries, wanted, only)
    found, untold = baseline.losses(results, before)
    if found:
        print("once more: " + "; ".join(text for _, text in found), file=sys.stderr, flush=True)
        suspects = {key for key, _ in found}
        wanted.rounds = 2 * count
        results, _ = run_all([race for race in races if race.key in suspects], entries, wanted, only)
        found, untold_again = baseline.losses(results, before)
        untold = list(dict.fromkeys([*untold, *untold_again]))
    for text in [*untold, *(text for _, text in found)]:
        print(text)
    print(f"{len(races)} races checked against {baseline.KEPT}, {len(found)} lost over 10 %")
    return 1 if found else 0


def publish(document, entries):
    """Writes docs/benchmarks.md, its plots and its figures."""
    document = report.merged(document)
    report.write_json(document, report.KEPT)
    folder = report.KEPT.parent
    python = entries.python_with_packages()
    if isinstance(python, str):
        print(f"no plots: {python}", file=sys.stderr)
    else:
        subprocess.run([*python, "bench/runner/plots.py", report.KEPT, folder], check=True, stdout=subprocess.DEVNULL)
    report.write_page(document, sorted(folder.glob("*.svg")))
    print(f"written: {report.PAGE}, {folder}/")


def main():
    wanted = parse()
    os.chdir(Path(__file__).resolve().parents[2])
    entries = builds.Entries(wanted.build)
    if wanted.list:
        for race in catalogue.ALL:
            print(f"{race.name}, {race.cores} core{'s' * (race.cores > 1)}: "
                  + " ".join(each for each in race.libraries if catalogue.enters(race, each)))
        return 0
    if wanted.instructions:
        compiler = entries.versions()["compiler"]
        return (instructions.keep if wanted.keep else instructions.check)(wanted.build, compiler)
    cores = len(measure.CPUS)
    races = catalogue.sweep(wanted.problems, cores) if wanted.cores else catalogue.chosen(wanted.problems, cores)
    if wanted.check:
        return check(races, entries, wanted)
    load = machine.load()
    only = set(wanted.only.split(",")) if wanted.only else None
    results, count = run_all(races, entries, wanted, only)
    taken = {"date": datetime.date.today().isoformat(), "machine": machine.describe(), "load": load, "rounds": count,
             "versions": entries.versions()}
    for result in results:
        result["taken"] = taken
    usual = {race.key for race in catalogue.ALL}  # A sweep runs some of the usual races, too, and as they are run else.
    document = {"machine": taken["machine"], "results": [each for each in results if summary.key(each) in usual],
                "sweep": results if wanted.cores else []}
    report.write_json(document, Path(wanted.build) / "bench" / "results.json")
    print(report.table(results))
    print("\n".join(report.said(results)))
    print(f"on {machine.sentence(document['machine'])}; load average at the start {load:.1f}")
    if wanted.keep:
        baseline.keep(results)
        print(f"kept in {baseline.KEPT}")
    if not wanted.quick and not wanted.only:
        publish(document, entries)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, FileNotFoundError) as wrong:
        print(f"bench: {wrong}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
