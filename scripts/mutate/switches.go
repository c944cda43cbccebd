package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// switches is the code that is added to each changed package. One change is enabled
// at a time: the one whose number is in the environment. If the environment names a
// file, the changes that a test reaches are recorded in it.
const switches = `package %s

import ("fmt"; "os"; "strconv"; "sync")

var (
	mutantNumber, _ = strconv.Atoi(os.Getenv("MUTANT"))
	mutantTrace     = os.Getenv("MUTANT_TRACE")
	mutantSeen      sync.Map
)

func mutantOn(n int) bool {
	if mutantTrace != "" {
		if _, seen := mutantSeen.LoadOrStore(n, true); !seen {
			if f, err := os.OpenFile(mutantTrace, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
				_, _ = fmt.Fprintln(f, n)
				_ = f.Close()
			}
		}
	}
	return n == mutantNumber
}

type mutantInteger interface { ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float64 }

func mutantMore[T mutantInteger](n int, v T) T { if mutantOn(n) { return v+1 }; return v }
func mutantPlus[T mutantInteger](n int, x, y T) T { if mutantOn(n) { return x-y }; return x+y }
func mutantMinus[T mutantInteger](n int, x, y T) T { if mutantOn(n) { return x+y }; return x-y }
func mutantText(n int, v, changed string) string { if mutantOn(n) { return changed }; return v }
func mutantError(n int, err error) error { if mutantOn(n) { return nil }; return err }
`

// switched returns a file's text with the switches of these changes, which are
// numbered from first on.
func switched(text []byte, changes []change, number map[string]int) []byte {
	changes = slices.SortedFunc(slices.Values(changes), func(a, b change) int { return cmp.Compare(a.from, b.from) })
	var out bytes.Buffer
	at := 0
	for _, c := range changes {
		out.Write(text[at:c.from])
		fmt.Fprintf(&out, c.switched, number[c.key()])
		at = c.to
	}
	out.Write(text[at:])
	return out.Bytes()
}

// overlaps reports whether two switches cannot be in the same copy.
func (c change) overlaps(other change) bool {
	return c.file == other.file && c.from < other.to && other.from < c.to
}

// overlay holds files that the compiler reads in place of others.
type overlay struct {
	dir     string
	Replace map[string]string
}

// newOverlay creates an overlay in a folder.
func newOverlay(dir string) *overlay { return &overlay{dir: dir, Replace: map[string]string{}} }

// put makes the compiler read a text in place of a file.
func (o *overlay) put(file string, text []byte) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	copied := filepath.Join(o.dir, fmt.Sprintf("%d-%s", len(o.Replace), filepath.Base(file)))
	o.Replace[path] = copied
	return os.WriteFile(copied, text, 0o600)
}

// write returns the path of the file for -overlay.
func (o *overlay) write() (string, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	file := filepath.Join(o.dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}

// withSwitches writes copies of the sources in which all these changes can be enabled,
// and returns the path of the overlay's file.
func withSwitches(dir string, sources map[string]*source, changes []change, number map[string]int) (string, error) {
	o := newOverlay(dir)
	for _, p := range sources {
		for i, file := range p.files {
			var here []change
			for _, c := range changes {
				if c.file == file {
					here = append(here, c)
				}
			}
			if here == nil {
				continue
			}
			if err := o.put(file, switched(p.texts[i], here, number)); err != nil {
				return "", err
			}
		}
		if err := o.put(filepath.Join(p.dir, "mutant_switches.go"), fmt.Appendf(nil, switches, p.name)); err != nil {
			return "", err
		}
	}
	return o.write()
}
