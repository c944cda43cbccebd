package stress

import (
	"slices"
	"time"

	"example.org/bridge/internal/lab/rig"
)

// Format is the version of the report's JSON. It is increased when the meaning of a field
// changes.
const Format = 1

// Report is the result of a run.
type Report struct {
	Format   int         `json:"format"`
	At       time.Time   `json:"at"`
	Machine  rig.Machine `json:"machine"`
	Settings Settings    `json:"settings"`
	// Seconds is the length of the run, from the first message to the last.
	Seconds float64 `json:"seconds"`
	Counts  Counts  `json:"counts"`
	// Times are the distributions of call durations, as seen by the clients.
	Times []Timing `json:"times"`
	// Sessions shows how evenly sessions were served.
	Sessions *Fairness `json:"sessions,omitempty"`
	// StoreBytes is the size of the database at the end; 0 for one on a server.
	StoreBytes int64 `json:"store_bytes"`
	// Tests are the tests of a protocol.
	Tests      []Test      `json:"tests,omitempty"`
	Violations []Violation `json:"violations"`
}

// Counts are the numbers of operations.
type Counts struct {
	Agents        int `json:"agents"`
	Conversations int `json:"conversations"`
	// Acknowledged messages were answered, and Delivered ones read. Redelivered ones were
	// delivered again, marked. Repeated counts calls interrupted by a kill that were then
	// answered with the first answer.
	Acknowledged int `json:"acknowledged"`
	Delivered    int `json:"delivered"`
	Redelivered  int `json:"redelivered"`
	Repeated     int `json:"repeated"`
	Reads        int `json:"reads"`
	Tasks        int `json:"tasks"`
	Kills        int `json:"kills"`
	GatewayKills int `json:"gateway_kills,omitempty"`
	// Paced is how many calls were told by a rate limit, or a busy store, to try again
	// later.
	Paced        int `json:"paced"`
	AuditEntries int `json:"audit_entries"`
	// Files is the number of shared files. Edits were accepted. Merged edits were based on
	// an earlier version of the file. Conflicts were refused, since others had changed the
	// same lines. Claims were taken. Held counts claims, and edits of claimed files, that
	// were refused because of another session's claim.
	Files     int `json:"files,omitempty"`
	Edits     int `json:"edits,omitempty"`
	Merged    int `json:"merged,omitempty"`
	Conflicts int `json:"conflicts,omitempty"`
	Claims    int `json:"claims,omitempty"`
	Held      int `json:"held,omitempty"`
}

// Timing is the distribution of a duration, in milliseconds.
type Timing struct {
	Name    string     `json:"name"`
	About   string     `json:"about"`
	Samples int        `json:"samples"`
	Spread  rig.Spread `json:"ms"`
}

// Fairness compares the sessions: how many messages each sent, and the highest 99th
// percentile of the time this took, in milliseconds.
type Fairness struct {
	Fewest   int     `json:"fewest_sent"`
	Most     int     `json:"most_sent"`
	WorstP99 float64 `json:"worst_p99_ms"`
}

// OK reports whether no rule was violated and no test failed.
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
		about = "send_to_partner, from the time it was due until it was answered"
	}
	r.shared.report(&report)
	report.add("send", about, sends)
	report.add("check", "check_messages without waiting", r.checks)
	report.add("delivery", "from the call, or the time it was due, until the partner's client has it", r.deliveries(&report.Counts))
	return report
}

// add adds a timing, if there is one.
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

// allSends returns the durations of all sends, and the highest 99th percentile of any
// session.
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

// deliveries returns how long the delivery of messages took, and counts them.
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
