"""From runs to what is reported: medians, ratios within a round, and their spread."""
import statistics

import catalogue

UNITS = {"time": "ns", "cpu": "ns of CPU", "p50_us": "us (p50)", "p99_us": "us (p99)", "wakeups_per_second": "wake-ups/s"}
LEAST = 0.05  # A cost of zero wake-ups has no ratio: this much counts as nothing


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def ratio(runs, others):
    """Cost against cost, round by round; below one is ahead."""
    return spread([max(a.cost, LEAST) / max(b.cost, LEAST) for a, b in zip(runs, others)])


def describe(runs):
    told = {"cost": spread([run.cost for run in runs]),
            "cpu_seconds": statistics.median(run.cpu_seconds for run in runs),
            "wakeups": statistics.median(run.wakeups for run in runs)}
    for name in runs[0].more:
        told[name] = statistics.median(run.more.get(name, 0) for run in runs)
    return told


def is_peer(library):
    return not library.startswith("weft") and library not in catalogue.FLOORS


def of_race(race, runs, absent):
    """One entry of the results."""
    result = {"problem": race.problem, "variant": race.variant, "cores": race.cores, "unit": UNITS[race.measure],
              "libraries": {library: describe(each) for library, each in runs.items() if each}, "absent": absent}
    ours = runs.get("weft")
    if not ours:
        return result
    ratios = {library: ratio(ours, each) for library, each in runs.items() if each and library != "weft"}
    result["ratios"] = ratios
    peers = [library for library in ratios if is_peer(library)]
    if peers:
        result["best_peer"] = min(peers, key=lambda library: result["libraries"][library]["cost"]["median"])
    return result


def key(result):
    return f"{result['problem']}/{result['variant']}/{result['cores']}"
