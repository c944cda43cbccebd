package atrest_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.org/bridge/internal/atrest"
)

// boxOf returns a box whose keys are derived from a name.
func boxOf(name string) *atrest.Box {
	return atrest.New(func(purpose string) []byte {
		sum := sha256.Sum256([]byte(name + "\x00" + purpose))
		return sum[:]
	})
}

var here = atrest.Place{Column: "messages.message", Of: "conv_1", Part: "a", Number: 7, Time: 9}

func TestSealedTextsOpenInTheirPlaceOnly(t *testing.T) {
	box := boxOf("key")
	elsewhere := map[string]atrest.Place{
		"another column":            {Column: "messages.files", Of: "conv_1", Part: "a", Number: 7, Time: 9},
		"another conversation":      {Column: "messages.message", Of: "conv_2", Part: "a", Number: 7, Time: 9},
		"another session":           {Column: "messages.message", Of: "conv_1", Part: "b", Number: 7, Time: 9},
		"another number":            {Column: "messages.message", Of: "conv_1", Part: "a", Number: 8, Time: 9},
		"another time":              {Column: "messages.message", Of: "conv_1", Part: "a", Number: 7, Time: 8},
		"number and time exchanged": {Column: "messages.message", Of: "conv_1", Part: "a", Number: 9, Time: 7},
		"names divided otherwise":   {Column: "messages.message", Of: "conv_1a", Part: "", Number: 7, Time: 9},
	}
	for _, text := range []string{"x", "hello, world", "\x00", "\x02\x02s:r", strings.Repeat("ä\n", 200_000), "no \xff UTF-8"} {
		for kind, sealed := range map[string]string{"random": box.Seal(here, text), "fixed": box.SealFixed(here, text)} {
			if len(text) > 5 && strings.Contains(sealed, text) || !atrest.IsSealed(sealed) {
				t.Fatalf("%s: %.40q is stored as %.80q", kind, text, sealed)
			}
			if got, err := box.Open(here, sealed); err != nil || got != text {
				t.Errorf("%s: %.40q came back as %.40q, %v", kind, text, got, err)
			}
			for what, place := range elsewhere {
				if got, err := box.Open(place, sealed); !errors.Is(err, atrest.ErrDamaged) || got != "" {
					t.Errorf("%s: in %s it opens: %.40q, %v", kind, what, got, err)
				}
			}
			for who, other := range map[string]*atrest.Box{"another key": boxOf("other"), "no key": nil} {
				if got, err := other.Open(here, sealed); !errors.Is(err, atrest.ErrDamaged) || got != "" {
					t.Errorf("%s: with %s it opens: %.40q, %v", kind, who, got, err)
				}
			}
		}
	}
}

func TestEveryBitOfASealedTextCounts(t *testing.T) {
	box := boxOf("key")
	for _, sealed := range []string{box.Seal(here, "pay 100"), box.SealFixed(here, "pay 100")} {
		// The bytes before the kind decide whether it counts as a sealed text at all.
		for at := len("\x02\x02s:"); at < len(sealed); at++ {
			for bit := range 8 {
				changed := []byte(sealed)
				changed[at] ^= 1 << bit
				if got, err := box.Open(here, string(changed)); !errors.Is(err, atrest.ErrDamaged) {
					t.Fatalf("byte %d, bit %d: %q opens as %q, %v", at, bit, changed, got, err)
				}
			}
			if got, err := box.Open(here, sealed[:at]); !errors.Is(err, atrest.ErrDamaged) {
				t.Fatalf("cut off at %d it opens as %q, %v", at, got, err)
			}
		}
		for _, last := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" { // also those that differ only in unused bits
			changed := sealed[:len(sealed)-1] + string(last)
			if got, err := box.Open(here, changed); changed != sealed && !errors.Is(err, atrest.ErrDamaged) {
				t.Fatalf("with %q at its end it opens as %q, %v", last, got, err)
			}
		}
		other := map[byte]string{'r': "f", 'f': "r"}[sealed[len("\x02\x02s:")]]
		if got, err := box.Open(here, "\x02\x02s:"+other+sealed[len("\x02\x02s:r"):]); !errors.Is(err, atrest.ErrDamaged) {
			t.Fatalf("as one of the other kind it opens as %q, %v", got, err)
		}
		for _, more := range []string{"A", "AA", "\n", "=", " "} {
			if got, err := box.Open(here, sealed+more); !errors.Is(err, atrest.ErrDamaged) {
				t.Fatalf("with %q behind it it opens as %q, %v", more, got, err)
			}
		}
	}
}

func TestNoncesAreRandomOrFixed(t *testing.T) {
	box, seen := boxOf("key"), map[string]bool{}
	for range 1000 {
		if sealed := box.Seal(here, "same"); seen[sealed] {
			t.Fatal("two sealed texts look the same")
		} else {
			seen[sealed] = true
		}
	}
	if one, two := box.SealFixed(here, "same"), box.SealFixed(here, "same"); one != two {
		t.Error("a fixed form is not fixed")
	}
	forms := map[string]string{}
	for what, form := range map[string]string{
		"here": box.SealFixed(here, "same"), "elsewhere": box.SealFixed(atrest.Place{Column: here.Column}, "same"),
		"another text": box.SealFixed(here, "sama"), "another key": boxOf("other").SealFixed(here, "same"),
	} {
		nonce := form[:len("\x02\x02s:f")+16]
		if other := forms[nonce]; other != "" {
			t.Errorf("%s and %s have the same nonce", what, other)
		}
		forms[nonce] = what
	}
}

