package cli

import (
	"time"

	"github.com/spf13/pflag"

	"example.org/bridge/internal/audit"
)

// auditFilter selects entries of the audit log.
type auditFilter struct {
	action, outcome, session string
	refused                  bool
	since                    moment
	after                    time.Time // computed from since
}

func (f *auditFilter) register(fs *pflag.FlagSet) {
	textFlag(fs, &f.action, kindText, "action", "only this action, such as send_to_partner")
	textFlag(fs, &f.outcome, kindText, "outcome", "only this outcome, such as rate_limited")
	boolFlag(fs, &f.refused, "refused", "only entries with an outcome other than ok")
	textFlag(fs, &f.session, kindText, "session", "only this session: a, b, operator or system")
	sinceFlag(fs, &f.since, "entries")
}

// set reports whether some entries are excluded.
func (f auditFilter) set() bool {
	return f.action != "" || f.outcome != "" || f.session != "" || f.refused || !f.after.IsZero()
}

func (f auditFilter) wants(e audit.Entry) bool {
	return (f.action == "" || e.Action == f.action) && (f.outcome == "" || e.Outcome == f.outcome) &&
		(f.session == "" || e.Session == f.session) && (!f.refused || e.Outcome != "ok") && !e.Time.Before(f.after)
}
