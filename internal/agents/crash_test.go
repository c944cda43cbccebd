package agents_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/agents"
)

// TestHalfInstalled checks that an installation that was interrupted between two files
// can be undone, and can be completed by installing again.
func TestHalfInstalled(t *testing.T) {
	everywhere(t, func(t *testing.T, d *desk, s agents.Setup) {
		for path, text := range configurations["comments, tabs, others' entries"] {
			d.write(path, text)
		}
		before := d.tree()
		plan := d.install(s)
		installed := d.tree()
		for _, path := range plan.Files() {
			name, err := filepath.Rel(d.root, path)
			if err != nil {
				t.Fatal(err)
			}
			undo := func() {
				if text, ok := configurations["comments, tabs, others' entries"][filepath.ToSlash(name)]; ok {
					d.write(name, text)
				} else if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			undo()
			d.install(s)
			if diff := cmp.Diff(installed, d.tree()); diff != "" {
				t.Errorf("%s, installed again (-want +got):\n%s", name, diff)
			}
			undo()
			d.uninstall(s)
			if diff := cmp.Diff(before, d.tree()); diff != "" {
				t.Errorf("%s, uninstalled (-want +got):\n%s", name, diff)
			}
			d.install(s)
		}
	})
}

// TestNoPlaceForReceipt checks that nothing is installed if it could not be undone.
func TestNoPlaceForReceipt(t *testing.T) {
	d := newDesk(t)
	d.write("home/.local", "a file, where a folder should be")
	before := d.tree()
	plan, err := d.Install(d.setup(agents.Claude, agents.ScopeUser))
	if err == nil {
		err = plan.Apply()
	}
	if err == nil {
		t.Error("it was installed")
	}
	if diff := cmp.Diff(before, d.tree()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
