package main

import (
	"sync"

	race "weft/bench/compare/support/go"
)

func inBatches(count, batch int) uint64 {
	results := make([]uint64, batch)
	var sum uint64
	for first := 0; first < count; first += batch {
		var all sync.WaitGroup
		all.Add(batch)
		for i := 0; i < batch; i++ {
			go func(i int) {
				results[i] = uint64(first+i) & 1
				all.Done()
			}(i)
		}
		all.Wait()
		for _, each := range results {
			sum += each
		}
	}
	return sum
}

func main() {
	what := race.Ordered("one", 1000000)
	batch := 1
	switch what.Variant {
	case "one":
	case "batch":
		batch = 1000
	default:
		race.Refuse("spawn_join", what)
	}
	result := race.Measured(func() uint64 { return inBatches(what.Size, batch) })
	race.Report("spawn_join", what, what.Size, result, uint64(what.Size/2), "")
}
