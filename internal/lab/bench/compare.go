package bench

// Change is one figure of a run beside that of a former one.
type Change struct {
	Figure
	// Former is nil where the former run has no such figure.
	Former *Figure
	// Ratio is how many times the former value the value is; 0 without a former
	// value above 0.
	Ratio float64
	// TailRatio is the same of the 99th percentiles; 0 where there are none.
	TailRatio float64
	// Worse reports that the value is worse by more than the threshold.
	Worse bool
}

// noise is, in each unit, the difference that two runs of the same program have
// for no reason: figures are not worse by less. An idle watch that needs 0.1 %
// instead of 0.05 % of a CPU is no slower.
var noise = map[string]float64{"ms": 0.05, "MB": 0.5, "%": 0.5, "s": 1}

// Compare puts the figures of a run beside those of a former one. A value is
// worse if it has moved into the bad direction by more than threshold, a share:
// with 0.25, 1.25 ms are not worse than 1 ms, and 80 calls/s not worse than 100.
// Only values are judged, which are medians where there is a spread: tails of
// some hundred samples differ between two runs of the same program.
func Compare(current, former Report, threshold float64) []Change {
	changes := make([]Change, len(current.Figures))
	for i, f := range current.Figures {
		changes[i] = compare(f, former, threshold)
	}
	return changes
}

func compare(f Figure, report Report, threshold float64) Change {
	c := Change{Figure: f}
	former, found := report.find(f.Name)
	if !found || former.Unit != f.Unit {
		return c
	}
	c.Former = &former
	c.Ratio = ratio(f.Value, former.Value)
	if f.Spread != nil && former.Spread != nil {
		c.TailRatio = ratio(f.Spread.P99, former.Spread.P99)
	}
	better, worse := former.Value, f.Value
	if f.More {
		better, worse = worse, better
	}
	c.Worse = worse > better*(1+threshold) && worse-better > noise[f.Unit]
	return c
}

func ratio(value, former float64) float64 {
	if former <= 0 {
		return 0
	}
	return value / former
}
