package stress

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// Mark is the word that an edit adds to a line of a file. It is unique among all edits.
type Mark struct {
	Text string
	// Line is the line it is added to: that of a session, or everybody's.
	Line    string
	Session bridge.SessionID
	// Version is the version that the answer gave; 0 if a kill interrupted the call.
	Version int64
	Fate    Fate
	// Begin is when the edit was first tried, End when it was answered.
	Begin, End time.Time
}

// Fate is the outcome of an edit.
type Fate int

// The outcomes of an edit. If a kill interrupts the call, the outcome is unknown.
const (
	Unknown Fate = iota
	Accepted
	Refused
)

// FileWork is all that is known of a shared file.
type FileWork struct {
	Path  string
	Marks []*Mark
	// Version and Text are the final version and text of the file.
	Version int64
	Text    string
}

// Hold is a claim of a session. It was certainly held from From until Until, and perhaps
// from Asked until Gone.
type Hold struct {
	Session                  bridge.SessionID
	Claim                    workPath
	Shared                   bool
	Asked, From, Until, Gone time.Time
}

// HeldRefusal is a call that was refused because Holder had claimed the file.
type HeldRefusal struct {
	Session, Holder bridge.SessionID
	About           workPath
	Begin, End      time.Time
}

// sharedLedger records what sessions saw of files and claims.
type sharedLedger struct {
	files     map[sharedFile]*FileWork
	holds     []*Hold
	held      []HeldRefusal
	edits     []time.Duration // of accepted edits
	claims    []time.Duration // of claims taken
	by        map[string]int
	merged    int
	conflicts int
	// standing are the claims that remain at the end, although all were released.
	standing []string
}

// file returns the record of a file. Call it within note.
func (l *sharedLedger) file(f sharedFile) *FileWork {
	if l.files[f] == nil {
		l.files[f] = &FileWork{Path: f.path()}
	}
	return l.files[f]
}

// editsOf returns the number of accepted edits of a session.
func (l *sharedLedger) editsOf(s bridge.SessionID) int { return l.by[string(s)] }

// report adds the operations on files and claims.
func (l *sharedLedger) report(r *Report) {
	c := &r.Counts
	c.Files, c.Edits, c.Merged, c.Conflicts = len(l.files), len(l.edits), l.merged, l.conflicts
	c.Claims, c.Held = len(l.claims), len(l.held)
	r.add("edit", "file_edit and file_write, accepted", l.edits)
	r.add("claim", "claim_file, taken", l.claims)
}

// violations applies the rules of files and claims.
func (l *sharedLedger) violations() (found []Violation) {
	files := make([]sharedFile, 0, len(l.files))
	for f := range l.files {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b sharedFile) int { return cmp.Compare(a.path(), b.path()) })
	for _, f := range files {
		found = append(found, JudgeFile(*l.files[f])...)
		found = append(found, JudgeEdits(workPath(f), l.files[f].Marks, l.holds)...)
	}
	found = append(found, JudgeHolds(l.holds)...)
	found = append(found, JudgeRefusals(l.held, l.holds)...)
	for _, path := range l.standing {
		found = append(found, Violation{RuleHolder, fmt.Sprintf("%s is still claimed at the end, although all claims were released", path)})
	}
	return found
}

// gatherShared runs the operator's commands to get the final files and the remaining
// claims. All agents must have ended.
func (r *run) gatherShared(ctx context.Context) error {
	if r.Preset != PresetSharedWork || len(r.sessions) == 0 {
		return nil
	}
	conversation := r.sessions[0].Conversation
	var listed struct {
		Files []struct {
			Path    string `json:"path"`
			Version int64  `json:"version"`
		} `json:"files"`
	}
	if err := r.tell(ctx, &listed, "files", "list", conversation); err != nil {
		return err
	}
	versions := map[string]int64{}
	for _, f := range listed.Files {
		versions[f.Path] = f.Version
	}
	dir := filepath.Join(r.place.Dir, "exported")
	if out, err := r.place.Command(ctx, "files", "export", conversation, dir).CombinedOutput(); err != nil {
		return fmt.Errorf("bridge files export: %w: %.500s", err, out)
	}
	for _, f := range r.shared.files {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		f.Version, f.Text = versions[f.Path], string(text)
	}
	var standing struct {
		Claims []struct {
			Path string `json:"path"`
		} `json:"claims"`
	}
	if err := r.tell(ctx, &standing, "claims", "list"); err != nil {
		return err
	}
	for _, c := range standing.Claims {
		r.shared.standing = append(r.shared.standing, c.Path)
	}
	return nil
}

// tell decodes the JSON output of one of the operator's commands.
func (r *run) tell(ctx context.Context, into any, command ...string) error {
	out, err := r.place.Command(ctx, append(command, "--json")...).Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		return fmt.Errorf("bridge %v: %w: %.200s", command, err, out)
	}
	return nil
}
