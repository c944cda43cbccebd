package packaging_test

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestSBOM checks that the bill of materials of a program lists the modules in
// it, with their versions and hashes, and is reproducible.
func TestSBOM(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: builds the program")
	}
	program := filepath.Join(t.TempDir(), "bridge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../cmd/bridge").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	read := func(name string) []byte {
		output := filepath.Join(t.TempDir(), name)
		if out, err := exec.CommandContext(t.Context(), "go", "run", "../scripts/sbom", program, output).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		text, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	text := read("first")
	if !slices.Equal(text, read("second")) {
		t.Error("two bills of one program differ")
	}
	var bill struct {
		BOMFormat  string
		Components []struct {
			Name, Version string
			Hashes        []struct{ Alg, Content string }
		}
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, c := range bill.Components {
		listed[c.Name] = c.Version
		if c.Name != "std" && (len(c.Hashes) != 1 || len(c.Hashes[0].Content) != 64) {
			t.Errorf("%s has the hashes %v", c.Name, c.Hashes)
		}
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range info.Deps {
		if listed[m.Path] != m.Version {
			t.Errorf("%s %s is in the program, the bill says %q", m.Path, m.Version, listed[m.Path])
		}
	}
	if bill.BOMFormat != "CycloneDX" || len(bill.Components) != len(info.Deps)+1 || len(info.Deps) == 0 {
		t.Errorf("%s with %d components for %d modules", bill.BOMFormat, len(bill.Components), len(info.Deps))
	}
}
