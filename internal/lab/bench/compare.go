package bench

// Change compares one figure of a run with the same figure of an earlier run.
type Change struct {
	Figure
	// Former is nil if the earlier run does not have the figure.
	Former *Figure
	// Ratio is the value divided by the former value; 0 if there is no former value above
	// 0.
	Ratio float64
	// TailRatio is the ratio of the 99th percentiles; 0 if there are none.
	TailRatio float64
	// Worse is set if the value is worse by more than the threshold.
	Worse bool
}

// noise is, for each unit, the difference that occurs between two runs of the same program.
// A figure is not worse if it differs by less. For example, an idle watch that uses 0.1 %
// instead of 0.05 % of a CPU does not count as slower.
var noise = map[string]float64{"ms": 0.05, "MB": 0.5, "%": 0.5, "s": 1}

// Compare compares the figures of a run with those of an earlier run. A value is worse if
// it has changed in the bad direction by more than threshold, a fraction: with 0.25, 1.25
// ms is not worse than 1 ms, and 80 calls/s is not worse than 100. Only values are judged,
// which are medians if there are several samples: the tails of a few hundred samples differ
// even between two runs of the same program.
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
