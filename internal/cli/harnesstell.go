package cli

import (
	"context"

	"example.org/bridge/internal/harness/notify"
	"example.org/bridge/internal/harness/report"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
)

// tellOfRun sends a run's findings to the recipients named in the suite. The report was
// redacted before. If sending fails, that is printed but changes nothing else, because
// the run has failed already.
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
