package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.org/bridge/internal/harness/run"
)

// writers are the formats of reports, by their names in suites.
var writers = map[string]struct {
	extension string
	write     func(io.Writer, *run.Report) error
}{
	"json":  {".json", JSON},
	"junit": {".xml", JUnit},
	"html":  {".html", HTML},
}

// JSON writes the whole report.
func JSON(w io.Writer, r *run.Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// Form writes a report in one of the formats that a suite may name.
func Form(w io.Writer, format string, r *run.Report) error { return writers[format].write(w, r) }

// Prefix marks the files created by Write, so that Sweep removes no others.
const Prefix = "harness-"

// Write writes a report in each format into a folder, creating the folder if needed, and
// returns the paths. Only the owner can read the files.
func Write(folder string, formats []string, r *run.Report) (paths []string, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("cannot create the folder for reports: %w", err)
	}
	stem := Prefix + r.Started.UTC().Format("20060102T150405.000Z")
	for _, name := range formats {
		format := writers[name]
		path := filepath.Join(folder, stem+format.extension)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return paths, fmt.Errorf("cannot write a report: %w", err)
		}
		err = format.write(f, r)
		if closing := f.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return paths, fmt.Errorf("cannot write %s: %w", path, err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// Sweep removes reports of a folder that are older than the given time. Other files, and
// links, are kept.
func Sweep(folder string, before time.Time) (removed int, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		stem, _, _ := strings.Cut(strings.TrimPrefix(e.Name(), Prefix), "Z.")
		written, err := time.Parse("20060102T150405.000", stem)
		if err != nil || !strings.HasPrefix(e.Name(), Prefix) || !e.Type().IsRegular() || !written.Before(before) {
			continue
		}
		if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
