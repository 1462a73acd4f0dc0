// The files of a directory over HTTP. Usage: go VARIANT CORES SIZE DIRECTORY. Runs until it is killed.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"

	race "weft/bench/compare/support/go"
)

func main() {
	race.Ordered("small", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil || len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "go: no directory, or nowhere to listen:", err)
		os.Exit(1)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	_ = http.Serve(listener, http.FileServer(http.Dir(os.Args[4])))
}
