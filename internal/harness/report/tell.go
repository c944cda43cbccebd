package report

import (
	"fmt"
	"path/filepath"
	"strings"

	"example.org/bridge/internal/harness/run"
)

// Limits of a text that is sent, so that it stays readable.
const (
	mostTold   = 30  // cases
	mostLetter = 300 // characters per line
)

// Tell returns a report as a short text for mail and chat: a subject, and the findings. The
// report must have been cleaned.
func Tell(r *run.Report) (subject, text string) {
	name := filepath.Base(r.Suite)
	switch n := r.Findings(); {
	case r.NotStarted:
		subject = "The server of " + name + " could not be started"
	default:
		subject = count(n, "finding") + " in " + name
	}
	lines := []string{fmt.Sprintf("%d passed, %d failed, %d flaky, %d skipped.", r.Count(run.Passed), r.Count(run.Failed), r.Count(run.Flaky), r.Count(run.Skipped))}
	told, left := 0, 0
	for _, o := range append([]run.Outcome{r.Server}, r.Cases...) {
		if len(o.Findings) == 0 {
			continue
		}
		if told++; told > mostTold {
			left++
			continue
		}
		lines = append(lines, "", shortened(o.ID))
		for _, f := range o.Findings {
			lines = append(lines, shortened("  "+string(f.Kind)+": "+f.Message()))
		}
	}
	if left > 0 {
		lines = append(lines, "", fmt.Sprintf("… and %d more: see the report.", left))
	}
	return subject, strings.Join(lines, "\n") + "\n"
}

func shortened(line string) string {
	if letters := []rune(line); len(letters) > mostLetter {
		return string(letters[:mostLetter]) + "…"
	}
	return line
}

// count formats a number with a noun, such as "1 finding" or "2 findings".
func count(n int, singular string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %ss", n, singular)
}
