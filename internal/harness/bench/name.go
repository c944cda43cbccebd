package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// folderOf returns the name of the folder of a case: the case's name, restricted to
// characters that all file systems accept, and part of its digest if characters were
// replaced.
func folderOf(name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r == '/':
			return '.'
		}
		return -1
	}, name)
	safe = safe[:min(len(safe), mostCaseLetter)]
	if strings.ReplaceAll(safe, ".", "/") == name {
		return safe
	}
	sum := sha256.Sum256([]byte(name))
	return strings.TrimLeft(safe, ".") + "-" + hex.EncodeToString(sum[:4])
}
