import asyncio

import race


async def take_turns(rounds):
    for _ in range(rounds):
        await asyncio.sleep(0)
    return rounds


async def main():
    async def work():
        return sum(await asyncio.gather(take_turns(what.size // 2), take_turns(what.size // 2)))
    return await race.measured(work)

what = race.Order("pair", 100_000)
seconds, check = what.run(main())
race.report("yield", what.loop, what, what.size, seconds, check, what.size)
