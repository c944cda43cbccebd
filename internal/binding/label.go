package binding

import (
	"crypto/sha256"
	"fmt"
)

// Label locates a binding. Except for a resume code it is neither secret nor a
// credential. The zero Label locates nothing.
type Label struct {
	text string
	// process marks the label of a process. Its sessions end with the process,
	// and several servers may run in it.
	process bool
	of      Process
}

// maxID limits the length of a client's name for its session, in bytes.
const maxID = 256

// OfSession returns the label of a client session with the id that the client gives it:
// 1 to 256 bytes without control characters. Any other id gives the zero Label.
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

// OfResumeCode returns the label of a client session that is identified by a code its
// agent was given, for clients that do not name their sessions. Unlike other labels it
// is a secret: whoever passes the code gets the sessions stored for it.
func OfResumeCode(client, code string) Label {
	return Label{text: fmt.Sprintf("resume/%s/%s", client, code)}
}

// OfProcess returns the label of a client's process, for clients that do not tell their
// servers a name for the session.
func OfProcess(p Process) Label {
	if p.Started == "" {
		return Label{}
	}
	return Label{text: fmt.Sprintf("process/%d/%s", p.PID, p.Started), process: true, of: p}
}

// sum returns the name of the label's files in the folder of a store. The label
// itself never becomes part of a path.
func (l Label) sum(store string) [sha256.Size]byte {
	return sha256.Sum256([]byte("bridge binding 1\x00" + store + "\x00" + l.text))
}

func (l Label) none() bool { return l.text == "" }

// First returns the first of the labels that is not the zero Label, or the zero Label.
func First(labels ...Label) Label {
	for _, l := range labels {
		if !l.none() {
			return l
		}
	}
	return Label{}
}
