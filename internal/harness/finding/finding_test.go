package finding_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/harness/finding"
)

// TestDocumented checks that docs/harness.md describes each kind in the same words as the
// list.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "harness.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range finding.Kinds {
		if row := "| `" + string(k.Kind) + "` | " + k.About + " |\n"; !strings.Contains(string(text), row) {
			t.Errorf("docs/harness.md does not have %s", row)
		}
	}
}
