package bench_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/lab/bench"
)

func TestTexts(t *testing.T) {
	first, again, other := bench.Texts(1), bench.Texts(1), bench.Texts(2)
	differ := false
	for range 100 {
		text := first()
		if words := len(strings.Fields(text)); text != again() || words < 5 || words > 60 {
			t.Fatalf("the same seed, or %d words: %q", words, text)
		}
		differ = differ || text != other()
	}
	if !differ {
		t.Error("the seed does not matter")
	}
}

func TestSettings(t *testing.T) {
	good := bench.Settings{Samples: 10, WarmUp: 1, Duration: bench.MaxDuration, Beat: bench.MinBeat, Silence: 10 * bench.MinBeat, Look: bench.MinBeat, Growth: []int{20, 9}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*bench.Settings){
		"an unknown measurement": func(s *bench.Settings) { s.Only = []string{"send", "luck"} },
		"no samples":             func(s *bench.Settings) { s.Samples = 0 },
		"no duration":            func(s *bench.Settings) { s.Duration = 0 },
		"a long duration":        func(s *bench.Settings) { s.Duration++ },
		"quick beats":            func(s *bench.Settings) { s.Beat-- },
		"beats too far apart":    func(s *bench.Settings) { s.Duration = s.Beat - 1 },
		"a short silence":        func(s *bench.Settings) { s.Silence-- },
		"a long silence":         func(s *bench.Settings) { s.Silence = bench.MaxDuration + 1 },
		"quick looks":            func(s *bench.Settings) { s.Look-- },
		"sizes too near":         func(s *bench.Settings) { s.Growth = []int{20, 10} },
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			spoil(&s)
			if s.Check() == nil {
				t.Error("it was accepted")
			}
		})
	}
}
