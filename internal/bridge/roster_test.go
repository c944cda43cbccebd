package bridge_test

import (
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
)

// The list of sessions in a refusal must be complete, because an agent cannot name a
// session that it was not told about.
func TestRosterNamesAll(t *testing.T) {
	t.Parallel()
	var all bridge.Roster
	for _, id := range bridge.SessionIDs() {
		all = append(all, bridge.SessionState{Session: id, Role: "r\x1b[31m-" + string(id), SeenAt: time.Unix(1, 0)})
	}
	waiting := append(bridge.Roster{}, all[:7]...)
	waiting[2].SeenAt, waiting[6].SeenAt = time.Time{}, time.Time{}
	const five = `a "r-a", b "r-b", c "r-c", d "r-d", e "r-e"`
	for _, test := range []struct {
		name   string
		roster bridge.Roster
		want   string
	}{
		{"none", nil, ""},
		{"as many as have their roles told", all[:5], five},
		{"one more", all[:6], five + ", f"},
		{"all that there can be", all, five + ", f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z"},
		{"some have not joined", waiting, `a "r-a", b "r-b", c "r-c" (nobody has joined yet), d "r-d", e "r-e", f, g (nobody has joined yet)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.roster.String(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
