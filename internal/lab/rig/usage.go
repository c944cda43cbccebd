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

// ErrNoUsage is returned on systems that do not report the memory of a process.
var ErrNoUsage = errors.New("this system does not report the memory of a process")

// Memory is the memory of a process, in megabytes of 1,000,000 bytes.
type Memory struct {
	// Resident is all resident memory, including the shared pages of the program.
	Resident float64
	// Private is the anonymous memory; 0 if the system does not report it.
	Private float64
}

// MemoryOf returns the memory of a process.
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

// kibibytes converts a number of units of 1024 bytes to megabytes.
func kibibytes(text string) (float64, error) {
	kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNoUsage, err)
	}
	return kib * 1024 / 1e6, nil
}
