package main

import (
	"runtime"
	"sync"

	race "weft/bench/compare/support/go"
)

func main() {
	what := race.Ordered("pair", 1000000)
	result := race.Measured(func() uint64 {
		var pair sync.WaitGroup
		var turns [2]int
		for i := range turns {
			pair.Add(1)
			go func(mine *int) {
				defer pair.Done()
				for ; *mine < what.Size/2; *mine++ {
					runtime.Gosched()
				}
			}(&turns[i])
		}
		pair.Wait()
		return uint64(turns[0] + turns[1])
	})
	race.Report("yield", what, what.Size, result, uint64(what.Size), "")
}
