package cli

import (
	"context"

	"example.org/bridge/internal/harness/notify"
	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
)

// tellOfRun sends what a run found to those whom the suite names. The report was
// cleaned. That nobody could be told is printed and changes nothing else: the run has
// failed already.
func (a *app) tellOfRun(ctx context.Context, r *run.Report, s *suite.Suite) {
	if ctx.Err() != nil || r.Findings() == 0 && !r.NotStarted {
		return
	}
	subject, text := report.Tell(r)
	message := notify.Message{Subject: "bridge harness: " + subject, Text: text}
	if mail, wanted := s.Reporting.Distribution.Mail(); wanted {
		if err := mail.Send(ctx, message); err != nil {
			a.note("no mail was sent: " + err.Error())
		}
	}
	if hook, wanted := s.Reporting.Distribution.Webhook(); wanted {
		if err := hook.Send(ctx, message); err != nil {
			a.note("nothing was posted: " + err.Error())
		}
	}
}
