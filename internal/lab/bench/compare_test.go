package bench_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/lab/bench"

	"example.org/bridge/internal/lab/rig"
)

func report(figures ...bench.Figure) bench.Report {
	return bench.Report{Format: bench.Format, Figures: figures}
}

func TestCompare(t *testing.T) {
	spread := func(p50, p99 float64) *rig.Spread { return &rig.Spread{P50: p50, P99: p99} }
	for name, tt := range map[string]struct {
		now, former bench.Figure
		ratio, tail float64
		worse       bool
	}{
		"slower":                {bench.Figure{Value: 1.5}, bench.Figure{Value: 1}, 1.5, 0, true},
		"at the threshold":      {bench.Figure{Value: 1.25}, bench.Figure{Value: 1}, 1.25, 0, false},
		"faster":                {bench.Figure{Value: 0.5}, bench.Figure{Value: 1}, 0.5, 0, false},
		"less throughput":       {bench.Figure{Value: 70, More: true}, bench.Figure{Value: 100, More: true}, 0.7, 0, true},
		"throughput, threshold": {bench.Figure{Value: 80, More: true}, bench.Figure{Value: 100, More: true}, 0.8, 0, false},
		"more throughput":       {bench.Figure{Value: 200, More: true}, bench.Figure{Value: 100, More: true}, 2, 0, false},
		"a tail is not judged":  {bench.Figure{Value: 1, Spread: spread(1, 90)}, bench.Figure{Value: 1, Spread: spread(1, 9)}, 1, 10, false},
		"nothing before":        {bench.Figure{Value: 1}, bench.Figure{Value: 0}, 0, 0, true},
		"less than noise":       {bench.Figure{Value: 0.4, Unit: "%"}, bench.Figure{Value: 0.1, Unit: "%"}, 4, 0, false},
		"more than noise":       {bench.Figure{Value: 0.8, Unit: "%"}, bench.Figure{Value: 0.1, Unit: "%"}, 8, 0, true},
		"nothing at all":        {bench.Figure{Value: 0}, bench.Figure{Value: 0}, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			tt.now.Name, tt.former.Name = "send/answer", "send/answer"
			got := bench.Compare(report(tt.now), report(bench.Figure{Name: "other", Value: 9}, tt.former), 0.25)
			if len(got) != 1 || got[0].Former == nil {
				t.Fatalf("got %+v", got)
			}
			if c := got[0]; c.Ratio != tt.ratio || c.TailRatio != tt.tail || c.Worse != tt.worse {
				t.Errorf("ratio %v, tail %v, worse %v; want %v, %v, %v", c.Ratio, c.TailRatio, c.Worse, tt.ratio, tt.tail, tt.worse)
			}
		})
	}
}

func TestCompareWithoutFormer(t *testing.T) {
	now := report(bench.Figure{Name: "new", Unit: "ms", Value: 1}, bench.Figure{Name: "unit", Unit: "MB", Value: 9})
	former := report(bench.Figure{Name: "unit", Unit: "ms", Value: 1})
	for _, c := range bench.Compare(now, former, 0) {
		if c.Former != nil || c.Worse {
			t.Errorf("%s was compared", c.Name)
		}
	}
}

func TestReadReport(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no JSON":        {"bench", "not a report"},
		"an empty file":  {"", "not a report"},
		"another format": {`{"format":2,"figures":[{"name":"x"}]}`, "format 2"},
		"something else": {`{"conversations":[]}`, "format 0"},
		"no figures":     {`{"format":1}`, "no figures"},
		"a report":       {`{"format":1,"figures":[{"name":"x","value":2}]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := bench.ReadReport(strings.NewReader(tt.text))
			switch {
			case tt.want == "" && (err != nil || r.Figures[0].Value != 2):
				t.Errorf("got %+v, %v", r, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
