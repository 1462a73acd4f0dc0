package main

import (
	"sync"

	race "weft/bench/compare/support/go"
)

func pass(capacity, pairs, count int) uint64 {
	numbers := make(chan uint64, capacity)
	sums := make([]uint64, pairs)
	var receivers, senders sync.WaitGroup
	receivers.Add(pairs)
	senders.Add(pairs)
	for i := 0; i < pairs; i++ {
		go func(i int) {
			defer receivers.Done()
			var sum uint64
			for number := range numbers {
				sum += number
			}
			sums[i] = sum
		}(i)
		go func(i int) {
			defer senders.Done()
			for number := i; number < count; number += pairs {
				numbers <- uint64(number)
			}
		}(i)
	}
	senders.Wait()
	close(numbers)
	receivers.Wait()
	var sum uint64
	for _, each := range sums {
		sum += each
	}
	return sum
}

func main() {
	what := race.Ordered("rendezvous", 1000000)
	capacity, pairs := 100, 1
	switch what.Variant {
	case "rendezvous":
		capacity = 0
	case "buffered":
	case "many":
		pairs = 4
	default:
		race.Refuse("channel", what)
	}
	result := race.Measured(func() uint64 { return pass(capacity, pairs, what.Size) })
	race.Report("channel", what, what.Size, result, uint64(what.Size)*uint64(what.Size-1)/2, "")
}
