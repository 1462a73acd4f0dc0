"""weft's entries in the races do their work at tiny sizes, and what runs the races draws the right conclusions.

usage: races_test.py BUILD_OF_BENCH
"""
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "runner"))

import baseline  # noqa: E402
import catalogue  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
import summary  # noqa: E402

PROGRAMS = Path()
TINY = {"yield": 1000, "spawn_join": 2000, "channel": 1000, "mutex": 1600, "skynet": 1000, "fib": 12, "nqueens": 6,
        "matmul": 96, "uts": 20, "timers": 100, "parked": 500, "wake": 5, "idle": 150}


def race_of(problem, variant):
    return next(race for race in catalogue.ALL if race.problem == problem and race.variant == variant)


class Entries(unittest.TestCase):
    def test_each_checks_its_result_at_a_tiny_size(self):
        for race in catalogue.ALL:
            if race.problem in TINY and race.kind == "program":
                with self.subTest(race=race.key):
                    done = subprocess.run([PROGRAMS / f"{race.problem}_weft", race.variant, str(race.cores),
                                           str(TINY[race.problem])], capture_output=True, text=True, check=True, timeout=60)
                    told = json.loads(done.stdout)
                    self.assertEqual((told["problem"], told["variant"], told["library"]), (race.problem, race.variant, "weft"))
                    self.assertGreater(told["seconds"], 0)

    def test_an_unknown_variant_is_refused(self):
        done = subprocess.run([PROGRAMS / "channel_weft", "telepathy"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("telepathy", done.stderr)

    def test_echo_comes_back_as_it_was_sent(self):
        for variant, connections in (("pingpong 1", 1), ("stream 1", 1), ("pingpong 100", 100)):
            for server in ("weft", "raw_epoll"):
                with self.subTest(variant=variant, server=server):
                    race = race_of("echo", variant)
                    run = servers.run_echo(race, [PROGRAMS / f"echo_{server}", variant.split()[0], 1, 0],
                                           PROGRAMS / "echo_load", 0.2)
                    self.assertGreater(run.more["per_second"], 0)

    def test_acts_whose_instructions_are_counted_run(self):
        for act in ("yield", "spawn_join", "fork", "channel_hop", "echo"):
            with self.subTest(act=act):
                subprocess.run([PROGRAMS / "instructions_acts", act, "10"], check=True, timeout=60)


def runs(*costs):
    return [measure.Run(cost, 0.1, 3) for cost in costs]


class Conclusions(unittest.TestCase):
    def setUp(self):
        self.race = race_of("fib", "fork")
        self.result = summary.of_race(self.race, {"weft": runs(4, 5, 6), "tbb": runs(10, 10, 10), "go": runs(8, 20, 9),
                                                  "serial": runs(1, 1, 1)}, {"rayon": "Cargo is not installed"})

    def test_the_best_peer_has_the_least_median_and_is_no_floor(self):
        self.assertEqual(self.result["best_peer"], "go")

    def test_a_ratio_is_taken_within_a_round(self):
        self.assertEqual(self.result["ratios"]["tbb"], {"median": 0.5, "least": 0.4, "most": 0.6})
        self.assertEqual(self.result["ratios"]["go"]["least"], 0.25)

    def test_the_table_names_race_peer_and_floor(self):
        text = report.table([self.result])
        for word in ("fib fork", "go 9", "serial 5.00"):
            self.assertIn(word, text)
        self.assertIn("rayon skipped: Cargo is not installed", report.said([self.result])[0])

    def test_a_loss_over_a_tenth_is_found_and_a_smaller_one_is_not(self):
        self.assertEqual(baseline.losses([self.result], {self.race.key: {"peer": "tbb", "ratio": 0.46}})[0], [])
        found, _ = baseline.losses([self.result], {self.race.key: {"peer": "tbb", "ratio": 0.45}})
        self.assertEqual([key for key, _ in found], [self.race.key])

    def test_a_peer_that_did_not_run_is_named(self):
        _, untold = baseline.losses([self.result], {self.race.key: {"peer": "rayon", "ratio": 1}})
        self.assertIn("rayon did not run", untold[0])

    def test_a_race_that_weft_does_not_end_is_lost(self):
        crashed = summary.of_race(self.race, {"tbb": runs(10)}, {"weft": "it failed: SIGSEGV"})
        found, _ = baseline.losses([crashed], {self.race.key: {"peer": "tbb", "ratio": 1}})
        self.assertIn("SIGSEGV", found[0][1])

    def test_each_row_keeps_the_run_that_it_is_of(self):
        machine_of = {"cores": 2, "cpu": "A", "virtual": False, "memory_gib": 1, "system": "L"}
        one = {**self.result, "taken": {"date": "2026-01-01", "machine": machine_of, "load": 1, "rounds": 3, "versions": {}}}
        other = {**one, "variant": "other", "taken": {**one["taken"], "date": "2026-02-02"}}
        self.assertEqual(len(list(report.occasions([one, one]))), 1)
        first, second = report.occasions([one, other])
        self.assertTrue("fib fork: taken on 2026-01-01" in first and "2026-02-02" in second, (first, second))

    def test_a_lost_race_is_listed(self):
        self.assertEqual(report.lost([self.result]), [])
        lost = summary.of_race(self.race, {"weft": runs(9), "tbb": runs(6)}, {})
        self.assertEqual(report.lost([lost]), [lost])


class Catalogue(unittest.TestCase):
    def test_every_entry_has_a_source(self):
        for race in catalogue.ALL:
            problem = "echo" if race.problem == "hog" else race.problem
            for library in race.libraries:
                name = library if library == "raw_epoll" else library.split("_")[0] if library.startswith("weft") else library
                name = {"asyncio": "py_asyncio", "uvloop": "py_asyncio", "gevent": "py_gevent"}.get(name, name)
                if (problem, name) not in (("http", "weft"), ("http", "nginx")):
                    found = list((ROOT / "bench" / "compare" / problem).glob(name + ".*"))
                    self.assertTrue(found, f"{race.key}: no source for {library}")


if __name__ == "__main__":
    PROGRAMS = Path(sys.argv.pop(1)).resolve()
    os.chdir(ROOT)
    unittest.main(verbosity=1)
