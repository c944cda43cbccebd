package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrNoUsage reports a system that does not tell what a process uses.
var ErrNoUsage = errors.New("this system does not tell how much memory a process has")

// Memory is what a process has in memory, in megabytes of 1,000,000 bytes.
type Memory struct {
	// Resident is all of it, with the pages of the program that it shares.
	Resident float64
	// Private is what it allocated for itself; 0 where the system does not tell.
	Private float64
}

// MemoryOf asks the system how much memory a process has.
func MemoryOf(ctx context.Context, pid int) (Memory, error) {
	if text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status")); err == nil {
		return parseStatus(string(text))
	}
	resident, err := kibibytes(output(ctx, "ps", "-o", "rss=", "-p", strconv.Itoa(pid)))
	return Memory{Resident: resident}, err
}

// parseStatus reads proc(5), status: VmRSS and RssAnon.
func parseStatus(status string) (m Memory, err error) {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "VmRSS":
			m.Resident, err = kibibytes(value)
		case "RssAnon":
			m.Private, err = kibibytes(value)
		}
		if err != nil {
			return Memory{}, err
		}
	}
	if m.Resident == 0 {
		return Memory{}, ErrNoUsage
	}
	return m, nil
}

// kibibytes returns a number of units of 1024 bytes in megabytes.
func kibibytes(text string) (float64, error) {
	kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNoUsage, err)
	}
	return kib * 1024 / 1e6, nil
}
