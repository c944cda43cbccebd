package fleet

import "time"

// SetClock makes the watchdog read the wall and the monotonic clock from a test.
func (w *Watchdog) SetClock(read func() (wall time.Time, mono time.Duration)) {
	w.read = func() reading {
		wall, mono := read()
		return reading{wall, mono}
	}
}

// SetRetry sets the first pause between two attempts.
func (w *Webhook) SetRetry(d time.Duration) { w.retry = d }

// Graces returns for how long no worker counts as silent, at each of several rounds.
func Graces(interval, after time.Duration, walls []time.Time, monos []time.Duration) []time.Duration {
	t := trust{interval: interval, after: after}
	graces := make([]time.Duration, len(walls))
	for i := range walls {
		graces[i], _ = t.round(reading{walls[i], monos[i]})
	}
	return graces
}
