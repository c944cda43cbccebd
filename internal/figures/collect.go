package figures

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/tasks"
)

// Collector gathers the figures of one store. It remembers what it has counted of the
// audit log, so that a later Gather reads only new entries. It is not safe for
// concurrent use.
type Collector struct {
	Bridge   *bridge.Service
	Commands *commands.Service
	Tasks    *tasks.Service
	Claims   *claims.Service
	// Path is the database file, whose size and that of its log are reported. It is
	// empty if the store is on a server, which reports its own size.
	Path string
	// Calls are those of the gateway that serves the figures; nil elsewhere.
	Calls *Calls
	// Backups returns the state of the store's backups; nil if none are
	// watched.
	Backups func() (Backups, error)
	// Program is the version of bridge.
	Program string
	// VerifyEvery is how often the whole audit log is verified.
	VerifyEvery time.Duration

	calls      map[call]int64
	limited    map[string]int64 // calls over a limit, by action
	mail       summary.Mail
	delays     *Histogram
	counted    int64 // the last entry of the audit log that is included above
	verifiedAt time.Time
	whole      bool
}

// Backups describes the backups of one store.
type Backups struct {
	Count    int
	LastMade time.Time
	// LastBytes is the size of the last backup before it was sealed.
	LastBytes int64
}

type call struct{ action, outcome string }

// delayBounds are the buckets for the time from sending to delivery. They are wide,
// because agents look for mail after other work or when they are woken.
var delayBounds = []time.Duration{
	100 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute,
	15 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour,
}

// pageOfEntries is how many entries of the audit log are read at a time.
const pageOfEntries = 10_000

