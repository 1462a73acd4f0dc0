package main

import (
	"sync"

	race "weft/bench/compare/support/go"
)

func fib(n int) uint64 {
	if n < 2 {
		return uint64(n)
	}
	var a uint64
	var forked sync.WaitGroup
	forked.Add(1)
	go func() {
		a = fib(n - 1)
		forked.Done()
	}()
	b := fib(n - 2)
	forked.Wait()
	return a + b
}

func plain(n int) uint64 {
	if n < 2 {
		return uint64(n)
	}
	return plain(n-1) + plain(n-2)
}

func main() {
	what := race.Ordered("fork", 27)
	result := race.Measured(func() uint64 { return fib(what.Size) })
	race.Report("fib", what, int(2*plain(what.Size+1)-1), result, plain(what.Size), "")
}
