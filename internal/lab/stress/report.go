package stress

import (
	"slices"
	"time"

	"example.org/bridge/internal/lab/rig"
)

// Format is the version of the report's JSON. It rises when a field changes its
// meaning.
const Format = 1

// Report is the result of a run.
type Report struct {
	Format   int         `json:"format"`
	At       time.Time   `json:"at"`
	Machine  rig.Machine `json:"machine"`
	Settings Settings    `json:"settings"`
	// Seconds is how long the run was, from the first message to the last.
	Seconds float64 `json:"seconds"`
	Counts  Counts  `json:"counts"`
	// Times are the distributions of what calls took, as their clients saw it.
	Times []Timing `json:"times"`
	// Sessions tells how evenly sessions were served.
	Sessions *Fairness `json:"sessions,omitempty"`
	// StoreBytes is the size of the database in the end; 0 for one on a server.
	StoreBytes int64 `json:"store_bytes"`
	// Tests are those of a protocol.
	Tests      []Test      `json:"tests,omitempty"`
	Violations []Violation `json:"violations"`
}

// Counts say what was done.
type Counts struct {
	Agents        int `json:"agents"`
	Conversations int `json:"conversations"`
	// Acknowledged messages were answered, Delivered ones read; Redelivered came
	// again, marked, and Repeated are calls that a kill interrupted and that were
	// answered from the first one.
	Acknowledged int `json:"acknowledged"`
	Delivered    int `json:"delivered"`
	Redelivered  int `json:"redelivered"`
	Repeated     int `json:"repeated"`
	Reads        int `json:"reads"`
	Tasks        int `json:"tasks"`
	Kills        int `json:"kills"`
	GatewayKills int `json:"gateway_kills,omitempty"`
	// Paced is how many calls a rate limit, or a busy store, told to come later.
	Paced        int `json:"paced"`
	AuditEntries int `json:"audit_entries"`
	// Files is how many shared files there were. Edits were accepted, Merged ones of an
	// earlier version of the file, and Conflicts refused, since others had changed the
	// same lines. Claims were taken, and Held ones refused, as were edits of what another
	// session had claimed.
	Files     int `json:"files,omitempty"`
	Edits     int `json:"edits,omitempty"`
	Merged    int `json:"merged,omitempty"`
	Conflicts int `json:"conflicts,omitempty"`
	Claims    int `json:"claims,omitempty"`
	Held      int `json:"held,omitempty"`
}

// Timing is how long something took, in milliseconds.
type Timing struct {
	Name    string     `json:"name"`
	About   string     `json:"about"`
	Samples int        `json:"samples"`
	Spread  rig.Spread `json:"ms"`
}

// Fairness compares the sessions: how many messages each sent, and the slowest
// one's 99th percentile of what that took, in milliseconds.
type Fairness struct {
	Fewest   int     `json:"fewest_sent"`
	Most     int     `json:"most_sent"`
	WorstP99 float64 `json:"worst_p99_ms"`
}

// OK reports whether nothing was violated and no test failed.
func (r Report) OK() bool {
	failed := slices.ContainsFunc(r.Tests, func(t Test) bool { return !t.OK })
	return len(r.Violations) == 0 && !failed
}

func (r *run) report(machine rig.Machine, e evidence) Report {
	sends, worst := r.allSends()
	bySession := r.sentBySession()
	report := Report{
		Format: Format, At: r.begin.UTC(), Machine: machine, Settings: r.Settings, Seconds: r.elapsed.Seconds(),
		Counts: Counts{
			Agents: r.Agents, Conversations: r.Conversations, Acknowledged: len(sends), Repeated: r.repeated,
			Reads: r.reads, Tasks: len(r.works), Kills: int(r.kills), GatewayKills: r.gatewayKills, Paced: r.paced, AuditEntries: e.entries,
		},
		Sessions: &Fairness{Fewest: slices.Min(bySession), Most: slices.Max(bySession), WorstP99: worst},
	}
	about := "send_to_partner, answered"
	if r.Rate > 0 {
		about = "send_to_partner, from when it was due until it was answered"
	}
	r.shared.report(&report)
	report.add("send", about, sends)
	report.add("check", "check_messages without waiting", r.checks)
	report.add("delivery", "from the call, or from when it was due, until the partner's client has it", r.deliveries(&report.Counts))
	return report
}

// add adds a timing, where there is one.
func (r *Report) add(name, about string, taken []time.Duration) {
	if len(taken) == 0 {
		return
	}
	values := make([]float64, len(taken))
	for i, d := range taken {
		values[i] = rig.Milliseconds(d)
	}
	r.Times = append(r.Times, Timing{name, about, len(taken), rig.SpreadOf(values)})
}

// allSends returns what all sends took, and the worst session's 99th percentile.
func (r *run) allSends() (all []time.Duration, worst float64) {
	for _, taken := range r.sends {
		values := make([]float64, len(taken))
		for i, d := range taken {
			values[i] = rig.Milliseconds(d)
		}
		worst = max(worst, rig.SpreadOf(values).P99)
		all = append(all, taken...)
	}
	return all, worst
}

// deliveries returns how long messages were on their way, and counts them.
func (r *run) deliveries(c *Counts) (taken []time.Duration) {
	for _, in := range r.inboxes {
		begin := map[string]time.Time{}
		for _, m := range in.Sent {
			begin[m.Text] = m.Begin
		}
		for _, got := range in.Received {
			if got.Redelivered {
				c.Redelivered++
			}
			if at, first := begin[got.Text]; first {
				c.Delivered++
				taken = append(taken, got.At.Sub(at))
				delete(begin, got.Text)
			}
		}
	}
	return taken
}
