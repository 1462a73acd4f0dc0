package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	race "weft/bench/compare/support/go"
)

// memoryKb is what is resident, page tables included.
func memoryKb() int {
	kb := 0
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if words := strings.Fields(line); len(words) > 1 && (words[0] == "VmRSS:" || words[0] == "VmPTE:") {
			number, _ := strconv.Atoi(words[1])
			kb += number
		}
	}
	return kb
}

func park(count int) (race.Outcome, int) {
	var guard sync.Mutex
	goOn := sync.NewCond(&guard)
	allThere := sync.NewCond(&guard)
	parked, isOpen := 0, false
	var ended sync.WaitGroup
	ended.Add(count)
	before := memoryKb()
	begin := time.Now()
	for i := 0; i < count; i++ {
		go func() {
			guard.Lock()
			parked++
			if parked == count {
				allThere.Signal()
			}
			for !isOpen {
				goOn.Wait()
			}
			guard.Unlock()
			ended.Done()
		}()
	}
	guard.Lock()
	for parked < count {
		allThere.Wait()
	}
	result := race.Outcome{Seconds: time.Since(begin).Seconds(), Check: uint64(parked)}
	kb := memoryKb() - before
	isOpen = true
	goOn.Broadcast()
	guard.Unlock()
	ended.Wait()
	return result, kb
}

func main() {
	what := race.Ordered("parked", 100000)
	_, kb := park(what.Size)
	result, _ := park(what.Size)
	race.Report("parked", what, what.Size, result, uint64(what.Size),
		fmt.Sprintf(",\"kib_each\":%.3f", float64(kb)/float64(what.Size)))
}