// TestClearTextsAreNeverTaken checks that a text with any beginning is returned
// unchanged, both from a store that is not encrypted and from one that is.
func TestClearTextsAreNeverTaken(t *testing.T) {
	box := boxOf("key")
	sealed := box.Seal(here, "x")
	for _, text := range []string{"", "plain", "\x02", "\x02\x02", "\x02\x02c:", "\x02\x02s:", sealed, atrest.Clear(sealed), "\x02\x02s:rAAAA"} {
		for _, state := range []atrest.State{atrest.Off, atrest.On, atrest.TurningOn, atrest.TurningOff} {
			c := atrest.Cipher{Box: box, State: state}
			for kind, stored := range map[string]string{"text": c.Text(here, text), "fixed": c.Fixed(here, text)} {
				if got, err := box.Open(here, stored); err != nil || got != text {
					t.Errorf("%s, %s: %q is stored as %q and came back as %q, %v", state, kind, text, stored, got, err)
				}
				if want := state.Seals() && text != ""; atrest.IsSealed(stored) != want {
					t.Errorf("%s, %s: %q is stored as %q", state, kind, text, stored)
				}
			}
			plain, found := box.Forms(here, text)
			if stored := c.Fixed(here, text); stored != plain && stored != found {
				t.Errorf("%s: %q is stored as %q, and looked for as %q and %q", state, text, stored, plain, found)
			}
		}
	}
	// Older versions wrote no marks, so a text that begins with only part of one is a
	// plain text.
	if got, err := box.Open(here, "\x02\x02other"); err != nil || got != "\x02\x02other" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStatesInVersions(t *testing.T) {
	for _, schema := range []int64{0, 1, 18, 9_999, 1_000_018} {
		for _, state := range []atrest.State{atrest.Off, atrest.On, atrest.TurningOn, atrest.TurningOff} {
			if got, found := atrest.Split(state.Mark(schema)); got != schema || found != state {
				t.Errorf("schema %d, %s came back as %d, %s", schema, state, got, found)
			}
		}
	}
	if got, state := atrest.Split(-3); got != -3 || state != atrest.Off {
		t.Errorf("a version below 0 is %d, %s", got, state)
	}
	if got := atrest.State(7).String(); got != "unknown" || !atrest.On.Settled() || atrest.TurningOff.Settled() {
		t.Errorf("got %q", got)
	}
}

func TestBoxesNeverPrintTheirKeys(t *testing.T) {
	box := boxOf("key")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if got := fmt.Sprintf(verb, box); got != "atrest.Box(hidden)" {
			t.Errorf("%s prints %.60q", verb, got)
		}
	}
}

// FuzzOpen checks that nothing opens that was not sealed here, and that Open fails with
// no error other than ErrDamaged.
func FuzzOpen(f *testing.F) {
	box := boxOf("key")
	sealed := box.SealFixed(here, "text") // the same in each process of a fuzzer
	for _, seed := range []string{"", "x", "\x02\x02s:", "\x02\x02s:r", "\x02\x02s:f!", "\x02\x02c:x", sealed, sealed + "A", strings.Repeat("A", 4096)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		got, err := box.Open(here, stored)
		switch {
		case err != nil && (!errors.Is(err, atrest.ErrDamaged) || got != ""):
			t.Errorf("got %q, %v", got, err)
		case err == nil && atrest.IsSealed(stored) && stored != sealed:
			t.Errorf("%q opens as %q", stored, got)
		case err == nil && !atrest.IsSealed(stored) && got != stored && atrest.Clear(got) != stored && !strings.HasPrefix(stored, "\x02\x02c:"):
			t.Errorf("%q is read as %q", stored, got)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	box := boxOf("key")
	for _, size := range []int{200, 50_000} {
		text := strings.Repeat("x", size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for range b.N {
				_ = box.Seal(here, text)
			}
		})
	}
}

func TestSizeOfWhatIsSealed(t *testing.T) {
	box := boxOf("key")
	for n := range 200 {
		text := strings.Repeat("x", n)
		for _, stored := range []string{text, box.Seal(here, text), box.SealFixed(here, text)} {
			if got := atrest.Size(stored[:min(len(stored), atrest.MarkLength)], len(stored)); got != n {
				t.Fatalf("%d bytes, stored as %d, count as %d", n, len(stored), got)
			}
		}
	}
}

func TestClearTextsInStates(t *testing.T) {
	box := boxOf("key")
	for state, opens := range map[atrest.State]bool{atrest.Off: true, atrest.TurningOn: true, atrest.TurningOff: true, atrest.On: false} {
		c := atrest.Cipher{Box: box, State: state}
		for _, stored := range []string{"hello", "[]", atrest.Clear("\x02\x02c:"), "\x02\x02x"} {
			if _, err := c.Open(here, stored); (err == nil) != opens || err != nil && !errors.Is(err, atrest.ErrDamaged) {
				t.Errorf("%s: %q: %v", state, stored, err)
			}
		}
		for _, stored := range []string{"", box.Seal(here, "hello")} {
			if _, err := c.Open(here, stored); err != nil {
				t.Errorf("%s: %q: %v", state, stored, err)
			}
		}
	}
}
