package main

import (
	"sync"
	"sync/atomic"
	"time"

	race "weft/bench/compare/support/go"
)

func main() {
	what := race.Ordered("idle", 1500)
	never := make(chan bool)
	var waiting atomic.Uint64
	var crew sync.WaitGroup
	crew.Add(100)
	for i := 0; i < 100; i++ {
		go func() {
			waiting.Add(1)
			<-never
			crew.Done()
		}()
	}
	time.Sleep(time.Duration(what.Size) * time.Millisecond)
	close(never)
	crew.Wait()
	race.Report("idle", what, 1, race.Outcome{Seconds: float64(what.Size) / 1000, Check: waiting.Load()}, 100, "")
}
