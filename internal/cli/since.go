package cli

import (
	"errors"
	"time"

	"github.com/spf13/pflag"
)

// moment is a point in time given in a flag: an age such as 2h, or a time.
type moment struct {
	age   time.Duration
	at    time.Time
	given string
}

// momentLayouts are the accepted formats of times, in local time.
var momentLayouts = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"}

// kindMoment is the kind of such a value in help.
const kindMoment = "age|time"

func sinceFlag(fs *pflag.FlagSet, dest *moment, what string) {
	format := func(m moment) string { return m.given }
	fs.Var(&value[moment]{dest, parseMoment, format, kindMoment}, "since", "only "+what+` newer than this: an age such as 2h, or a time such as "2026-01-31 14:00"`)
}

func parseMoment(text string) (moment, error) {
	if age, err := parseAge(text); err == nil {
		return moment{age: age, given: text}, nil
	}
	for _, layout := range momentLayouts {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return moment{at: at, given: text}, nil
		}
	}
	return moment{}, errors.New(`must be an age such as 90m or 7d, or a time such as "2026-01-31 14:00"`)
}

// time returns the moment relative to now; the zero time if none was given.
func (m moment) time(now time.Time) time.Time {
	if m.given == "" || !m.at.IsZero() {
		return m.at
	}
	return now.Add(-m.age)
}
