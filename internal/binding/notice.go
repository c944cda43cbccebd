package binding

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"
)

const noticeSuffix = ".told"

// Notices is what a client's session has been told of, so that its hooks say
// nothing twice.
type Notices struct {
	// Told is the number of the last message of each session that the agent was
	// told of in any way; Stopped of the last for which it was kept from ending.
	Told    map[string]int64 `json:"told,omitempty"`
	Stopped map[string]int64 `json:"stopped,omitempty"`
	// Ends is the end of each session's conversation that the agent was told of.
	// An extended conversation has another end.
	Ends map[string]ToldEnd `json:"ends,omitempty"`
	// Continued counts how often in a row the agent was kept from ending or
	// woken, since its user last spoke.
	Continued int `json:"continued,omitempty"`
	Woken     int `json:"woken,omitempty"`
	// Unguarded reports that the user was told that claims could not be asked for.
	Unguarded bool `json:"unguarded,omitempty"`
}

// ToldEnd is an end that an agent was told of: that it comes at a time, or that it
// came.
type ToldEnd struct {
	At   time.Time `json:"at"`
	Over bool      `json:"over,omitempty"`
}

// Key names a session of a conversation in Notices.
func (e Entry) Key() string { return e.Conversation + "/" + e.Session }

// Notices returns what the session under a label has been told of.
func (f Folder) Notices(l Label) (Notices, error) {
	n := Notices{Told: map[string]int64{}, Stopped: map[string]int64{}, Ends: map[string]ToldEnd{}}
	text, err := f.read(f.path(l, noticeSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	_ = json.Unmarshal(text, &n) // what cannot be read tells nothing
	if n.Told == nil {
		n.Told = map[string]int64{}
	}
	if n.Stopped == nil {
		n.Stopped = map[string]int64{}
	}
	if n.Ends == nil {
		n.Ends = map[string]ToldEnd{}
	}
	return n, nil
}

// Notify lets edit change what the session under a label has been told of, while
// no other process does. What edit returns false for is not written.
func (f Folder) Notify(ctx context.Context, l Label, edit func(*Notices) bool) error {
	return f.locked(ctx, func() error {
		n, err := f.Notices(l)
		if err != nil || !edit(&n) {
			return err
		}
		text, err := json.Marshal(n)
		if err != nil {
			return err
		}
		return f.replace(f.path(l, noticeSuffix), text)
	})
}
