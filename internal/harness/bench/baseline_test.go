package bench_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/harness/bench"
)

func times(n int, at func(i int) float64) (out []float64) {
	for i := range n {
		out = append(out, at(i))
	}
	return out
}

func steady(level float64) []float64 {
	return times(12, func(i int) float64 { return level * (1 + float64(i%3)/100) })
}

func TestBaselineCheck(t *testing.T) {
	for _, tt := range []struct {
		name  string
		times []float64
		want  string // "" for a valid one
	}{
		{"sound", steady(2), ""},
		{"nothing", nil, "at least 10"},
		{"too few", steady(2)[:9], "at least 10"},
		{"zeros", times(12, func(int) float64 { return 0 }), "above zero"},
		{"all over the place", times(12, func(i int) float64 { return float64(1 + i*i) }), "vary by"},
		{"outliers", times(40, func(i int) float64 { return 10 + float64(i/36)*7 }), ""},
	} {
		err := bench.Baseline{ResponseTimes: tt.times}.Check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestBaselinesAreKept(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "baselines a[b")
	if all, err := bench.Load(folder); len(all) != 0 || err != nil {
		t.Fatalf("a missing folder: %v, %v", all, err)
	}
	var want []bench.Baseline
	for _, name := range []string{"(start)", "sums/add", "sums/ADD", "../../up", strings.Repeat("long/", 40), "Größe", "a.b", "a/b"} {
		m := bench.Measured{Revision: "2025-11-25"}
		want = append(want, bench.NewBaseline(bench.Series{Name: name, Blocks: steady(1)}, m, 15, time.Unix(1_800_000_000, 0)))
	}
	if err := bench.Save(folder, want); err != nil {
		t.Fatal(err)
	}
	got, err := bench.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	byCase := func(all []bench.Baseline) map[string]bench.Baseline {
		m := map[string]bench.Baseline{}
		for _, b := range all {
			m[b.Case] = b
		}
		return m
	}
	if diff := cmp.Diff(byCase(want), byCase(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Nothing was written outside the folder, and only baselines are removed from it.
	if entries, err := os.ReadDir(filepath.Dir(folder)); err != nil || len(entries) != 1 {
		t.Errorf("outside the folder: %v, %v", entries, err)
	}
	mine := filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := bench.Clear(folder); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || entries[0].Name() != "notes.txt" {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestLoadRefusesWhatIsNoBaseline(t *testing.T) {
	for name, text := range map[string]string{"no JSON": "{", "no case": `{"response_times":[1]}`, "an array": "[]", "too large": strings.Repeat(" ", 2<<20)} {
		folder := t.TempDir()
		if err := os.Mkdir(filepath.Join(folder, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "x", "baseline.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := bench.Load(folder); err == nil || !strings.Contains(err.Error(), "is not a baseline") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJudge(t *testing.T) {
	thresholds := bench.Thresholds{Warning: 0.25, Error: 0.5, Critical: 1}
	other := bench.ThisMachine()
	other.CPUs++
	for _, tt := range []struct {
		name    string
		now     []float64
		then    []float64
		machine bench.Machine
		want    bench.Level
	}{
		{"the same", steady(1), steady(1), bench.ThisMachine(), bench.Fine},
		{"faster", steady(0.5), steady(1), bench.ThisMachine(), bench.Fine},
		{"20 % slower", steady(1.2), steady(1), bench.ThisMachine(), bench.Fine},
		{"30 % slower", steady(1.3), steady(1), bench.ThisMachine(), bench.Warning},
		{"60 % slower", steady(1.6), steady(1), bench.ThisMachine(), bench.Error},
		{"three times", steady(3), steady(1), bench.ThisMachine(), bench.Critical},
		{"three times, elsewhere", steady(3), steady(1), other, bench.Warning},
		{"three times, too few kept", steady(3), steady(1)[:5], bench.ThisMachine(), bench.Warning},
		{"not apart", times(12, func(i int) float64 { return 1 + float64(i%4)*0.4 }), times(12, func(i int) float64 { return 1 + float64(i%4)*0.3 }), bench.ThisMachine(), bench.Fine},
	} {
		m := bench.Measured{Series: []bench.Series{{Name: "a", Blocks: tt.now}, {Name: "new", Blocks: steady(1)}}}
		b := bench.NewBaseline(bench.Series{Name: "a", Blocks: tt.then}, m, 1, time.Now())
		b.Machine = tt.machine
		judged, fresh := bench.Judge(m, []bench.Baseline{b}, thresholds)
		if len(judged) != 1 || judged[0].Level != tt.want {
			t.Errorf("%s: %+v, want %s", tt.name, judged, tt.want)
		}
		if diff := cmp.Diff([]string{"new"}, fresh); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", tt.name, diff)
		}
	}
}
