package edits

import (
	"io"
	"os"
	"strings"
)

// patch notes all the paths of a patch in the form of Codex's apply_patch: of files
// that it adds, updates, deletes and moves, where from and where to.
func (w *walker) patch(text string) {
	updating := false
	for line := range strings.Lines(text) {
		header := strings.TrimRight(line, "\r\n")
		if !updating {
			header = strings.TrimSpace(header) // in an update a blank begins a line of the file
		}
		for _, h := range []struct {
			start   string
			updates bool
		}{
			{"*** Add File: ", false},
			{"*** Delete File: ", false},
			{"*** Update File: ", true},
			{"*** Move to: ", true},
		} {
			if path, ok := strings.CutPrefix(header, h.start); ok {
				updating = h.updates
				w.write(strings.TrimSpace(path))
			}
		}
	}
}

// maxDiff bounds the file of a patch that is read, in bytes.
const maxDiff = 4 << 20

// diffFile notes the paths of a patch in a file.
func (w *walker) diffFile(path string, strip int) {
	abs := w.absolute(path)
	if abs == "" {
		return
	}
	info, err := os.Stat(abs)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	file, err := os.Open(abs)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }() // it was only read
	if text, err := io.ReadAll(io.LimitReader(file, maxDiff)); err == nil {
		w.diff(string(text), strip)
	}
}

// diff notes the paths of a patch as diff and git write them, without the first
// strip parts of each.
func (w *walker) diff(text string, strip int) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		for _, start := range []string{"--- ", "+++ ", "rename from ", "rename to ", "copy to "} {
			path, ok := strings.CutPrefix(line, start)
			if !ok {
				continue
			}
			path, _, _ = strings.Cut(path, "\t") // a time follows
			path = strings.Trim(path, `"`)
			parts := strip
			if !strings.HasPrefix(start, "-") && !strings.HasPrefix(start, "+") {
				parts = 0 // these have no a/ and b/
			}
			for range parts {
				if _, rest, ok := strings.Cut(path, "/"); ok {
					path = rest
				}
			}
			if path != "/dev/null" && path != "dev/null" {
				w.write(path)
			}
		}
	}
}
