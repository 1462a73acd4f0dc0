package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	race "weft/bench/compare/support/go"
)

func serve(peer net.Conn) {
	defer peer.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := peer.Read(buffer)
		if err != nil {
			return
		}
		if _, err = peer.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func main() {
	what := race.Ordered("pingpong", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	if what.Variant == "hog" {
		go func() {
			for ; ; runtime.Gosched() {
				for end := time.Now().Add(10 * time.Millisecond); time.Now().Before(end); {
				}
			}
		}()
	}
	for {
		if peer, err := listener.Accept(); err == nil {
			go serve(peer)
		}
	}
}
