package binding

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"
)

const noticeSuffix = ".told"

// Notices is what a client session has been told, so that its hooks do not repeat it.
// The keys of the maps are those of Entry.Key.
type Notices struct {
	// Told is the number of the last message that the agent was told of in any way,
	// Stopped of the last message because of which it was not allowed to stop.
	Told    map[string]int64 `json:"told,omitempty"`
	Stopped map[string]int64 `json:"stopped,omitempty"`
	// Ends is the end of a conversation that the agent was told of. If the conversation
	// is extended, it has another end and the agent is told again.
	Ends map[string]ToldEnd `json:"ends,omitempty"`
	// Continued counts how often in a row the agent was not allowed to stop, and Woken
	// how often it was woken, since its user's last prompt.
	Continued int `json:"continued,omitempty"`
	Woken     int `json:"woken,omitempty"`
	// Unguarded reports that the user was told that claims on files could not be
	// checked.
	Unguarded bool `json:"unguarded,omitempty"`
}

// ToldEnd is the end of a conversation that an agent was told of: either that it will
// expire at a time, or (Over) that it has expired.
type ToldEnd struct {
	At   time.Time `json:"at"`
	Over bool      `json:"over,omitempty"`
}

// Key returns the key of the entry's session in the maps of Notices.
func (e Entry) Key() string { return e.Conversation + "/" + e.Session }

// Notices returns what the client session with label l has been told; never nil maps.
func (f Folder) Notices(l Label) (Notices, error) {
	n := Notices{Told: map[string]int64{}, Stopped: map[string]int64{}, Ends: map[string]ToldEnd{}}
	text, err := f.read(f.path(l, noticeSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	_ = json.Unmarshal(text, &n) // a file that cannot be read counts as no notices
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

// Notify calls edit, under the folder's lock, with what the client session with label l
// has been told, and stores the change if edit returns true.
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
