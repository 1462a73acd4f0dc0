import asyncio

import race


async def sleep_one(milliseconds):
    await asyncio.sleep(milliseconds / 1000)
    return 1


async def sleep_together():
    return sum(await asyncio.gather(*(sleep_one(500 + i % 500) for i in range(what.size))))


async def be_in_time():
    in_time = 0
    for _ in range(what.size):
        async with asyncio.timeout(10):
            await asyncio.sleep(0)
            in_time += 1
    return in_time


what = race.Order("cancel", 20_000)
seconds, check = what.run(race.measured(sleep_together if what.variant == "sleepers" else be_in_time))
race.report("timers", what.loop, what, what.size, seconds, check, what.size)
