"""What the Python programs of the races have in common: the command line, the measuring, and the line that they print."""
import json
import sys
import time


class Order:
    """What a program is asked for: PROGRAM [VARIANT [CORES [SIZE [LOOP]]]]."""

    def __init__(self, variant: str, size: int):
        given = dict(enumerate(sys.argv))
        self.variant = given.get(1, variant)
        self.cores = int(given.get(2, 1))
        self.size = int(given.get(3, size))
        self.loop = given.get(4, "asyncio")

    def run(self, work):
        """Runs a coroutine on the event loop asked for."""
        if self.loop == "uvloop":
            import uvloop
            return uvloop.run(work)
        import asyncio
        return asyncio.run(work)


async def measured(work):
    """Does the work once to warm up, and once for the clock; returns seconds and check value."""
    await work()
    begin = time.perf_counter()
    check = await work()
    return time.perf_counter() - begin, check


def report(problem: str, library: str, what: Order, items: int, seconds: float, check: int, expected: int):
    print(json.dumps({"problem": problem, "variant": what.variant, "library": library, "cores": what.cores,
                      "items": items, "seconds": seconds, "check": check}))
    if check != expected:
        sys.exit(f"{problem} of {library}: the check value is {check}, expected {expected}")
