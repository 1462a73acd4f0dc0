import asyncio

import race


async def main():
    never = asyncio.Event()
    crew = [asyncio.create_task(never.wait()) for _ in range(100)]
    await asyncio.sleep(what.size / 1000)
    never.set()
    return sum(await asyncio.gather(*crew))


what = race.Order("idle", 1500)
race.report("idle", what.loop, what, 1, what.size / 1000, what.run(main()), 100)
