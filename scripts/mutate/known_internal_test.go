package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestKnownChanges checks that each known change can still be applied and changes
// something. Whether tests notice it is checked by make mutate-known.
func TestKnownChanges(t *testing.T) {
	root := filepath.Join("..", "..")
	for _, k := range knownChanges {
		c, err := k.change(root)
		if err != nil {
			t.Error(err)
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, k.file))
		if err != nil || bytes.Equal(text, c.text) {
			t.Errorf("%s: %q changes nothing: %v", k.file, k.what, err)
		}
		if k.tests == "" {
			t.Errorf("%s: %q names no tests", k.file, k.what)
		}
	}
}
