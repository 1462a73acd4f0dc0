"""Results as a table on the terminal, as JSON, and as the generated part of docs/benchmarks.md."""
import json
from pathlib import Path

import catalogue
import machine
import summary

PAGE = Path("docs/benchmarks.md")
KEPT = Path("docs/benchmarks/results.json")
BEGIN, END = "<!-- results: written by ./dev bench -->\n", "<!-- end of results -->"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _ratio(spread):
    return f"{spread['median']:.2f} ({spread['least']:.2f}-{spread['most']:.2f})"


def rows(results):
    """A row for each race: texts for race, cores, weft, best peer, ratio, floor, wake-ups and CPU time."""
    for result in results:
        entries = result["libraries"]
        ours, best = entries.get("weft"), result.get("best_peer")
        if ours is None:
            continue
        floors = [f"{name} {_ratio(result['ratios'][name])}" for name in catalogue.FLOORS if name in result["ratios"]]
        peer = entries.get(best)
        yield (f"{result['problem']} {result['variant']}" if result["variant"] != result["problem"] else result["problem"],
               str(result["cores"]),
               f"{number(ours['cost']['median'])} {result['unit']}",
               f"{best} {number(peer['cost']['median'])}" if peer else "-",
               _ratio(result["ratios"][best]) if peer else "-",
               ", ".join(floors) or "-",
               f"{ours['wakeups']:.0f}" + (f" / {peer['wakeups']:.0f}" if peer else ""),
               f"{ours['cpu_seconds']:.2f}" + (f" / {peer['cpu_seconds']:.2f}" if peer else ""))


HEAD = ("race", "cores", "weft", "best peer", "ratio (spread)", "against the floor", "wake-ups", "CPU s")


def table(results):
    lines = [HEAD, *rows(results)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines)


def absences(results):
    """{library: {why: [races]}} of what did not run."""
    found = {}
    for result in results:
        for library, why in result["absent"].items():
            found.setdefault(library, {}).setdefault(why, []).append(f"{result['problem']} {result['variant']}")
    return found


def said(results):
    return [f"{library} skipped: {why}" + (f" ({', '.join(dict.fromkeys(races))})" if len(races) < 6 else "")
            for library, whys in absences(results).items() for why, races in whys.items()]


def lost(results):
    """The races in which a peer is ahead."""
    return [result for result in results if "best_peer" in result
            and result["ratios"][result["best_peer"]]["median"] > 1]


def write_json(document, path):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def merged(document):
    """The kept results with those of this run in their places, in the order of the catalogue."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {"results": [], "sweep": []}
    for part in ("results", "sweep"):
        by_key = {summary.key(result): result for result in [*kept.get(part, []), *document.get(part, [])]}
        order = {race.name: place for place, race in enumerate(catalogue.ALL)}
        document[part] = sorted(by_key.values(), key=lambda result: (
            order.get(f"{result['problem']} {result['variant']}", len(order)), result["cores"]))
    return document


def _markdown_table(results):
    lines = [HEAD, ("---",) * len(HEAD), *rows(results)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def occasions(results):
    """A sentence for each run that results are of, with the races if there were several."""
    runs = {}
    for result in results:
        runs.setdefault(json.dumps(result["taken"], sort_keys=True), []).append(f"{result['problem']} {result['variant']}")
    for text, races in runs.items():
        taken = json.loads(text)
        versions = ", ".join(f"{name} {version}" for name, version in taken["versions"].items())
        of_what = "Taken" if len(runs) == 1 else f"{', '.join(dict.fromkeys(races))}: taken"
        yield (f"{of_what} on {taken['date']} on {machine.sentence(taken['machine'])}; load average at the start "
               f"{taken['load']:.1f}; {taken['rounds']} rounds. Versions: {versions}.")


def page_part(document, plots):
    """The generated part of the page."""
    text = [line for occasion in occasions(document["results"]) for line in (occasion, "")]
    for cores in sorted({result["cores"] for result in document["results"]}):
        here = [result for result in document["results"] if result["cores"] == cores]
        text += [f"### On {cores} core{'s' * (cores > 1)}", "", _markdown_table(here), ""]
    behind = lost(document["results"])
    text += ["### Not won", "",
             "\n".join(f"- {result['problem']} {result['variant']}, {result['cores']} core{'s' * (result['cores'] > 1)}: "
                       f"{_ratio(result['ratios'][result['best_peer']])} of {result['best_peer']}" for result in behind)
             or "Nothing.", ""]
    if said(document["results"]):
        text += ["### Did not run", "", "\n".join(f"- {line}" for line in said(document["results"])), ""]
    text += [f"![{plot.stem}](benchmarks/{plot.name})" for plot in plots]
    return "\n".join(text) + "\n"


def write_page(document, plots):
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    PAGE.write_text(before + BEGIN + page_part(document, plots) + END + after, encoding="utf-8")
