package cli

import (
	"fmt"
	"runtime"
	"strconv"
	"time"
)

// coloursWork reports that terminals of this platform understand colours
// without being asked.
const coloursWork = runtime.GOOS != "windows"

// formatAge shows a length of time in its two largest units, such as 2h05m.
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

// formatDelay shows how long something waited, which may be less than a second.
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

// formatTime shows a time in a line that is kept or compared: whole, in local time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.RFC3339)
}

// stamp shows a time as people read it, the shorter the nearer it is to now. In
// output that a program reads it is whole.
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

// moment is a time in a sentence: at a terminal as people read it and how far off it
// is, else whole.
func (a *app) moment(t time.Time) string {
	screen, now := a.screen(), a.now()
	if screen.width == 0 || t.IsZero() {
		return formatTime(t)
	}
	return screen.stamp(t, now) + " (" + formatAgo(t.Round(time.Second), now.Round(time.Second)) + ")"
}

// formatAgo shows how long ago something was, or how far off it is.
func formatAgo(t, now time.Time) string {
	if t.After(now) {
		return "in " + formatAge(t.Sub(now))
	}
	return formatAge(now.Sub(t)) + " ago"
}
