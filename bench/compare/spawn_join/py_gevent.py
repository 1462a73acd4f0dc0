import time

import gevent
import race


def parity(number):
    return number & 1


def in_batches(count, batch):
    total = 0
    for first in range(0, count, batch):
        greenlets = [gevent.spawn(parity, i) for i in range(first, first + batch)]
        total += sum(each.get() for each in greenlets)
    return total


what = race.Order("one", 50_000)
batch_size = 1 if what.variant == "one" else 1000
in_batches(what.size, batch_size)
begin = time.perf_counter()
check = in_batches(what.size, batch_size)
race.report("spawn_join", "gevent", what, what.size, time.perf_counter() - begin, check, what.size // 2)
