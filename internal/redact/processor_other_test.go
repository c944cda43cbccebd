//go:build !unix

package redact_test

import "time"

var started = time.Now()

// processorTime returns the time that has passed: nothing better is at hand.
func processorTime() time.Duration { return time.Since(started) }
