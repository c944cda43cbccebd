package bench_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"example.org/bridge/internal/harness/bench"
)

// world generates measurements of two servers: each process has its own speed, and each
// block has a load that affects both.
type world struct {
	*rand.Rand
	factor float64 // of the new server
}

func (w world) measure(cases, blocks int) (now, before bench.Measured) {
	for c := range cases {
		name := string(rune('a' + c))
		a, b := bench.Series{Name: name}, bench.Series{Name: name}
		for range blocks {
			load := math.Exp(0.3 * w.NormFloat64())
			a.Blocks = append(a.Blocks, w.factor*load*math.Exp(0.06*w.NormFloat64()))
			b.Blocks = append(b.Blocks, load*math.Exp(0.06*w.NormFloat64()))
		}
		now.Series, before.Series = append(now.Series, a), append(before.Series, b)
	}
	return now, before
}

func alarms(compared []bench.Comparison, verdict bench.Verdict) (n int) {
	for _, c := range compared {
		if c.Verdict == verdict {
			n++
		}
	}
	return n
}

// Of many comparisons of equal servers, about one in a hundred may raise an alarm, whatever
// the number of cases. A server that is slower by 30 % must nearly always be detected.
func TestCompare(t *testing.T) {
	const cases, runs = 4, 100
	blocks := bench.Blocks(cases)
	for _, tt := range []struct {
		name          string
		factor        float64
		least, most   int // runs in which a case is worse
		leastB, mostB int // better
	}{
		{name: "equal", factor: 1, most: 4, mostB: 4},
		{name: "slower by 30 %", factor: 1.3, least: 97, most: runs},
		{name: "faster by 30 %", factor: 1 / 1.3, leastB: 97, mostB: runs},
		{name: "slower by less than the threshold", factor: 1.02, most: 4, mostB: 4},
	} {
		w := world{rand.New(rand.NewPCG(1, 9)), tt.factor}
		worse, better := 0, 0
		for range runs {
			compared := bench.Compare(w.measureBoth(cases, blocks))
			if alarms(compared, bench.Worse) > 0 {
				worse++
			}
			if alarms(compared, bench.Better) > 0 {
				better++
			}
		}
		if worse < tt.least || worse > tt.most || better < tt.leastB || better > tt.mostB {
			t.Errorf("%s: worse in %d and better in %d of %d runs", tt.name, worse, better, runs)
		}
	}
}

func (w world) measureBoth(cases, blocks int) (now, before bench.Measured, threshold float64) {
	now, before = w.measure(cases, blocks)
	return now, before, 0.1
}

// Cases that only one server has, or that have different blocks, cannot be compared.
func TestCompareLeavesOut(t *testing.T) {
	now := bench.Measured{Series: []bench.Series{{Name: "a", Blocks: []float64{1, 2}}, {Name: "b", Blocks: []float64{1}}}}
	before := bench.Measured{Series: []bench.Series{{Name: "a", Blocks: []float64{1}}}}
	if got := bench.Compare(now, before, 0.1); len(got) != 0 {
		t.Errorf("compared %v", got)
	}
}
