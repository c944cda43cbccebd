package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// isSecretFile reports whether a value names a file in the project whose name
// says that it contains secrets.
func (w *walker) isSecretFile(v value, s *state) bool {
	for _, candidate := range paths.Candidates(v.pattern) {
		c := v
		c.pattern = w.world.Untilde(candidate)
		places, _ := w.places(c, s)
		for _, place := range places {
			if strings.ContainsRune(place, unknownMark) {
				continue
			}
			if paths.HasGlob(place) && paths.GlobNamesSecretFile(place) {
				return true
			}
			if !paths.HasGlob(place) && w.inProject(place) && paths.IsSecretFile(paths.UnescapeGlob(place)) {
				return true
			}
		}
	}
	return false
}

// checkSecret refuses a value that names, or could name, a secret.
func (w *walker) checkSecret(v value, s *state) error {
	candidates := paths.Candidates(v.pattern)
	if len(v.text) > 2 && v.text[0] == '-' && v.text[1] != '-' {
		candidates = append(candidates, v.pattern[2:])
	}
	for _, candidate := range candidates {
		if candidate == string(unknownMark) {
			continue
		}
		c := v
		c.pattern = w.world.Untilde(candidate)
		places, _ := w.places(c, s)
		for _, place := range places {
			if w.isSecret(place) {
				return verdict.ErrSecret
			}
		}
	}
	return nil
}

// isSecret reports whether a cleaned pattern could name a secret. An unknown part
// may be any text without a slash, including one with a leading dot.
func (w *walker) isSecret(pattern string) bool {
	if parts := paths.Components(pattern); parts[0] == "dev" {
		return len(parts) > 1 && !yoloDevice(parts[1])
	}
	if !strings.ContainsRune(pattern, unknownMark) {
		if paths.HasGlob(pattern) {
			return w.world.Secrets.Glob(pattern)
		}
		if w.world.Secrets.Has(paths.UnescapeGlob(pattern)) {
			return true
		}
		actual, err := paths.Resolve(w.world.FS, paths.UnescapeGlob(pattern))
		return err != nil || (paths.Components(actual)[0] != "dev" && w.world.Secrets.Has(actual))
	}
	mark := string(unknownMark)
	return w.world.Secrets.Glob(strings.ReplaceAll(pattern, mark, "*")) ||
		w.world.Secrets.Glob(strings.ReplaceAll(pattern, mark, ".*"))
}

// yoloDevice reports whether a device contains no data and can do no harm.
func yoloDevice(name string) bool {
	return slices.Contains([]string{"null", "zero", "full", "random", "urandom", "stdin", "stdout", "stderr", "fd", "shm"}, name)
}
