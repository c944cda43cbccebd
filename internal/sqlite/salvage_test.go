//go:build unix

package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sqlite"
)

// TestSalvage checks that what a damaged store still holds is in the new store, that
// the new store works, that losses are reported, and that the old store is left
// unchanged.
func TestSalvage(t *testing.T) {
	t.Parallel()
	racetest.Skip(t)
	const messages = 300
	e := bridgetest.NewEnv(t)
	s, store, err := openChild(e.Path, nil)
	must(t, err)
	room := bridgetest.NewRoom(t, s, 3)
	for i := range messages {
		_, err := s.Send(t.Context(), room[0], bridge.SendRequest{To: []bridge.SessionID{bridge.Everyone}, Text: fmt.Sprintf("number %d %s", i, strings.Repeat("text ", 100))})
		must(t, err)
	}
	must(t, store.Close())
	whole, err := os.ReadFile(e.Path)
	must(t, err)
	page := func(text string) int { return bytes.Index(whole, []byte(text)) / 4096 * 4096 }
	tests := []struct {
		name   string
		damage func(content []byte)
		least  int // messages that must be saved
		sound  bool
	}{
		{"nothing damaged", func([]byte) {}, messages, true},
		{"a page of messages", func(c []byte) { clear(c[page("number 150 ") : page("number 150 ")+4096]) }, messages - 20, false},
		{"two pages of messages", func(c []byte) {
			clear(c[page("number 50 ") : page("number 50 ")+4096])
			clear(c[page("number 250 ") : page("number 250 ")+4096])
		}, messages - 40, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := bridgetest.NewEnv(t)
			content := bytes.Clone(whole)
			tt.damage(content)
			must(t, os.WriteFile(d.Path, content, 0o600))
			before := folder(t, filepath.Dir(d.Path))
			to := bridgetest.NewEnv(t)
			tables, err := sqlite.Salvage(t.Context(), d.Path, to.Path, e.Key)
			must(t, err)
			if diff := cmp.Diff(before, folder(t, filepath.Dir(d.Path))); diff != "" {
				t.Error("the old store was changed")
			}
			var saved, copies sqlite.Salvaged
			for _, table := range tables {
				switch table.Table {
				case "messages":
					saved = table
				case "copies":
					copies = table
				case "store", "audit_head", "audit_chain", "quota":
					if table.Rows != 1 {
						t.Errorf("saved %+v, want the only row", table)
					}
				}
			}
			if copies.Rows != saved.Rows || copies.Rows+copies.Dropped != messages {
				t.Errorf("saved %+v of the further recipients, want as many as messages", copies)
			}
			if saved.Rows < int64(tt.least) || (saved.Unreadable == 0) != tt.sound {
				t.Errorf("saved %+v, want %d messages or more", saved, tt.least)
			}
			to.Key = e.Key
			s := to.Service(t)
			found, err := s.Messages(t.Context(), room[0].Conversation, 0, messages+1)
			must(t, err)
			if int64(len(found)) != saved.Rows {
				t.Errorf("%d messages are there, %d were saved", len(found), saved.Rows)
			}
			if _, err := s.VerifyAudit(t.Context(), audit.Head{}); err != nil {
				t.Errorf("the log: %v", err)
			}
			checkIntegrity(t, to.Path)
			if left, _ := fs.Glob(os.DirFS(filepath.Dir(to.Path)), ".bridge-*"); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
	t.Run("to an existing file", func(t *testing.T) {
		to := newStore(t)
		if _, err := sqlite.Salvage(t.Context(), e.Path, to.Path, e.Key); err == nil {
			t.Error("a store was overwritten")
		}
	})
	t.Run("a store in use", func(t *testing.T) {
		busy, to := bridgetest.NewEnv(t), bridgetest.NewEnv(t)
		busy.Service(t)
		if _, err := sqlite.Salvage(t.Context(), busy.Path, to.Path, busy.Key); !errors.Is(err, bridge.ErrStoreBusy) {
			t.Errorf("got %v, want ErrStoreBusy", err)
		}
		if _, err := os.Stat(to.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Error("something was made")
		}
	})
}
