"""The kept baseline: for each race the ratio to one peer, so that the speed of the machine does not count."""
import json
from pathlib import Path

import summary

KEPT = Path("bench/baseline.json")
ALLOWED_LOSS = 1.10


def keep(results):
    """Adds the ratios of a run to those kept."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for result in results:
        peer = result.get("best_peer")
        if peer:
            kept[summary.key(result)] = {"peer": peer, "ratio": round(result["ratios"][peer]["median"], 4)}
    KEPT.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


def kept():
    if not KEPT.exists():
        raise FileNotFoundError(f"{KEPT} is not there; ./dev bench --keep makes it")
    return json.loads(KEPT.read_text(encoding="utf-8"))


def only_kept(races, before):
    """The races that can be checked, and the libraries that it takes."""
    checked = [race for race in races if race.key in before]
    return checked, {"weft", *(before[race.key]["peer"] for race in checked)}


def losses(results, before):
    """A text for each race that lost more than is allowed, or in which weft did not come to its end. A race whose peer did not
    run tells nothing, and is named."""
    found, untold = [], []
    for result in results:
        old = before.get(summary.key(result))
        if old is None:
            continue
        now = result.get("ratios", {}).get(old["peer"])
        name = f"{result['problem']} {result['variant']}, {result['cores']} cores"
        if "weft" not in result["libraries"]:
            found.append((summary.key(result), f"{name}: weft did not run: {result['absent'].get('weft', 'it was not asked')}"))
        elif now is None:
            untold.append(f"{name}: {old['peer']} did not run, nothing to compare")
        elif now["median"] > old["ratio"] * ALLOWED_LOSS:
            found.append((summary.key(result), f"{name}: {now['median']:.3f} of {old['peer']}, kept {old['ratio']:.3f}: "
                          f"{(now['median'] / old['ratio'] - 1) * 100:.0f} % worse"))
    return found, untold
