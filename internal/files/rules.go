package files

import (
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
)

// Use tells the store what to load for a call.
type Use struct {
	Name
	// Since is the version that the caller has read: later changes are loaded with
	// their texts; 0 loads none.
	Since int64
	// Reads reports that the call changes nothing.
	Reads bool
}

// Scene is everything that the rules decide on, at one moment.
type Scene struct {
	Now     time.Time
	Session bridge.SessionID
	// HasTask reports that the task of the call is an open task of the conversation.
	HasTask bool
	// File is nil if the file does not exist.
	File *File
	// Changes are the kept changes of the file, oldest first. Only those later than
	// Use.Since have their texts.
	Changes []Change
	Usage   Usage
	// Held is the error for a change of the file if another session has claimed it, or
	// nil.
	Held error
	// HolderConversation and Holder identify the session that has claimed the file;
	// empty if none has.
	HolderConversation string
	Holder             bridge.SessionID
	// Suspects finds tokens of this store in a text, in the transaction (see
	// bridge.Store).
	Suspects bridge.Lookup
	// Unread counts the messages that wait for the caller.
	Unread int64
}

// Rule decides on a call. It has no side effects; Scene.Suspects is the only input
// beside the scene's values.
type Rule func(Scene) (Outcome, error)

// Outcome is the decision of a Rule.
type Outcome struct {
	// File is to be stored if Change is not nil; Change is what made its version.
	// Changes up to and including version Forget are to be deleted.
	File   File
	Change *Change
	Forget int64
	Result Result
	// Refused is the reason if the call is refused; then nothing is stored.
	Refused error
}

// Charges returns what a call of g that was not refused counts against the limits: a
// call that stores no new version counts as one read.
func (o Outcome) Charges(g bridge.Gate) []bridge.Charge {
	if o.Change == nil {
		return []bridge.Charge{g.Repeat}
	}
	return g.Charges
}

// Refusal returns the error of a call of g that was refused, with the outcome that the
// audit log records.
func (o Outcome) Refusal(g bridge.Gate) error {
	outcome := bridge.OutcomeRefused
	var invalid *bridge.InvalidError
	if errors.As(o.Refused, &invalid) {
		outcome = bridge.OutcomeInvalid
	}
	return g.Refuse(o.Refused, outcome)
}

// Result is what a session is told about its call.
type Result struct {
	// File has its text only in the result of a read.
	File File
	// Merged reports that other sessions have changed the file since the version that
	// the caller named, in other lines; Unchanged that the file had the text already,
	// so that there is no new version.
	Merged, Unchanged bool
	// Redacted names the kinds of secrets that were removed from what the caller wrote.
	// RedactedLines are the numbers of the first MaxRedactedLines lines that this
	// changed, from 1.
	Redacted      []string
	RedactedLines []int
	// HolderConversation and Holder identify the session that has claimed the file;
	// empty if none has.
	HolderConversation string
	Holder             bridge.SessionID
	Unread             int64
}

// hider hides the secrets in a text and returns their kinds.
type hider func(text string, lookup bridge.Lookup) (clean string, kinds []string, err error)

// readRule returns a rule that returns a version of the file; 0 is the last.
func readRule(version int64) Rule {
	return func(s Scene) (Outcome, error) {
		if s.File == nil {
			return Outcome{Refused: ErrNoFile}, nil
		}
		f := *s.File
		if version != 0 {
			text, err := s.textOf(version)
			if err != nil {
				return Outcome{Refused: err}, nil //nolint:nilerr // it is the answer
			}
			if made := s.change(version); made != nil {
				f.Writer, f.WrittenAt = made.Session, made.At
			}
			f.Version, f.Text, f.Bytes = version, text, int64(len(text))
		}
		return Outcome{Result: s.result(f)}, nil
	}
}

// refuse returns the outcome of a call that is refused for a reason that the caller is
// told.
func refuse(reason error) (Outcome, error) { return Outcome{Refused: reason}, nil }

func (s Scene) result(f File) Result {
	return Result{File: f, HolderConversation: s.HolderConversation, Holder: s.Holder, Unread: s.Unread}
}

// writeRule returns a rule that replaces the text of a file. The text is already
// redacted. version must be the current version, 0 for a new file.
func writeRule(n Name, version int64, w written) Rule {
	return func(s Scene) (Outcome, error) {
		forbidden := s.mayNot(n)
		switch {
		case forbidden != nil:
			return refuse(forbidden)
		case s.File == nil && version != 0:
			return Outcome{Refused: ErrNoFile}, nil
		case s.File == nil:
			w.action = Create
			return s.keep(n, w), nil
		case s.File.Text == w.text:
			return s.unchanged(w), nil
		case version > s.File.Version:
			return Outcome{Refused: bridge.Invalid("version", "was never a version of the file: the last one is %d", s.File.Version)}, nil
		case version != s.File.Version:
			return Outcome{Refused: s.conflict(version, w.text)}, nil
		}
		w.action = Write
		return s.keep(n, w), nil
	}
}

