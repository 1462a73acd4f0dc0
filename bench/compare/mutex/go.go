package main

import (
	"runtime"
	"sync"

	race "weft/bench/compare/support/go"
)

func countTogether(goroutines, count int) uint64 {
	var guard sync.Mutex
	var counter uint64
	var crew sync.WaitGroup
	crew.Add(goroutines)
	for g := 0; g < goroutines; g++ {
		go func() {
			defer crew.Done()
			for i := 0; i < count/goroutines; i++ {
				guard.Lock()
				counter++
				if goroutines > 1 && i%16 == 0 {
					runtime.Gosched()
				}
				guard.Unlock()
			}
		}()
	}
	crew.Wait()
	return counter
}

func main() {
	what := race.Ordered("uncontended", 1000000)
	goroutines := 1
	switch what.Variant {
	case "uncontended":
	case "contended":
		goroutines = 8
	default:
		race.Refuse("mutex", what)
	}
	result := race.Measured(func() uint64 { return countTogether(goroutines, what.Size) })
	race.Report("mutex", what, what.Size, result, uint64(what.Size/goroutines*goroutines), "")
}
