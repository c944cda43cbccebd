package stress_test

import (
	"testing"
	"time"

	"example.org/bridge/internal/lab/stress"
)

func TestPresets(t *testing.T) {
	for _, p := range stress.Presets() {
		s, ok := stress.FindPreset(p.Name)
		if !ok || s.Preset != p.Name {
			t.Errorf("%s is not found", p.Name)
		}
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	if _, ok := stress.FindPreset("none"); ok {
		t.Error("found a preset that does not exist")
	}
	ten, _ := stress.FindPreset("ten-agents")
	if c := ten.Compressed(10); c.Duration != 9400*time.Millisecond || c.Compress != 10 {
		t.Errorf("compressed to %+v", c)
	}
}

func TestSettingsCheck(t *testing.T) {
	good := stress.Settings{Agents: 4, Conversations: 2, Messages: 1, Duration: time.Second}
	for name, change := range map[string]func(*stress.Settings){
		"one agent":             func(s *stress.Settings) { s.Agents = 1 },
		"too many agents":       func(s *stress.Settings) { s.Agents = 5 },
		"no conversation":       func(s *stress.Settings) { s.Conversations = 0 },
		"negative kills":        func(s *stress.Settings) { s.Kills = -1 },
		"a year":                func(s *stress.Settings) { s.Duration = 365 * 24 * time.Hour },
		"no end":                func(s *stress.Settings) { s.Messages, s.Duration = 0, 0 },
		"a rate without a time": func(s *stress.Settings) { s.Rate, s.Duration = 5, 0 },
		"reads without a time":  func(s *stress.Settings) { s.Reads, s.Duration = 5, 0 },
	} {
		s := good
		change(&s)
		if s.Check() == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, preset := range []string{stress.PresetRoom, stress.PresetSharedWork} {
		room, _ := stress.FindPreset(preset)
		for name, change := range map[string]func(*stress.Settings){
			"two agents":          func(s *stress.Settings) { s.Agents = 2 },
			"27 agents":           func(s *stress.Settings) { s.Agents = 27 },
			"two conversations":   func(s *stress.Settings) { s.Conversations = 2 },
			"no end":              func(s *stress.Settings) { s.Duration = 0 },
			"tasks for no reader": func(s *stress.Settings) { s.Tasks, s.Reads, s.Rate = 1, 1, -1 },
		} {
			s := room
			change(&s)
			if s.Check() == nil {
				t.Errorf("%s: %s was accepted", preset, name)
			}
		}
		room.Agents = 26
		if err := room.Check(); err != nil {
			t.Errorf("%s: %v", preset, err)
		}
	}
	work, _ := stress.FindPreset(stress.PresetSharedWork)
	for name, change := range map[string]func(*stress.Settings){
		"messages": func(s *stress.Settings) { s.Messages = 1 },
		"reads":    func(s *stress.Settings) { s.Reads = 1 },
		"tasks":    func(s *stress.Settings) { s.Tasks = 1 },
		"a rate":   func(s *stress.Settings) { s.Rate = 1 },
		"limits":   func(s *stress.Settings) { s.Limits = true },
	} {
		s := work
		change(&s)
		if s.Check() == nil {
			t.Errorf("shared work: %s was accepted", name)
		}
	}
}
