package sqlstore

import (
	"fmt"
	"time"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
)

// The functions below return the place of each text of a store (atrest.Place). A place
// must be known before its row is written, must not change, and must be the same in all
// kinds of stores, because rows are copied as they are.

// MessagePlace returns the place of a column of a message ("message", "files").
func MessagePlace(column, conversation string, id int64) atrest.Place {
	return atrest.Place{Column: "messages." + column, Of: conversation, Number: id}
}

// SharedPlace returns the place of the files that a session has yet to be told of.
func SharedPlace(conversation, session string) atrest.Place {
	return atrest.Place{Column: "session_status.shared_files", Of: conversation, Part: session}
}

// EntryPlace returns the place of the details of an audit log entry. It does not
// include the entry's number, which may differ in a copy. The log's own HMACs show that
// the entry is at its position.
func EntryPlace(at time.Time, conversation, session, action, outcome string) atrest.Place {
	return atrest.Place{Column: "audit_log.details", Of: conversation, Part: session + "\x00" + action + "\x00" + outcome, Time: Micros(at)}
}

// taskPlace includes the team, because SQLite reuses the id of the newest task if that
// task is removed.
func taskPlace(column, teamID string, id int64) atrest.Place {
	return atrest.Place{Column: "tasks." + column, Of: teamID, Number: id}
}

func eventPlace(task int64, at time.Time, actor, worker, state string) atrest.Place {
	return atrest.Place{Column: "task_events.note", Of: worker, Part: actor + "\x00" + state, Number: task, Time: Micros(at)}
}

func stepPlace(conversation string, number int64) atrest.Place {
	return atrest.Place{Column: "steps.text", Of: conversation, Number: number}
}

func pathPlace(conversation string, task int64) atrest.Place {
	return atrest.Place{Column: "files.path", Of: conversation, Number: task}
}

// filePlace and changePlace include the conversation for the same reason.
func filePlace(conversation string, file, version int64) atrest.Place {
	return atrest.Place{Column: "file_texts.text", Of: conversation, Number: file, Time: version}
}

func changePlace(column, conversation string, file, version int64) atrest.Place {
	return atrest.Place{Column: "file_changes." + column, Of: conversation, Number: file, Time: version}
}

// claimPlace includes everything about a claim that is known before it has a number.
// Claims made in one call share a place: swapping their paths has the same effect as
// swapping their numbers.
func claimPlace(column string, c claims.Claim) atrest.Place {
	part := string(c.Session)
	if c.Shared {
		part += "\x00shared"
	}
	return atrest.Place{Column: "file_claims." + column, Of: c.Conversation, Part: part, Number: c.Task, Time: Micros(c.TakenAt)}
}

func commandPlace(conversation, session string) atrest.Place {
	return atrest.Place{Column: "command_requests.command", Of: conversation, Part: session}
}

func planPlace(conversation, session string, nonce []byte) atrest.Place {
	return atrest.Place{Column: "command_requests.plan", Of: conversation, Part: session + "\x00" + string(nonce)}
}

// Unreadable is shown in place of a text that does not open. One such text must not
// make the rest unreadable.
const Unreadable = "[damaged: the text stored here was changed or belongs elsewhere; `bridge audit verify` and a backup may show what it was]"

// Shown opens a text for display. It returns Unreadable if the text does not open.
func Shown(c Conn, p atrest.Place, stored string) string {
	text, err := c.Opener().Open(p, stored)
	if err != nil {
		return Unreadable
	}
	return text
}

// shownList is Shown for a list of names, which is stored in clear if it is empty.
func shownList(c Conn, p atrest.Place, stored string) string {
	if isEmptyList(stored) {
		return stored
	}
	return Shown(c, p, stored)
}

func isEmptyList(stored string) bool { return stored == "[]" || stored == "{}" }

// OpenShared opens a list of names that is reported to a session as a hint. It returns
// "" if the list does not open, so that no placeholder is stored again as if it were a
// name.
func OpenShared(c Conn, p atrest.Place, stored string) string {
	if isEmptyList(stored) {
		return stored
	}
	text, err := c.Opener().Open(p, stored)
	if err != nil {
		return ""
	}
	return text
}

// OpenList is OpenShared for columns that hold a single list.
func OpenList(c Conn, p atrest.Place, stored string) []string {
	text := OpenShared(c, p, stored)
	if text == "" {
		return nil
	}
	return FromList(text)
}

// Named collects the files that sessions have named recently, read from the latest
// message backwards.
type Named struct {
	by    map[bridge.SessionID][]string
	bytes map[bridge.SessionID]int
	among int
}

// NewNamed returns an empty Named to be filled from the messages of the given number of
// senders.
func NewNamed(among int) Named {
	return Named{map[bridge.SessionID][]string{}, map[bridge.SessionID]int{}, among}
}

// By returns the files that a session named.
func (n Named) By(session bridge.SessionID) []string { return n.by[session] }

// Read adds the stored list of a message, unless its sender has already named enough.
// The error is ErrStop once every sender has.
func (n Named) Read(c Conn, conversation, sender string, id int64, stored string) error {
	of := bridge.SessionID(sender)
	if n.bytes[of] += len(stored); n.bytes[of] <= bridge.SharedBytes {
		n.by[of] = append(n.by[of], OpenList(c, MessagePlace("files", conversation, id), stored)...)
		return nil
	}
	full := 0
	for _, bytes := range n.bytes {
		if bytes > bridge.SharedBytes {
			full++
		}
	}
	if full >= n.among {
		return ErrStop
	}
	return nil
}

// needed opens a text on which a decision depends. If it does not open, the error is
// bridge.ErrStoreDamaged.
func needed(c Conn, p atrest.Place, stored string) (string, error) {
	text, err := c.Opener().Open(p, stored)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", bridge.ErrStoreDamaged, p.Column, err)
	}
	return text, nil
}

// SealList returns the stored form of a list of names. The empty list is stored in
// clear, so that queries can recognize it.
func SealList(c atrest.Cipher, p atrest.Place, items []string) string {
	if len(items) == 0 {
		return List(items)
	}
	return c.Text(p, List(items))
}

// ShownDetails is Shown for the stored details of an entry.
func ShownDetails(c Conn, e audit.Entry) string {
	return Shown(c, EntryPlace(e.Time, e.Conversation, e.Session, e.Action, e.Outcome), e.Details)
}

// OpenDetails opens the details of an entry for verification. Details that do not open
// are returned unchanged; they do not fit the entry's HMAC, so the verification finds
// the entry.
func OpenDetails(b *atrest.Box, stored string, at time.Time, conversation, session, action, outcome string) string {
	text, err := b.Open(EntryPlace(at, conversation, session, action, outcome), stored)
	if err != nil {
		return stored
	}
	return text
}