// editRule returns a rule that replaces one text by another. The old text must occur
// exactly once in the version that the caller has read (0: the last). Changes that
// others have made elsewhere since are kept.
func editRule(n Name, version int64, old, replacement string, hide hider) Rule {
	return func(s Scene) (Outcome, error) {
		forbidden := s.mayNot(n)
		switch {
		case forbidden != nil:
			return refuse(forbidden)
		case s.File == nil:
			return Outcome{Refused: ErrNoFile}, nil
		case version > s.File.Version:
			return Outcome{Refused: bridge.Invalid("version", "was never a version of the file: the last one is %d", s.File.Version)}, nil
		}
		w := written{action: Edit}
		base := s.File.Text
		if version != 0 && version != s.File.Version {
			var err error
			if base, err = s.textOf(version); err != nil {
				return Outcome{Refused: s.conflict(version, "")}, nil //nolint:nilerr // the conflict says so
			}
			w.action = Merge
		}
		edit, err := find(base, old, replacement)
		if err != nil {
			return Outcome{Refused: err}, nil //nolint:nilerr // it is the answer
		}
		merged, ok := edit.onto(base, s.File.Text)
		if !ok {
			return Outcome{Refused: s.conflict(version, "")}, nil
		}
		w.given = merged
		if w.text, w.kinds, err = hide(merged, s.Suspects); err != nil {
			return Outcome{}, err
		}
		switch {
		case len(w.text) > MaxText:
			return Outcome{Refused: tooLong(len(w.text))}, nil
		case w.text == s.File.Text:
			return s.unchanged(w), nil
		}
		return s.keep(n, w), nil
	}
}

// mayNot returns the reason why the caller may not change the file, or nil.
func (s Scene) mayNot(n Name) error {
	if n.Task != 0 && !s.HasTask {
		return ErrNoTask
	}
	return s.Held
}

// written is the text that a file gets.
type written struct {
	given  string // before redaction
	text   string
	kinds  []string
	action Action
}

func (s Scene) unchanged(w written) Outcome {
	r := s.result(*s.File)
	r.File.Text, r.Unchanged, r.Redacted = "", true, w.kinds
	return Outcome{Result: r}
}

// keep adds the next version of the file, if the conversation has room for it.
func (s Scene) keep(n Name, w written) Outcome {
	before := File{Name: n, CreatedAt: s.Now}
	if s.File != nil {
		before = *s.File
	} else if s.Usage.Files >= MaxFiles {
		return Outcome{Refused: ErrTooMany}
	}
	if s.Usage.Texts-int64(len(before.Text))+int64(len(w.text)) > MaxTexts {
		return Outcome{Refused: ErrTooLarge}
	}
	next := before
	next.Version, next.Text, next.Bytes, next.Writer, next.WrittenAt = before.Version+1, w.text, int64(len(w.text)), s.Session, s.Now
	change := changeOf(before.Text, w.text)
	change.Version, change.Session, change.At, change.Action, change.Redacted = next.Version, s.Session, s.Now, w.action, w.kinds
	o := Outcome{File: next, Change: &change}
	o.File.History, o.Forget = s.history(change, before)
	o.Result = s.result(next)
	o.Result.File.Text, o.Result.Redacted = "", w.kinds
	o.Result.Merged = w.action == Merge && before.Version > 0
	o.Result.RedactedLines = changedLines(w.given, w.text)
	return o
}

// history returns how much of the file's past is kept when a change is added, and up
// to which version changes are forgotten. The oldest are forgotten first.
func (s Scene) history(added Change, before File) (bytes, forget int64) {
	room := min(MaxFileHistory, MaxHistory-(s.Usage.History-before.History))
	bytes = before.History + added.Bytes
	kept := append(append([]Change(nil), s.Changes...), added)
	for i, c := range kept {
		if bytes <= room && len(kept)-i <= MaxVersions {
			break
		}
		bytes, forget = bytes-c.Bytes, c.Version
	}
	return bytes, forget
}

// change returns the change that made a version; nil if it is no longer kept.
func (s Scene) change(version int64) *Change {
	for i := range s.Changes {
		if s.Changes[i].Version == version {
			return &s.Changes[i]
		}
	}
	return nil
}

// textOf returns the text of a version of the file. The error is ErrNoVersion.
func (s Scene) textOf(version int64) (string, error) { return TextOf(*s.File, s.Changes, version) }
