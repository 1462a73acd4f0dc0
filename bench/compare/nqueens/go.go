package main

import (
	"sync"

	race "weft/bench/compare/support/go"
)

type board struct {
	column [16]int8
	rows   int
}

func (b *board) allows(candidate int) bool {
	for row := 0; row < b.rows; row++ {
		distance := int(b.column[row]) - candidate
		if distance == 0 || distance == b.rows-row || distance == row-b.rows {
			return false
		}
	}
	return true
}

func (b *board) with(candidate int) board {
	next := *b
	next.column[next.rows] = int8(candidate)
	next.rows++
	return next
}

func solutions(placed board, n int) uint64 {
	if placed.rows == n {
		return 1
	}
	var found [16]uint64
	var rows sync.WaitGroup
	for column := 0; column < n; column++ {
		if !placed.allows(column) {
			continue
		}
		rows.Add(1)
		go func(column int) {
			found[column] = solutions(placed.with(column), n)
			rows.Done()
		}(column)
	}
	rows.Wait()
	var sum uint64
	for _, each := range found {
		sum += each
	}
	return sum
}

func main() {
	what := race.Ordered("fork", 10)
	known := []uint64{1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365596}
	result := race.Measured(func() uint64 { return solutions(board{}, what.Size) })
	race.Report("nqueens", what, int(known[what.Size]), result, known[what.Size], "")
}
