package cli_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/cli"
)

// TestPlainLog checks the log as a person at a terminal reads it.
func TestPlainLog(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.Local)
	for name, c := range map[string]struct {
		level slog.Level
		text  string
		attrs []any
		want  string
	}{
		"a fact":    {slog.LevelInfo, "measuring", []any{"what", "start"}, "15:09:26 measuring (start)\n"},
		"no facts":  {slog.LevelInfo, "ended by a signal", nil, "15:09:26 ended by a signal\n"},
		"a warning": {slog.LevelWarn, "worker_silent", []any{"seen", now.Add(-5 * time.Minute)}, "15:09:26 warning: worker silent (seen 15:04:26)\n"},
		"never":     {slog.LevelWarn, "worker_silent", []any{"last_heartbeat", time.Time{}}, "15:09:26 warning: worker silent\n"},
		"a failure": {slog.LevelError, "no round", []any{"error", errors.New("busy"), "team_id", "t1"}, "15:09:26 error: no round (team id t1): busy\n"},
		"too long": {
			slog.LevelInfo, "a task was given to another worker",
			[]any{"from", "conv_28d4a1b2c3d4e5f6"},
			"15:09:26 a task was given to another worker (from\n  conv_28d4a1b2c3d4e5f6)\n",
		},
		"controls":      {slog.LevelInfo, "a\x1b[2Jb", []any{"role", "x\ny\a"}, "15:09:26 ab (role x y)\n"},
		"below a level": {slog.LevelDebug, "a detail", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			h := cli.NewPlainLog(&out, slog.LevelInfo, 50)
			if h.Enabled(context.Background(), c.level) {
				r := slog.NewRecord(now, c.level, c.text, 0)
				r.Add(c.attrs...)
				if err := h.Handle(context.Background(), r); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
