package main

import (
	"sync"

	race "weft/bench/compare/support/go"
)

const width = 8

func child(node, i uint64) uint64 {
	z := node + (i+1)*0x9e3779b97f4a7c15
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

func isInner(node uint64) bool { return float64(node>>11)*0x1p-53 < 0.124 }

func count(node uint64, width int) uint64 {
	found := make([]uint64, width)
	var children sync.WaitGroup
	children.Add(width)
	for i := 0; i < width; i++ {
		go func(i int) {
			next := child(node, uint64(i))
			found[i] = 1
			if isInner(next) {
				found[i] = count(next, 8)
			}
			children.Done()
		}(i)
	}
	children.Wait()
	sum := uint64(1)
	for _, each := range found {
		sum += each
	}
	return sum
}

func serial(node uint64) uint64 {
	if !isInner(node) {
		return 1
	}
	sum := uint64(1)
	for i := uint64(0); i < width; i++ {
		sum += serial(child(node, i))
	}
	return sum
}

func main() {
	what := race.Ordered("fork", 2000)
	nodes := uint64(1)
	for i := 0; i < what.Size; i++ {
		nodes += serial(child(1, uint64(i)))
	}
	result := race.Measured(func() uint64 { return count(1, what.Size) })
	race.Report("uts", what, int(nodes), result, nodes, "")
}
