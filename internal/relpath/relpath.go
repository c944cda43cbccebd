// Package relpath brings the paths that agents name into one form, so that what they
// say of files can be compared. It touches no file.
package relpath

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxLength is how many bytes a path has at most.
const MaxLength = 240

// Clean brings a path or pattern into its one form: relative to the root of the
// repository or of the shared files, with slashes, composed as Unicode's form C. A path
// that ends with a slash means all that is below it. It returns what is wrong with it
// otherwise.
func Clean(path string) (clean, problem string) {
	switch {
	case len(path) > MaxLength:
		return "", "must have paths of at most 240 bytes"
	case !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl):
		return "", "must have paths without control characters"
	case strings.Contains(path, `\`):
		return "", `must have paths with "/" between their parts`
	case strings.HasPrefix(path, "/") || strings.HasPrefix(path, "~") || len(path) > 1 && path[1] == ':':
		return "", "must have paths relative to the root of the repository"
	}
	below := strings.HasSuffix(path, "/")
	var parts []string
	for part := range strings.SplitSeq(norm.NFC.String(path), "/") {
		switch part {
		case "", ".":
		case "..":
			return "", `must have paths without ".."`
		default:
			parts = append(parts, part)
		}
	}
	if below && len(parts) > 0 {
		parts = append(parts, "**")
	}
	if len(parts) == 0 {
		return "", `must have paths of files, or patterns such as "src/**"; "**" is everything`
	}
	return strings.Join(parts, "/"), ""
}
