package files

import (
	"fmt"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
)

// ConflictError is an ErrConflict with details. Its text names the session that changed
// the file; the fields are for the caller, who is allowed to read the file.
type ConflictError struct {
	Path string
	// Version is the last version, which Writer made at At.
	Version int64
	Writer  bridge.SessionID
	At      time.Time
	// Since is the version that the caller named; 0 if it expected no file.
	Since int64
	// Diff is the unified diff from version Since to the last one, or, if Since is no
	// longer kept, from the text that the caller sent. It has at most MaxShownDiff
	// bytes. Agents wrote its content: untrusted.
	Diff string
	Cut  bool
	// FromSent reports that Diff starts from the text that the caller sent.
	FromSent bool
}

func (e *ConflictError) Error() string {
	if e.Since == 0 {
		return fmt.Sprintf("%s exists: session %s wrote its version %d", shown(e.Path), e.Writer, e.Version)
	}
	return fmt.Sprintf("%s was changed since version %d: session %s wrote version %d", shown(e.Path), e.Since, e.Writer, e.Version)
}

// Is makes a ConflictError match ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// conflict returns the error for a change of a version that is not the last. sent is
// the whole text that the caller sent, if it sent one.
func (s Scene) conflict(version int64, sent string) error {
	e := &ConflictError{Path: s.File.Path, Version: s.File.Version, Writer: s.File.Writer, At: s.File.WrittenAt, Since: version}
	before, err := s.textOf(version)
	switch {
	case err == nil:
		e.Diff = Diff(s.File.Path, version, s.File.Version, before, s.File.Text)
	case sent != "":
		e.FromSent = true
		e.Diff = udiff.Unified(shown(s.File.Path)+" (sent)", label(s.File.Path, s.File.Version), sent, s.File.Text)
	}
	e.Diff, e.Cut = cutText(e.Diff, MaxShownDiff)
	return e
}

// cutText cuts a text after a whole line or, if there is none, after a whole
// character.
func cutText(text string, most int) (string, bool) {
	if len(text) <= most {
		return text, false
	}
	end := strings.LastIndexByte(text[:most], '\n') + 1
	if end == 0 {
		end = most
	}
	for inside(text, end) {
		end--
	}
	return text[:end], true
}

// label names a version in the header of a diff. Version 0 means that the file
// did not exist.
func label(path string, version int64) string {
	if version == 0 {
		return "/dev/null"
	}
	return fmt.Sprintf("%s (version %d)", shown(path), version)
}

// shown returns a path for use in a sentence: on one line and shortened.
func shown(path string) string {
	runes := []rune(cleantext.CleanLine(path))
	if len(runes) > maxPathsInMessage {
		return string(runes[:maxPathsInMessage]) + "…"
	}
	return string(runes)
}
