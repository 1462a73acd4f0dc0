// Go has no plain threads: a goroutine that is locked to a thread of its own rings.
package main

import (
	"fmt"
	"runtime"
	"sort"
	"time"

	race "weft/bench/compare/support/go"
)

func main() {
	what := race.Ordered("asleep", 200)
	if what.Variant != "asleep" && what.Variant != "awake" {
		race.Refuse("wake", what)
	}
	bell := make(chan time.Time, 1)
	answers := make(chan int, 1)
	go func() {
		runtime.LockOSThread()
		for i := 0; i < what.Size; i++ {
			if what.Variant == "asleep" {
				time.Sleep(5 * time.Millisecond)
			}
			bell <- time.Now()
			<-answers
		}
		close(bell)
	}()
	var taken []float64
	sum := 0.0
	for rungAt := range bell {
		microseconds := float64(time.Since(rungAt).Nanoseconds()) / 1000
		taken = append(taken, microseconds)
		sum += microseconds
		answers <- 1
	}
	sort.Float64s(taken)
	at := func(part float64) float64 { return taken[int(part*float64(len(taken)))] }
	race.Report("wake", what, what.Size, race.Outcome{Seconds: sum / 1e6, Check: uint64(len(taken))}, uint64(what.Size),
		fmt.Sprintf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f", at(0.5), at(0.99), at(0.999)))
}
