package sandbox

import (
	"path/filepath"
	"strings"

	"example.org/bridge/internal/guard/paths"
)

// bareHead is the file that, together with "objects" and "refs" or with
// "commondir", makes git treat its folder as a repository. At the top of a
// workspace without .git it is held; elsewhere a new one is put aside after the
// run.
const bareHead = "HEAD"

// protectedBy returns why a name is protected, or "".
func protectedBy(name string) string {
	if !paths.IsProtectedName(name) {
		return ""
	}
	for _, p := range paths.ProtectedNames() {
		if paths.Fold(p.Name) == paths.Fold(name) {
			return p.Why
		}
	}
	return ""
}

// protectedComponent returns the first component of a path that is protected.
func protectedComponent(path string) string {
	for part := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if paths.IsProtectedName(part) {
			return part
		}
	}
	return ""
}

// envExamples are the endings of .env files that contain no secrets.
var envExamples = []string{".example", ".sample", ".template", ".dist", ".defaults", ".schema"}

// secretEnv reports whether name is that of a file with a project's secrets,
// following the conventions of the common loaders.
func secretEnv(name string) bool {
	name = strings.ToLower(name)
	if name != ".env" && !strings.HasPrefix(name, ".env.") {
		return false
	}
	for _, end := range envExamples {
		if strings.HasSuffix(name, end) {
			return false
		}
	}
	return true
}
