"""SVG plots of results: one for each problem, and one for each of the sweeps. Runs where matplotlib is installed.

Usage: plots.py RESULTS.json FOLDER
"""
import json
import sys
from pathlib import Path

OURS, THEIRS, FLOOR = "#b5442e", "#7d8ca3", "#c9c2b0"
FLOORS = ("serial", "bare", "raw_epoll")


def _saved(figure, path):
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    print(path)


def bars(pyplot, problem, results, folder):
    """A panel for each variant and number of cores: the cost of each library with its spread, on a common scale."""
    columns = min(3, len(results))
    lines = -(-len(results) // columns)
    entries = max(len(result["libraries"]) for result in results)
    figure, panels = pyplot.subplots(lines, columns, squeeze=False,
                                     figsize=(4.2 * columns, (0.6 + 0.28 * entries) * lines), layout="constrained")
    for panel in panels.flat[len(results):]:
        panel.axis("off")
    for panel, result in zip(panels.flat, results):
        found = sorted(result["libraries"].items(), key=lambda item: item[1]["cost"]["median"], reverse=True)
        costs = [max(told["cost"]["median"], 0.05) for _, told in found]
        errors = [[max(cost - max(told["cost"]["least"], 0.01), 0) for cost, (_, told) in zip(costs, found)],
                  [max(told["cost"]["most"] - cost, 0) for cost, (_, told) in zip(costs, found)]]
        colours = [OURS if name.startswith("weft") else FLOOR if name in FLOORS else THEIRS for name, _ in found]
        panel.barh([name for name, _ in found], costs, xerr=errors, color=colours, ecolor="#444444", capsize=2)
        panel.set_xscale("log")
        panel.set_title(f"{result['variant']}, {result['cores']} core{'s' * (result['cores'] > 1)}", fontsize=9)
        panel.set_xlabel(result["unit"] + ", less is better", fontsize=8)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(problem, fontsize=11)
    _saved(figure, folder / f"{problem}.svg")
    pyplot.close(figure)


def sweep(pyplot, results, folder):
    """Speed-up against the same library on one core, and efficiency, for each problem of the sweep."""
    names = list(dict.fromkeys(f"{result['problem']} {result['variant']}" for result in results))
    figure, panels = pyplot.subplots(len(names), 2, squeeze=False, figsize=(8.4, 2.6 * len(names)), layout="constrained")
    for (speed, efficiency), name in zip(panels, names):
        mine = sorted((result for result in results if f"{result['problem']} {result['variant']}" == name),
                      key=lambda result: result["cores"])
        for library in mine[0]["libraries"]:
            points = [(result["cores"], result["libraries"][library]["cost"]["median"]) for result in mine
                      if library in result["libraries"]]
            if len(points) < 2 or points[0][0] != 1:
                continue
            cores = [n for n, _ in points]
            gains = [points[0][1] / cost for _, cost in points]
            style = {"color": OURS, "linewidth": 2.2} if library == "weft" else {"linewidth": 1.2}
            speed.plot(cores, gains, marker="o", label=library, **style)
            efficiency.plot(cores, [gain / n for gain, n in zip(gains, cores)], marker="o", **style)
        most = max(result["cores"] for result in mine)
        speed.plot([1, most], [1, most], linestyle=":", color="#444444", linewidth=1)
        for panel, text in ((speed, "speed-up"), (efficiency, "efficiency")):
            panel.set_title(f"{name}: {text}", fontsize=9)
            panel.set_xticks(range(1, most + 1))
            panel.tick_params(labelsize=8)
            panel.spines[["top", "right"]].set_visible(False)
        efficiency.set_ylim(bottom=0)
        speed.legend(fontsize=7)
    _saved(figure, folder / "cores.svg")
    pyplot.close(figure)


def main():
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "weft", "svg.fonttype": "none", "font.family": "sans-serif"})
    from matplotlib import pyplot
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for problem in dict.fromkeys(result["problem"] for result in document["results"]):
        here = [result for result in document["results"] if result["problem"] == problem and result["libraries"]]
        if here:
            bars(pyplot, problem, here, folder)
    if document.get("sweep"):
        sweep(pyplot, document["sweep"], folder)


if __name__ == "__main__":
    main()
