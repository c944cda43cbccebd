// Charts draws the figures of a report of `bridge bench --json` as SVG files, and
// lists them in a table:
//
//	go run ./charts REPORT FOLDER
//
// The same report gives the same files, byte for byte.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"example.org/bridge/internal/lab/bench"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: charts REPORT FOLDER")
		os.Exit(2)
	}
	if err := drawAll(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "charts:", err)
		os.Exit(1)
	}
}

// drawAll reads a report, and writes its charts and a table into a folder.
func drawAll(report, folder string) error {
	f, err := os.Open(report) //nolint:gosec // what its user names
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	r, err := bench.ReadReport(f)
	if err != nil {
		return fmt.Errorf("%s: %w", report, err)
	}
	for _, c := range charts {
		svg, err := c.svg(r)
		if err != nil {
			return fmt.Errorf("%s: %w", c.file, err)
		}
		if err := write(filepath.Join(folder, c.file), svg); err != nil {
			return err
		}
	}
	return write(filepath.Join(folder, tableFile), table(r))
}

func write(path string, text []byte) error {
	return os.WriteFile(path, text, 0o644) //nolint:gosec // for all to read
}
