package cli

import (
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/view"
)

// jsonTop is the content of `bridge top` in JSON output.
type jsonTop struct {
	At            view.Time     `json:"at"`
	Store         string        `json:"store"`
	Conversations int           `json:"conversations"` // live ones
	Paused        int           `json:"paused"`
	Alive         int           `json:"alive"`
	Silent        int           `json:"silent"`
	Unread        int64         `json:"unread"`
	New           int64         `json:"new"` // messages since the operator last looked
	Requests      []jsonRequest `json:"requests"`
	Agents        []jsonAgent   `json:"agents"`
	Tasks         []view.Task   `json:"tasks"`
	Claims        []view.Claim  `json:"claims"`
	LastHour      jsonPeriod    `json:"last_hour"`
	LastDay       jsonPeriod    `json:"last_day"`
}

type jsonAgent struct {
	ConversationID string `json:"conversation_id"`
	Team           string `json:"team"`
	Paused         bool   `json:"paused"`
	Stuck          bool   `json:"stuck"`
	view.Session
}

// jsonPeriod is what happened in a period.
type jsonPeriod struct {
	Sent    int64 `json:"sent"`
	Refused int64 `json:"refused"`
	Limited int64 `json:"limited"`
	jsonDelays
}

// jsonDelays are the delivery times of messages, in seconds; 0 if none was delivered.
type jsonDelays struct {
	Delivered int64   `json:"delivered"`
	Median    float64 `json:"delay_median_seconds"`
	P95       float64 `json:"delay_p95_seconds"`
	Longest   float64 `json:"delay_longest_seconds"`
}

func jsonDelaysOf(d summary.Delays) jsonDelays {
	return jsonDelays{d.Count, d.Median.Seconds(), d.P95.Seconds(), d.Longest.Seconds()}
}

func jsonTopOf(t top) jsonTop {
	v := jsonTop{
		At: view.Time(t.At), Store: t.store, Conversations: t.Live, Paused: t.Paused, Alive: t.Alive, Silent: t.Silent, Unread: t.Unread, New: t.news().Messages,
		Requests: viewRequests(t.Requests, t.At), Agents: make([]jsonAgent, len(t.Agents)), Tasks: make([]view.Task, len(t.Tasks)),
		Claims: make([]view.Claim, len(t.Claims)), LastHour: jsonPeriodOf(t.hour), LastDay: jsonPeriodOf(t.day),
	}
	for i, a := range t.Agents {
		v.Agents[i] = jsonAgent{a.Conversation, cleantext.Clean(a.Team), a.Paused, a.Stuck(t.At), view.OfSession(a.SessionState, t.At)}
	}
	for i, task := range t.Tasks {
		v.Tasks[i] = view.TaskOf(task, t.At)
	}
	for i, c := range t.Claims {
		v.Claims[i] = view.ClaimOf(c, t.At)
	}
	return v
}

func jsonPeriodOf(p summary.Period) jsonPeriod {
	return jsonPeriod{p.Sent, p.Refused, p.Limited, jsonDelaysOf(p.Delays)}
}
