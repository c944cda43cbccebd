package cli

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/systemtool"
)

// followRequests prints new requests to run a command as they arrive, oldest first,
// until ctx ends.
func followRequests(ctx context.Context, a *app, s services, notify bool) error {
	var last int64
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		waiting, err := pendingRequests(ctx, s, s.Now(), false)
		if err != nil {
			return err
		}
		slices.SortFunc(waiting, func(x, y commands.Request) int { return int(x.ID - y.ID) })
		for _, r := range waiting {
			if r.ID <= last {
				continue
			}
			last = r.ID
			if err := printRequest(a, s.Now(), r); err != nil {
				return err
			}
			if notify {
				a.notify(ctx, r.ID)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func printRequest(a *app, now time.Time, r commands.Request) error {
	if a.json {
		return newEncoder(a.stdout).Encode(viewRequests([]commands.Request{r}, now)[0])
	}
	screen := a.screen()
	title := fmt.Sprintf("Request %d of session %s in %s, %s mode, asked at %s", r.ID, r.Session, cleantext.Field(r.Conversation), r.Mode, screen.stamp(r.CreatedAt, now))
	text := screen.paint(title, standout) + "\n" + wrap(cleantext.Escape(r.Command), "  ", screen.width)
	return a.printLine(text + fmt.Sprintf("  bridge yolo approve %d, or bridge yolo deny %d\n", r.ID, r.ID))
}

// notifyTime is the time limit for showing a notification.
const notifyTime = 5 * time.Second

// notify rings the terminal's bell, if there is one, and shows a desktop notification.
// If that fails it is only logged, because the request is printed anyway.
func (a *app) notify(ctx context.Context, request int64) {
	if t, err := openTerminal(); err == nil {
		t.write("\a")
		t.close()
	}
	text := fmt.Sprintf("Request %d waits for your decision", request)
	name, args := "notify-send", []string{"--app-name=bridge", "bridge", text}
	if runtime.GOOS == "darwin" {
		name, args = "osascript", []string{"-e", fmt.Sprintf("display notification %q with title %q", text, "bridge")}
	}
	program, err := systemtool.Find(name)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, notifyTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // a program of the system, with words of our own
	cmd.Env = withoutTokens(a.environ())
	if err := cmd.Run(); err != nil {
		a.log().Debug("the notification could not be shown", "error", err)
	}
}
