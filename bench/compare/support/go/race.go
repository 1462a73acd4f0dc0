// Package race is what the Go programs of the races have in common: the command line, the measuring, and the line that
// they print.
package race

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

// Order is what a program is asked for: PROGRAM [VARIANT [CORES [SIZE]]].
type Order struct {
	Variant string
	Cores   int
	Size    int
}

// Outcome is what a measured run gave.
type Outcome struct {
	Seconds float64
	Check   uint64
}

// Ordered reads the command line and sets the number of cores.
func Ordered(variant string, size int) Order {
	what := Order{variant, 1, size}
	if len(os.Args) > 1 {
		what.Variant = os.Args[1]
	}
	if len(os.Args) > 2 {
		what.Cores, _ = strconv.Atoi(os.Args[2])
	}
	if len(os.Args) > 3 {
		what.Size, _ = strconv.Atoi(os.Args[3])
	}
	runtime.GOMAXPROCS(what.Cores)
	return what
}

// Measured does the work once to warm memory and caches up, and once for the clock.
func Measured(work func() uint64) Outcome {
	work()
	begin := time.Now()
	check := work()
	return Outcome{time.Since(begin).Seconds(), check}
}

// Report prints the line of one run; more holds further members, each beginning with a comma.
func Report(problem string, what Order, items int, result Outcome, expected uint64, more string) {
	fmt.Printf("{\"problem\":\"%s\",\"variant\":\"%s\",\"library\":\"go\",\"cores\":%d,\"items\":%d,\"seconds\":%.9f,\"check\":%d%s}\n",
		problem, what.Variant, what.Cores, items, result.Seconds, result.Check, more)
	if result.Check != expected {
		fmt.Fprintf(os.Stderr, "%s of go: the check value is %d, expected %d\n", problem, result.Check, expected)
		os.Exit(1)
	}
}

// Refuse ends the program for a variant that it does not have.
func Refuse(problem string, what Order) {
	fmt.Fprintf(os.Stderr, "%s: no variant is called '%s'\n", problem, what.Variant)
	os.Exit(2)
}
