package fleet

import "time"

// SetClock lets a test provide the wall clock and the monotonic clock of the
// watchdog.
func (w *Watchdog) SetClock(read func() (wall time.Time, mono time.Duration)) {
	w.read = func() reading {
		wall, mono := read()
		return reading{wall, mono}
	}
}

// SetRetry sets the first pause between two attempts.
func (w *Webhook) SetRetry(d time.Duration) { w.retry = d }

// GracePeriods returns, for each of several rounds, how long no worker counts as
// silent.
func GracePeriods(interval, after time.Duration, walls []time.Time, monos []time.Duration) []time.Duration {
	t := trust{interval: interval, after: after}
	graces := make([]time.Duration, len(walls))
	for i := range walls {
		graces[i], _ = t.round(reading{walls[i], monos[i]})
	}
	return graces
}
