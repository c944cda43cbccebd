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
	if f.More {
		c.Worse = f.Value*(1+threshold) < former.Value
	} else {
		c.Worse = f.Value > former.Value*(1+threshold)
	}
	return c
}

func ratio(value, former float64) float64 {
	if former <= 0 {
		return 0
	}
	return value / former
}

// Missing are the figures that only the former report has.
func Missing(current, former Report) []Figure {
	var missing []Figure
	for _, f := range former.Figures {
		if _, found := current.find(f.Name); !found {
			missing = append(missing, f)
		}
	}
	return missing
}
