package cli

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
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

func units(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	rest := d % large / small
	if rest == 0 {
		return fmt.Sprintf("%d%s", d/large, largeName)
	}
	return fmt.Sprintf("%d%s%02d%s", d/large, largeName, rest, smallName)
}

// formatTime shows a time to a person, in local time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.RFC3339)
}

// jsonTime is a time for programs: UTC, null where there is none.
type jsonTime time.Time

func (t jsonTime) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return []byte(time.Time(t).UTC().Format(`"` + time.RFC3339Nano + `"`)), nil
}

// formatAgo shows how long ago something was, or how far off it is.
func formatAgo(t, now time.Time) string {
	if t.After(now) {
		return "in " + formatAge(t.Sub(now))
	}
	return formatAge(now.Sub(t)) + " ago"
}

// field cleans what an agent wrote for a table: one line without runs of
// spaces, which could pass for the gap between two columns.
func field(text string) string {
	return strings.Join(strings.Fields(bridge.CleanLine(text)), " ")
}

// quoted cleans what an agent wrote for the middle of a line: nothing in it can
// end the quotes.
func quoted(text string) string { return strconv.Quote(field(text)) }

// cleanAll is bridge.Clean for a list, which is never nil.
func cleanAll(texts []string) []string {
	clean := make([]string, len(texts))
	for i, text := range texts {
		clean[i] = bridge.Clean(text)
	}
	return clean
}

// count is "1 message", "2 messages".
func count(n int64, singular string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %ss", n, singular)
}
