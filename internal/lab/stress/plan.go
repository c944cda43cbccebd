package stress

import (
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/bridge"
)

// Settings are the parameters of a run. They are part of its report.
type Settings struct {
	// Preset is the name of the preset that these settings are based on; may be empty.
	Preset string `json:"preset,omitempty"`
	// Agents is the number of processes, and Conversations the number of conversations
	// among them. Each worker has one, if there are enough workers, and the coordinators
	// share them.
	Agents        int `json:"agents"`
	Conversations int `json:"conversations"`
	// Messages is the total number of messages to send; 0 means as many as Duration and
	// Rate allow.
	Messages int `json:"messages"`
	// Reads is the total number of checks for messages, at regular times; 0 means that
	// every session waits for messages all the time.
	Reads int `json:"reads"`
	// Tasks is the total number of tasks to assign.
	Tasks int `json:"tasks"`
	// Duration is how long to send. Late messages are sent and read after it.
	Duration time.Duration `json:"duration_ns"`
	// Rate is the number of messages due per second, of all sessions together, whether the
	// bridge keeps up or not; 0 means that each is sent when the previous one was answered,
	// or that they are spread over Duration if Messages is set too.
	Rate float64 `json:"rate"`
	// Kills is how many times an agent's process is killed and restarted.
	Kills int `json:"kills"`
	// Gateways is the number of gateways that serve the store to the agents, each of which
	// is then on a separate machine. Every fifth kill is of a gateway. 0 means that the
	// agents open the store themselves.
	Gateways int `json:"gateways,omitempty"`
	// Limits keeps the default rate limits; otherwise there are none.
	Limits bool `json:"limits"`
	// Compress is the divisor of the times of a protocol; 0 and 1 leave them unchanged.
	Compress float64 `json:"compress,omitempty"`
	// Seed determines the messages and which agents are killed.
	Seed uint64 `json:"seed"`
}

// Limits of the settings.
const (
	MaxAgents        = 200
	MaxConversations = 1000
	MaxGateways      = 8
	MaxDuration      = 24 * time.Hour
)

// Check returns an error if the settings are not valid.
func (s Settings) Check() error {
	switch {
	case s.Gateways < 0 || s.Gateways > MaxGateways:
		return fmt.Errorf("there must be 0 to %d gateways", MaxGateways)
	case s.Preset == PresetS2:
		return nil
	case s.inRoom():
		return s.checkRoom()
	case s.Agents < 2 || s.Agents > MaxAgents:
		return fmt.Errorf("there must be 2 to %d agents", MaxAgents)
	case s.Conversations < 1 || s.Conversations > MaxConversations:
		return fmt.Errorf("there must be 1 to %d conversations", MaxConversations)
	case s.Agents > 2*s.Conversations:
		return fmt.Errorf("%d conversations have sessions for at most %d agents", s.Conversations, 2*s.Conversations)
	}
	return s.checkAmounts()
}

// checkRoom is Check for one conversation of all agents.
func (s Settings) checkRoom() error {
	switch {
	case s.Agents < 3 || s.Agents > bridge.MaxSessions:
		return fmt.Errorf("there must be 3 to %d agents in one conversation", bridge.MaxSessions)
	case s.Conversations != 1:
		return fmt.Errorf("all agents of the preset %s are in one conversation", s.Preset)
	case s.Preset == PresetSharedWork && (s.Messages != 0 || s.Reads != 0 || s.Tasks != 0 || s.Rate != 0 || s.Limits):
		return fmt.Errorf("the preset %s has neither messages nor tasks, and no limits: only agents, kills, gateways and the duration can be set", s.Preset)
	}
	return s.checkAmounts()
}

func (s Settings) checkAmounts() error {
	switch {
	case s.Messages < 0 || s.Reads < 0 || s.Tasks < 0 || s.Kills < 0 || s.Rate < 0:
		return errors.New("no number may be negative")
	case s.Duration < 0 || s.Duration > MaxDuration:
		return fmt.Errorf("the duration must be up to %s", MaxDuration)
	case s.Messages == 0 && s.Duration == 0:
		return errors.New("a number of messages or a duration is needed to know when to stop")
	case (s.Rate > 0 || s.Reads > 0) && s.Duration == 0:
		return errors.New("a rate and a number of reads need a duration")
	}
	return nil
}

// places returns the numbers of workers and of coordinators.
func (s Settings) places() (workers, coordinators int) {
	workers = min(s.Conversations, s.Agents-1)
	return workers, s.Agents - workers
}

// inRoom reports whether all agents are in one conversation.
func (s Settings) inRoom() bool { return s.Preset == PresetRoom || s.Preset == PresetSharedWork }

// sessions returns the number of sessions: two per conversation, or one per agent if all
// agents are in one conversation.
func (s Settings) sessions() int {
	if s.inRoom() {
		return s.Agents
	}
	return 2 * s.Conversations
}

// due returns the number of messages that are sent at given times; 0 if there are none.
func (s Settings) due() int {
	switch {
	case s.Rate > 0 && s.Messages > 0:
		return s.Messages
	case s.Rate > 0:
		return int(s.Rate * s.Duration.Seconds())
	case s.Duration > 0:
		return s.Messages
	}
	return 0
}

// at returns when item i of count is due, after the start.
func (s Settings) at(i, count int) time.Duration {
	if s.Rate > 0 {
		return time.Duration(float64(i) / s.Rate * float64(time.Second))
	}
	return time.Duration(float64(i) / float64(count) * float64(s.Duration))
}

// spread is at for items that have no rate of their own.
func (s Settings) spread(i, count int) time.Duration {
	return time.Duration(float64(i) / float64(count) * float64(s.Duration))
}