// Gather returns all figures as of now, approximately.
func (c *Collector) Gather(ctx context.Context, now time.Time) (all []Family, err error) {
	all = append(all, one("bridge_build_info", "The version of bridge that reports the figures.", 1, "version", c.Program))
	for _, gather := range []func(context.Context, time.Time) ([]Family, error){
		c.log, c.conversations, c.messages, c.work, c.approvals, c.sizes, c.backups,
	} {
		some, err := gather(ctx, now)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	if c.Calls != nil {
		all = append(all, c.Calls.Family())
	}
	return all, nil
}

func one(name, help string, value float64, labels ...string) Family {
	return Family{Name: name, Help: help, Kind: Gauge, Samples: []Sample{{Labels: labels, Value: value}}}
}

// tally returns a family with one sample for each value of a label.
func tally[K ~string](name, help string, kind Kind, label string, counts map[K]int64) Family {
	f := Family{Name: name, Help: help, Kind: kind}
	for value, n := range counts {
		f.Samples = append(f.Samples, Sample{Labels: []string{label, string(value)}, Value: float64(n)})
	}
	return f
}

func (c *Collector) conversations(ctx context.Context, now time.Time) ([]Family, error) {
	all, err := c.Bridge.Conversations(ctx)
	if err != nil {
		return nil, err
	}
	states := map[string]int64{"live": 0, "paused": 0, "expired": 0}
	agents := map[string]int64{"alive": 0, "silent": 0, "not_joined": 0}
	var unread, unseen, oldest float64
	for _, o := range all {
		expired := o.Expired(now)
		switch {
		case expired:
			states["expired"]++
		case !o.PausedAt.IsZero():
			states["paused"]++
		default:
			states["live"]++
		}
		unread += float64(o.Sessions.Unread())
		if expired {
			continue
		}
		unseen += float64(c.mail.Unseen(o.ID))
		for _, s := range o.Sessions {
			agents[presence(s, now)]++
			if age, ok := s.Age(now); ok && s.Unread > 0 {
				oldest = max(oldest, age.Seconds())
			}
		}
	}
	return []Family{
		tally("bridge_conversations", "Conversations by state.", Gauge, "state", states),
		tally("bridge_agents", "Sessions of conversations that have not expired; one is silent two minutes after its last sign of life.", Gauge, "state", agents),
		one("bridge_messages_unread", "Messages waiting to be read.", unread),
		one("bridge_operator_unread", "Messages of live conversations since the operator last looked at the transcript.", unseen),
		one("bridge_unread_silence_seconds", "The longest time without a sign of life of a session that has unread messages.", oldest),
	}, nil
}

func presence(s bridge.SessionState, now time.Time) string {
	switch {
	case s.Alive(now):
		return "alive"
	case s.Joined():
		return "silent"
	}
	return "not_joined"
}

func (c *Collector) messages(ctx context.Context, _ time.Time) ([]Family, error) {
	n, err := c.Bridge.CountMessages(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	usage, err := c.Bridge.Limits(ctx, "")
	if err != nil {
		return nil, err
	}
	return []Family{
		tally("bridge_messages_total", "Messages in the store by sender.", Counter, "sender", n.BySender),
		tally("bridge_redacted_messages_total", "Messages in which a secret of a kind was hidden.", Counter, "kind", n.ByKind),
		one("bridge_quota_bytes", "How many bytes the store may have; 0 means no limit.", float64(usage.Limits.Quota.Bytes)),
		one("bridge_quota_messages", "How many messages the store may hold; 0 means no limit.", float64(usage.Limits.Quota.Messages)),
		one("bridge_quota_conversations", "How many conversations may be live; 0 means no limit.", float64(usage.Limits.Quota.Conversations)),
	}, nil
}

// work counts the tasks, and the claims in force.
func (c *Collector) work(ctx context.Context, _ time.Time) ([]Family, error) {
	all, err := c.Tasks.Tasks(ctx, false)
	if err != nil {
		return nil, err
	}
	states := map[tasks.State]int64{}
	for _, s := range []tasks.State{
		tasks.Waiting, tasks.Assigned, tasks.Accepted, tasks.Running, tasks.Done, tasks.Failed, tasks.Declined,
	} {
		states[s] = 0
	}
	for _, t := range all {
		states[t.State]++
	}
	held, _, err := c.Claims.Held(ctx)
	if err != nil {
		return nil, err
	}
	kinds := map[string]int64{"exclusive": 0, "shared": 0}
	for _, h := range held {
		if h.Shared {
			kinds["shared"]++
		} else {
			kinds["exclusive"]++
		}
	}
	return []Family{
		tally("bridge_tasks", "Tasks by state.", Gauge, "state", states),
		tally("bridge_claims", "Claims on files in force, by kind.", Gauge, "kind", kinds),
	}, nil
}

func (c *Collector) approvals(ctx context.Context, now time.Time) ([]Family, error) {
	all, err := c.Commands.Commands(ctx, commands.Query{State: commands.StatePending})
	if err != nil {
		return nil, err
	}
	waiting := 0.0
	for _, r := range all {
		if now.Before(r.ExpiresAt) {
			waiting++
		}
	}
	return []Family{one("bridge_approvals_waiting", "Commands waiting for the operator's decision.", waiting)}, nil
}

// log counts the entries of the audit log, and verifies it when that is due.
func (c *Collector) log(ctx context.Context, now time.Time) ([]Family, error) {
	if err := c.count(ctx); err != nil {
		return nil, err
	}
	if c.verifiedAt.IsZero() || now.Sub(c.verifiedAt) >= c.VerifyEvery || now.Before(c.verifiedAt) {
		_, err := c.Bridge.VerifyAudit(ctx, audit.Head{})
		if fault := new(audit.Fault); err != nil && !errors.As(err, &fault) {
			return nil, err
		}
		c.verifiedAt, c.whole = now, err == nil
	}
	whole := 0.0
	if c.whole {
		whole = 1
	}
	calls := Family{Name: "bridge_calls_total", Help: "Entries of the audit log by action and outcome.", Kind: Counter}
	for what, n := range c.calls {
		calls.Samples = append(calls.Samples, Sample{Labels: []string{"action", what.action, "outcome", what.outcome}, Value: float64(n)})
	}
	return []Family{
		calls,
		tally("bridge_limits_hit_total", "Calls over a limit, including those that the log only counts.", Counter, "action", c.limited),
		{
			Name: "bridge_delivery_delay_seconds", Kind: Distribution, Samples: c.delays.samples(),
			Help: "Time from sending to delivery of agents' messages.",
		},
		one("bridge_audit_entries", "Entries of the audit log.", float64(c.counted)),
		one("bridge_audit_verified", "1 if the audit log was intact when last verified, otherwise 0.", whole),
		one("bridge_audit_verified_timestamp_seconds", "When the audit log was last verified.", float64(c.verifiedAt.Unix())),
	}, nil
}

func (c *Collector) count(ctx context.Context) error {
	if c.calls == nil {
		c.calls, c.limited = map[call]int64{}, map[string]int64{"send_to_partner": 0}
		c.delays = NewHistogram(delayBounds...)
	}
	for {
		page, err := c.Bridge.AuditEntries(ctx, bridge.AuditQuery{After: c.counted, Limit: pageOfEntries})
		if err != nil {
			return err
		}
		for _, e := range page {
			c.entry(e)
		}
		if len(page) < pageOfEntries {
			return nil
		}
	}
}

// entry counts one entry of the log.
func (c *Collector) entry(e audit.Entry) {
	c.counted = e.Seq
	c.calls[call{e.Action, e.Outcome}]++
	for _, delay := range c.mail.Next(e) {
		c.delays.Add(delay)
	}
	if e.Outcome == bridge.OutcomeRateLimited {
		var unlogged struct {
			Before int64 `json:"unlogged_before"`
		}
		_ = json.Unmarshal([]byte(e.Details), &unlogged) // nothing if the details do not contain it
		c.limited[e.Action] += 1 + unlogged.Before
	}
}

// sizes returns how much space the store uses.
func (c *Collector) sizes(ctx context.Context, _ time.Time) ([]Family, error) {
	if c.Path == "" {
		report, err := c.Bridge.Limits(ctx, "")
		return []Family{one("bridge_store_bytes", "The size of the tables and their indexes.", float64(report.Usage.Bytes))}, err
	}
	return []Family{
		one("bridge_store_bytes", "The size of the database file.", fileSize(c.Path)),
		one("bridge_log_bytes", "The size of the write-ahead log.", fileSize(c.Path+"-wal")),
	}, nil
}

// fileSize returns 0 for a file that does not exist.
func fileSize(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(info.Size())
}

// backups returns when the last backup was made. It returns nothing if there is
// none, so that an alert on a missing figure is triggered.
func (c *Collector) backups(context.Context, time.Time) ([]Family, error) {
	if c.Backups == nil {
		return nil, nil
	}
	b, err := c.Backups()
	if err != nil || b.Count == 0 {
		return nil, err
	}
	return []Family{
		one("bridge_backup_timestamp_seconds", "When the last backup was made.", float64(b.LastMade.Unix())),
		one("bridge_backup_bytes", "The size of the last backup before it was sealed.", float64(b.LastBytes)),
		one("bridge_backups", "Backups in the folder.", float64(b.Count)),
	}, nil
}
