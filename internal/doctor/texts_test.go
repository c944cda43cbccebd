package doctor_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/doctor"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite/storefile"
)

func TestTextsThatDoNotOpen(t *testing.T) {
	const remedy = "they were changed, moved, or written in clear; restore them from an older backup"
	for name, c := range map[string]struct {
		found  map[string]int64
		err    error
		detail string // expected line; "" for none
	}{
		"none":    {},
		"one":     {map[string]int64{"steps.text": 1}, nil, "1 text does not open (steps.text 1): " + remedy},
		"several": {map[string]int64{"tasks.note": 2, "messages.message": 1}, nil, "3 texts do not open (messages.message 1, tasks.note 2): " + remedy},
		"error":   {nil, errors.New("no disk"), "no disk"},
	} {
		var r doctor.Report
		r.Unopened(c.found, c.err)
		switch {
		case c.detail == "" && len(r.Checks) > 0:
			t.Errorf("%s: got %+v", name, r.Checks)
		case c.detail != "" && (len(r.Checks) != 1 || r.Checks[0].Status != doctor.Problem || r.Checks[0].Detail != c.detail):
			t.Errorf("%s: got %+v", name, r.Checks)
		}
	}
}

// TestTextsAreCountedOrNot checks that the texts of an encrypted store are counted
// whatever else is wrong with it, or that doctor says why they were not.
func TestTextsAreCountedOrNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bridge.db")
	key, err := keyfile.LoadOrCreate(keyfile.Beside(path))
	if err != nil {
		t.Fatal(err)
	}
	id := []byte("store")
	whole := storefile.Inspection{SchemaVersion: 3, KnownVersion: 3, WAL: true, Encrypted: true, ID: id, KeyCheck: bridge.KeyCheck(key, id)}
	const counted, not = "1 text does not open (steps.text 1): ", "those that do not open were not counted: "
	for name, c := range map[string]struct {
		change func(found *storefile.Inspection)
		err    error
		status doctor.Status // expected line; "" for none
		detail string
	}{
		"sound":          {func(*storefile.Inspection) {}, nil, doctor.Problem, counted},
		"damaged pages":  {func(f *storefile.Inspection) { f.Problems = []string{"page 7"} }, nil, doctor.Problem, counted},
		"no log":         {func(f *storefile.Inspection) { f.WAL = false }, nil, doctor.Problem, counted},
		"a moved end":    {func(f *storefile.Inspection) { f.Ends = []storefile.End{{Conversation: "conv_1"}} }, nil, doctor.Problem, counted},
		"half decrypted": {func(f *storefile.Inspection) { f.Encrypted, f.Unfinished = false, true }, nil, doctor.Problem, counted},
		"in clear":       {func(f *storefile.Inspection) { f.Encrypted = false }, nil, "", ""},
		"another key":    {func(f *storefile.Inspection) { f.KeyCheck = id }, nil, doctor.Note, not + "they can only be opened with the store's key"},
		"an old one":     {func(f *storefile.Inspection) { f.SchemaVersion = 2 }, nil, doctor.Note, not + "the store must be migrated first"},
		"unreadable":     {func(*storefile.Inspection) {}, bridge.ErrStoreDamaged, doctor.Note, not + "the store cannot be read"},
		"unknown":        {func(f *storefile.Inspection) { f.Encrypted = false }, bridge.ErrStoreDamaged, "", ""},
	} {
		var r doctor.Report
		r.Store(path, true, nil, doctor.File{
			Inspect: func(string) (storefile.Inspection, error) {
				found := whole
				c.change(&found)
				return found, c.err
			},
			Unopened: func(_ string, with auth.Key) (map[string]int64, error) {
				if !whole.FitsKey(with) {
					t.Errorf("%s: they were counted with another key", name)
				}
				return map[string]int64{"steps.text": 1}, nil
			},
		})
		at := slices.IndexFunc(r.Checks, func(c doctor.Check) bool { return c.Name == "texts" })
		switch {
		case (at < 0) != (c.status == ""):
			t.Errorf("%s: got %+v", name, r.Checks)
		case at >= 0 && (r.Checks[at].Status != c.status || !strings.HasPrefix(r.Checks[at].Detail, c.detail)):
			t.Errorf("%s: got %+v", name, r.Checks[at])
		}
	}
}
