package cli

import (
	"fmt"
	"runtime"
	"strconv"
	"time"
)

// coloursWork reports whether terminals on this platform support colours without being
// switched to that.
const coloursWork = runtime.GOOS != "windows"

// formatAge formats a duration in its two largest units, such as 2h05m.
func formatAge(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Truncate(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return units(d, time.Minute, "m", time.Second, "s")
	case d < day:
		return units(d, time.Hour, "h", time.Minute, "m")
	}
	return units(d, day, "d", time.Hour, "h")
}

// formatDelay formats a waiting time, which may be less than a second.
func formatDelay(d time.Duration) string {
	if d < 10*time.Second {
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	}
	return formatAge(d)
}

func units(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	rest := d % large / small
	if rest == 0 {
		return fmt.Sprintf("%d%s", d/large, largeName)
	}
	return fmt.Sprintf("%d%s%02d%s", d/large, largeName, rest, smallName)
}

// formatTime formats a time for output that is kept or compared: in full, in local
// time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.RFC3339)
}

// stamp formats a time for people: the closer it is to now, the shorter. Output for
// programs has the full time.
func (s screen) stamp(t, now time.Time) string {
	if s.width == 0 || t.IsZero() {
		return formatTime(t)
	}
	t, now = t.Local(), now.Local()
	switch {
	case t.Year() == now.Year() && t.YearDay() == now.YearDay():
		return t.Format("15:04:05")
	case t.Year() == now.Year():
		return t.Format("Jan _2 15:04")
	}
	return t.Format("2006-01-02")
}

// moment formats a time within a sentence: for people as in stamp, with the distance
// from now; otherwise in full.
func (a *app) moment(t time.Time) string {
	screen, now := a.screen(), a.now()
	if screen.width == 0 || t.IsZero() {
		return formatTime(t)
	}
	return screen.stamp(t, now) + " (" + formatAgo(t.Round(time.Second), now.Round(time.Second)) + ")"
}

// formatAgo formats how long ago a time is, or how far in the future.
func formatAgo(t, now time.Time) string {
	if t.After(now) {
		return "in " + formatAge(t.Sub(now))
	}
	return formatAge(now.Sub(t)) + " ago"
}
