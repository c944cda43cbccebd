package stress

import (
	"slices"
	"time"
)

// Presets with behaviour beyond their settings.
const (
	// PresetS2 is the protocol of s2.go.
	PresetS2 = "s2"
	// PresetRoom is one conversation of all agents.
	PresetRoom = "room"
	// PresetSharedWork is the file editing and claiming of work.go, in one conversation.
	PresetSharedWork = "shared-work"
)

// Preset is a named set of settings.
type Preset struct {
	Name, About string
	Settings
}

// presets are in the order in which help shows them.
var presets = []Preset{
	{
		"ten-agents", "1 + 9 agents, 19 messages, 435 reads, 94 s, default limits",
		Settings{Agents: 10, Conversations: 9, Messages: 19, Reads: 435, Duration: 94 * time.Second, Limits: true},
	},
	{
		PresetS2, "13 tests of recovery and monitoring, 90 minutes divided by 60",
		Settings{Agents: 9, Conversations: 8, Duration: 90 * time.Minute, Limits: true, Compress: 60},
	},
	{
		"hundred-agents", "50 pairs for a minute, default limits",
		Settings{Agents: 100, Conversations: 50, Duration: time.Minute, Limits: true},
	},
	{
		"offered-load", "1,500 messages a second due from 10 agents for 30 s, read in between",
		Settings{Agents: 10, Conversations: 5, Duration: 30 * time.Second, Rate: 1500, Reads: 600},
	},
	{
		"kills", "10 agents for a minute, 60 kills, 45 tasks",
		Settings{Agents: 10, Conversations: 9, Duration: time.Minute, Tasks: 45, Kills: 60},
	},
	{
		PresetRoom, "10 agents in one conversation for 30 s, 30 kills, 18 tasks",
		Settings{Agents: 10, Conversations: 1, Duration: 30 * time.Second, Tasks: 18, Kills: 30},
	},
	{
		PresetSharedWork, "10 agents edit and claim the same files for 30 s, 30 kills",
		Settings{Agents: 10, Conversations: 1, Duration: 30 * time.Second, Kills: 30},
	},
	{
		"soak", "10 agents for 30 minutes, 20 messages a second, 60 kills, tasks",
		Settings{Agents: 10, Conversations: 9, Duration: 30 * time.Minute, Rate: 20, Tasks: 180, Kills: 60},
	},
}

// Presets returns all presets.
func Presets() []Preset { return slices.Clone(presets) }

// FindPreset returns the preset with that name.
func FindPreset(name string) (Settings, bool) {
	for _, p := range presets {
		if p.Name == name {
			p.Settings.Preset = p.Name
			return p.Settings, true
		}
	}
	return Settings{}, false
}

// Compressed divides the times of the settings.
func (s Settings) Compressed(by float64) Settings {
	s.Compress = by
	if s.Preset != PresetS2 { // the protocol divides each of its times itself
		s.Duration = time.Duration(float64(s.Duration) / by)
	}
	return s
}
