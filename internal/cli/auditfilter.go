package cli

import (
	"time"

	"github.com/spf13/pflag"

	"example.org/bridge/internal/audit"
)

// auditFilter says which entries of the audit log are wanted.
type auditFilter struct {
	action, outcome, session string
	refused                  bool
	since                    moment
	after                    time.Time // what since means
}

func (f *auditFilter) register(fs *pflag.FlagSet) {
	textFlag(fs, &f.action, kindText, "action", "only this action, such as send_to_partner")
	textFlag(fs, &f.outcome, kindText, "outcome", "only this outcome, such as rate_limited")
	boolFlag(fs, &f.refused, "refused", "only what did not end well")
	textFlag(fs, &f.session, kindText, "session", "only this session: a, b, operator or system")
	sinceFlag(fs, &f.since, "entries")
}

// set reports that not every entry is wanted.
func (f auditFilter) set() bool {
	return f.action != "" || f.outcome != "" || f.session != "" || f.refused || !f.after.IsZero()
}

func (f auditFilter) wants(e audit.Entry) bool {
	return (f.action == "" || e.Action == f.action) && (f.outcome == "" || e.Outcome == f.outcome) &&
		(f.session == "" || e.Session == f.session) && (!f.refused || e.Outcome != "ok") && !e.Time.Before(f.after)
}
