package main

import (
	"sync"

	race "weft/bench/compare/support/go"
)

func byJoins(number, size int) uint64 {
	if size == 1 {
		return uint64(number)
	}
	var found [10]uint64
	var children sync.WaitGroup
	children.Add(10)
	for i := 0; i < 10; i++ {
		go func(i int) {
			found[i] = byJoins(number+i*(size/10), size/10)
			children.Done()
		}(i)
	}
	children.Wait()
	var sum uint64
	for _, each := range found {
		sum += each
	}
	return sum
}

func throughChannels(up chan uint64, number, size int) {
	if size == 1 {
		up <- uint64(number)
		return
	}
	sums := make(chan uint64)
	for i := 0; i < 10; i++ {
		go throughChannels(sums, number+i*(size/10), size/10)
	}
	var sum uint64
	for i := 0; i < 10; i++ {
		sum += <-sums
	}
	up <- sum
}

func main() {
	what := race.Ordered("joins", 1000000)
	work := func() uint64 { return byJoins(0, what.Size) }
	switch what.Variant {
	case "joins":
	case "channels":
		work = func() uint64 {
			result := make(chan uint64)
			go throughChannels(result, 0, what.Size)
			return <-result
		}
	default:
		race.Refuse("skynet", what)
	}
	race.Report("skynet", what, what.Size, race.Measured(work), uint64(what.Size)*uint64(what.Size-1)/2, "")
}
