package ui_test

import (
	"html"
	"regexp"
	"testing"
)

// TestSearchGoesOn checks that each matching message is on exactly one page of the search,
// and that the last page has no link to a next one.
func TestSearchGoesOn(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.crowd(t, 2, 250)
	further := regexp.MustCompile(`href="[^"]*/(search\?[^"]+)" rel="next"`)
	found, path := map[string]bool{}, "search?q=review"
	pages := 0
	for ; path != ""; pages++ {
		text := w.get(t, path)
		for _, m := range regexp.MustCompile(`<li id="m(\d+)">`).FindAllStringSubmatch(text, -1) {
			if found[m[1]] {
				t.Fatalf("message %s is found twice", m[1])
			}
			found[m[1]] = true
		}
		path = ""
		if m := further.FindStringSubmatch(text); m != nil {
			path = html.UnescapeString(m[1])
			contains(t, text, "Searched back to")
		}
	}
	if len(found) != 250 || pages != 3 {
		t.Errorf("found %d messages on %d pages", len(found), pages)
	}
	if n := count(w.actions(t), "operator read_conversation ok"); n != pages {
		t.Errorf("%d views of %d pages are in the log", n, pages)
	}
}
