package remote_test

import (
	"errors"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/resources"
)

// TestResources checks that resources of a session can be read and watched through a
// gateway, and those of others cannot.
func TestResources(t *testing.T) {
	w := newWorld(t)
	c := w.conn(t)
	p, other := bridgetest.NewPair(t, w.served.Service), bridgetest.NewPair(t, w.served.Service)
	write := func(text string, version int64) {
		t.Helper()
		must(w.served.WriteFile(t.Context(), p.B, files.WriteRequest{Name: files.Name{Path: "api.md"}, Text: text, Version: version}))(t)
	}
	write("one", 0)
	uri, own := "workspace://"+p.A.Conversation+"/api.md", []bridge.Credentials{p.A}
	if read := must(c.ReadResource(t.Context(), own, uri))(t); read.File.Text != "one" || read.URI.Path != "api.md" {
		t.Errorf("read: %+v", read)
	}
	if list := must(c.ListResources(t.Context(), own))(t); len(list) != 4 || list[3].URI.String() != uri {
		t.Errorf("list: %+v", list)
	}
	if _, err := c.ReadResource(t.Context(), own, "collaboration://"+other.A.Conversation); !errors.Is(err, bridge.ErrNoResource) {
		t.Errorf("another's: %v", err)
	}
	var invalid *bridge.InvalidError
	if _, err := c.ReadResource(t.Context(), own, "workspace://"+strings.Repeat("x", 1<<20)); !errors.As(err, &invalid) {
		t.Errorf("a long one: %v", err)
	}
	watched := []resources.Watched{{Credentials: p.A, URI: uri}}
	known := must(c.WatchResources(t.Context(), watched, nil, 0, nil))(t)
	told := make(chan []string, 1)
	go func() {
		marks, err := c.WatchResources(t.Context(), watched, known, bridge.MaxWait, nil)
		if err != nil {
			t.Error(err)
		}
		told <- marks
	}()
	write("two", 1)
	if marks := <-told; len(marks) != 1 || marks[0] == known[0] || marks[0] == resources.Gone {
		t.Errorf("marks: %v, known %v", marks, known)
	}
}
