// Package relpath normalizes the paths that agents use, so that they can be
// compared. It does not access files.
package relpath

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxLength is the maximum length of a path, in bytes.
const MaxLength = 240

// Clean normalizes a path or pattern: relative to the root of the repository or of the
// shared files, with slashes, in Unicode's normalization form C. A path that ends with
// a slash includes everything below it. If the path is invalid, it returns the problem.
func Clean(path string) (clean, problem string) {
	switch {
	case len(path) > MaxLength:
		return "", "must have paths of at most 240 bytes"
	case !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl):
		return "", "must have paths without control characters"
	case strings.Contains(path, `\`):
		return "", `must have paths with "/" as the separator`
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
