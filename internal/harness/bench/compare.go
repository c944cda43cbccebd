package bench

import (
	"math"

	"example.org/bridge/internal/harness/stat"
)

// SignificanceLevel is the probability that a comparison of two equal servers raises an
// alarm, for all cases together.
const SignificanceLevel = 0.01

// Comparison compares one case of two servers. Ratio is the median over the blocks of new
// divided by old; Low and High are its 95 % interval; P is the corrected probability that
// such a difference occurs by chance. There is a verdict if P is at most
// [SignificanceLevel] and the ratio exceeds the threshold.
type Comparison struct {
	Name    string  `json:"name"`
	Old     float64 `json:"old"`
	New     float64 `json:"new"`
	Ratio   float64 `json:"ratio"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	P       float64 `json:"p"`
	Verdict Verdict `json:"verdict,omitempty"`
}

// Verdict says whether the new server is worse or better.
type Verdict string

// Verdicts. Without one there is no significant difference.
const (
	Worse  Verdict = "worse"
	Better Verdict = "better"
)

// Blocks returns the minimum number of blocks with which a comparison of the given number
// of cases can detect a difference that occurs in every block.
func Blocks(cases int) int {
	tests := float64(2 * (cases + 2)) // both directions; start and memory as well
	return max(12, int(math.Ceil(math.Log2(tests/SignificanceLevel)))+1)
}

// Compare compares series that were measured in the same blocks. Threshold is the fraction
// by which a case must differ, such as 0.1.
func Compare(now, before Measured, threshold float64) []Comparison {
	former := map[string]Series{}
	for _, s := range before.Series {
		former[s.Name] = s
	}
	var compared []Comparison
	var p []float64
	for _, s := range now.Series {
		old, ok := former[s.Name]
		if !ok || len(old.Blocks) != len(s.Blocks) {
			continue
		}
		one, up, down := compareSeries(s, old)
		compared, p = append(compared, one), append(p, up, down)
	}
	p = stat.Holm(p)
	for i := range compared {
		compared[i].judge(p[2*i], p[2*i+1], threshold)
	}
	return compared
}

// compareSeries returns the figures of a case, and the probabilities that its blocks are
// this high, or this low, by chance.
func compareSeries(now, before Series) (c Comparison, up, down float64) {
	logs, mirrored := make([]float64, len(now.Blocks)), make([]float64, len(now.Blocks))
	for i := range logs {
		logs[i] = math.Log(now.Blocks[i] / before.Blocks[i])
		mirrored[i] = -logs[i]
	}
	low, high := stat.Interval(logs)
	return Comparison{
		Name: now.Name, Old: stat.Median(before.Blocks), New: stat.Median(now.Blocks),
		Ratio: math.Exp(stat.Median(logs)), Low: math.Exp(low), High: math.Exp(high),
	}, stat.SignedRank(logs), stat.SignedRank(mirrored)
}

func (c *Comparison) judge(up, down, threshold float64) {
	c.P = min(up, down)
	switch {
	case up <= SignificanceLevel && c.Ratio >= 1+threshold:
		c.Verdict = Worse
	case down <= SignificanceLevel && c.Ratio <= 1/(1+threshold):
		c.Verdict = Better
	}
}
