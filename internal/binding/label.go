package binding

import (
	"crypto/sha256"
	"fmt"
)

// Label finds a binding. But for a resume code it is no secret and no credential.
// The zero Label finds none.
type Label struct {
	text string
	// process marks the label of a process, whose sessions end with it and in
	// which several servers may run.
	process bool
	of      Process
}

// maxID bounds what a client may call its session, in bytes.
const maxID = 256

// OfSession labels a client's session by the name that the client gives it. An
// empty or overlong id, or one with control characters, gives the zero Label.
func OfSession(client, id string) Label {
	if id == "" || len(id) > maxID {
		return Label{}
	}
	for _, r := range id {
		if r < ' ' || r == 0x7f {
			return Label{}
		}
	}
	return Label{text: fmt.Sprintf("session/%s/%s", client, id)}
}

// OfResumeCode labels a session of a client that does not say which session it is,
// by a code that its agent was given. Unlike a client's own name for a session it is
// a secret: whoever passes it gets what is kept.
func OfResumeCode(client, code string) Label {
	return Label{text: fmt.Sprintf("resume/%s/%s", client, code)}
}

// OfProcess labels what a client's process does, for clients that do not tell
// their servers what they call the session.
func OfProcess(p Process) Label {
	if p.Started == "" {
		return Label{}
	}
	return Label{text: fmt.Sprintf("process/%d/%s", p.PID, p.Started), process: true, of: p}
}

// sum is the label's name in the folder of a store. The label itself never
// becomes part of a path.
func (l Label) sum(store string) [sha256.Size]byte {
	return sha256.Sum256([]byte("bridge binding 1\x00" + store + "\x00" + l.text))
}

func (l Label) none() bool { return l.text == "" }

// First returns the first of the labels that is one, or the zero Label.
func First(labels ...Label) Label {
	for _, l := range labels {
		if !l.none() {
			return l
		}
	}
	return Label{}
}
