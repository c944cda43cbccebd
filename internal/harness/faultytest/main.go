package faultytest

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Main runs the server with the process's arguments and streams and returns the exit code.
func Main() int {
	fs := flag.NewFlagSet("faulty", flag.ContinueOnError)
	names := fs.String("faults", "", "comma-separated names of faults")
	listen := fs.String("listen", "", "the address for HTTP (default: standard input and output)")
	child := fs.Bool("child", false, "act as the process that is left behind")
	work := fs.Duration("work", 0, "how long each call takes")
	folder := fs.String("folder", ".", "the folder of read_note")
	if err := fs.Parse(os.Args[1:]); err != nil {
		return 2
	}
	if *child {
		time.Sleep(time.Minute)
		return 0
	}
	faults, err := parse(*names)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if faults["crash-start"] {
		return 3
	}
	if faults["ignore-term"] {
		signal.Ignore(syscall.SIGTERM, os.Interrupt)
	}
	s := &server{faults: faults, folder: *folder, work: *work, counters: map[string]int{}}
	if *listen != "" {
		return s.serveHTTP(*listen)
	}
	return s.serveStdio(os.Stdin, os.Stdout)
}
