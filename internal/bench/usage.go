package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// errNoUsage reports a system that does not tell what a process uses.
var errNoUsage = errors.New("this system does not tell how much memory a process has")

// memory is what a process has in memory, in megabytes of 1,000,000 bytes.
type memory struct {
	// resident is all of it, with the pages of the program that it shares.
	resident float64
	// private is what it allocated for itself; 0 where the system does not tell.
	private float64
}

// memoryOf asks the system how much memory a process has.
func memoryOf(ctx context.Context, pid int) (memory, error) {
	if text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status")); err == nil {
		return parseStatus(string(text))
	}
	resident, err := kibibytes(output(ctx, "ps", "-o", "rss=", "-p", strconv.Itoa(pid)))
	return memory{resident: resident}, err
}

// parseStatus reads proc(5), status: VmRSS and RssAnon.
func parseStatus(status string) (m memory, err error) {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "VmRSS":
			m.resident, err = kibibytes(value)
		case "RssAnon":
			m.private, err = kibibytes(value)
		}
		if err != nil {
			return memory{}, err
		}
	}
	if m.resident == 0 {
		return memory{}, errNoUsage
	}
	return m, nil
}

// kibibytes returns a number of units of 1024 bytes in megabytes.
func kibibytes(text string) (float64, error) {
	kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoUsage, err)
	}
	return kib * 1024 / 1e6, nil
}
