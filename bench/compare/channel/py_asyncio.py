import asyncio

import race


async def work():
    numbers = asyncio.Queue(100)

    async def send():
        for number in range(what.size):
            await numbers.put(number)
        await numbers.put(None)

    sender = asyncio.create_task(send())
    total = 0
    while (number := await numbers.get()) is not None:
        total += number
    await sender
    return total


what = race.Order("buffered", 100_000)
seconds, check = what.run(race.measured(work))
race.report("channel", what.loop, what, what.size, seconds, check, what.size * (what.size - 1) // 2)
