import asyncio

import race


async def parity(number):
    return number & 1


async def in_batches(count, batch):
    total = 0
    for first in range(0, count, batch):
        tasks = [asyncio.create_task(parity(i)) for i in range(first, first + batch)]
        total += sum([await each for each in tasks])
    return total


async def main():
    return await race.measured(lambda: in_batches(what.size, 1 if what.variant == "one" else 1000))


what = race.Order("one", 50_000)
seconds, check = what.run(main())
race.report("spawn_join", what.loop, what, what.size, seconds, check, what.size // 2)
