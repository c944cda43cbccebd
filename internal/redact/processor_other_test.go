//go:build !unix

package redact_test

import "time"

var started = time.Now()

// processorTime returns the elapsed time: on this platform nothing better is
// available.
func processorTime() time.Duration { return time.Since(started) }
