import time

import gevent
import race


def take_turns(rounds):
    for _ in range(rounds):
        gevent.sleep(0)
    return rounds


def work():
    pair = [gevent.spawn(take_turns, what.size // 2) for _ in range(2)]
    return sum(each.get() for each in pair)


what = race.Order("pair", 100_000)
work()
begin = time.perf_counter()
check = work()
race.report("yield", "gevent", what, what.size, time.perf_counter() - begin, check, what.size)
