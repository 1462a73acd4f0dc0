package main

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	race "weft/bench/compare/support/go"
)

func sleepTogether(count int) uint64 {
	var awake atomic.Uint64
	var sleepers sync.WaitGroup
	sleepers.Add(count)
	for i := 0; i < count; i++ {
		go func(i int) {
			time.Sleep(time.Duration(500+i%500) * time.Millisecond)
			awake.Add(1)
			sleepers.Done()
		}(i)
	}
	sleepers.Wait()
	return awake.Load()
}

func beInTime(count int) uint64 {
	var inTime uint64
	for i := 0; i < count; i++ {
		_, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		runtime.Gosched()
		inTime++
		cancel()
	}
	return inTime
}

func main() {
	what := race.Ordered("cancel", 100000)
	work := beInTime
	switch what.Variant {
	case "cancel":
	case "sleepers":
		work = sleepTogether
	default:
		race.Refuse("timers", what)
	}
	result := race.Measured(func() uint64 { return work(what.Size) })
	race.Report("timers", what, what.Size, result, uint64(what.Size), "")
}
