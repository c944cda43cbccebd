package edits

import (
	"path"
	"strconv"
	"strings"
)

// patch records all paths in a patch in the format of Codex's apply_patch: files
// that it adds, updates and deletes, and both ends of moves.
func (w *walker) patch(text string) {
	updating := false
	for line := range strings.Lines(text) {
		header := strings.TrimRight(line, "\r\n")
		if !updating {
			header = strings.TrimSpace(header) // within an update, a line of the file begins with a blank
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

// baseOnly strips all folders from the paths of a patch.
const baseOnly = -1

// diff records the paths in a patch as written by diff and git, without the
// first strip parts of each.
func (w *walker) diff(text string, strip int) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if both, ok := strings.CutPrefix(line, "diff --git "); ok {
			if half := len(both) / 2; half > 0 && both[half] == ' ' { // otherwise, the lines of a rename follow
				w.diffPath(both[:half], strip)
			}
			continue
		}
		for _, start := range []string{"--- ", "+++ ", "rename from ", "rename to ", "copy to "} {
			path, ok := strings.CutPrefix(line, start)
			switch {
			case !ok:
			case strings.HasPrefix(start, "-") || strings.HasPrefix(start, "+"):
				path, _, _ = strings.Cut(path, "\t") // a time follows the path
				w.diffPath(path, strip)
			default:
				w.diffPath(path, min(strip, 0)) // these have no a/ and b/ prefix
			}
		}
	}
}

// diffPath records a path of a patch. git quotes paths with unusual characters.
func (w *walker) diffPath(name string, strip int) {
	if strings.HasPrefix(name, `"`) {
		if plain, err := strconv.Unquote(name); err == nil {
			name = plain
		}
	}
	if name == "/dev/null" {
		return
	}
	if strip == baseOnly {
		name = path.Base(name)
	}
	for range strip {
		if _, rest, ok := strings.Cut(name, "/"); ok {
			name = rest
		}
	}
	w.write(name)
}
