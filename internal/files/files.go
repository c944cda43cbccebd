// Package files keeps text files that the agents of a conversation share: they may run
// on machines, or in folders, that have no file in common. Each change makes a version,
// is refused where somebody else was quicker or has claimed the file, and is redacted
// before it is kept.
//
// What becomes of a file is decided by rules without side effects (rules.go) on a Scene,
// which a Store loads and whose Outcome it keeps, in one transaction. Sessions are
// proved, limits charged and secrets recognised by package bridge; what claims say comes
// with the scene.
package files

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/relpath"
)

// Limits of shared files.
const (
	MaxPathLength = relpath.MaxLength // bytes
	MaxText       = 256 << 10         // bytes of one file
	MaxFiles      = 1000              // of a conversation, with those of its tasks
	MaxTexts      = 32 << 20          // bytes of all of them

	// What is kept of a file's past: so many versions before the last, as far as their
	// changes have no more than so many bytes, of the file and of all in the
	// conversation.
	MaxVersions       = 100
	MaxFileHistory    = 1 << 20
	MaxHistory        = 64 << 20
	MaxShownDiff      = 8 << 10 // bytes of a diff in a refusal
	MaxRedactedLines  = 20      // that an answer names
	maxPathsInMessage = 120     // characters of a path in a sentence
)

// ErrNoFile is the one answer to a file that there is not, and to one of another
// conversation or task.
var ErrNoFile = errors.New("there is no such shared file")

// ErrNoVersion reports a version that is no longer kept.
var ErrNoVersion = errors.New("that version of the file is no longer kept")

// ErrConflict reports a change that somebody else's has overtaken. It comes as a
// ConflictError.
var ErrConflict = errors.New("the file was changed meanwhile")

// ErrTooMany reports a conversation with MaxFiles files.
var ErrTooMany = errors.New("the conversation has 1000 shared files, which is the most")

// ErrTooLarge reports files that would have more than MaxTexts bytes together.
var ErrTooLarge = errors.New("the shared files of a conversation may have 32 MB together")

// ErrNoTask reports that a file is for a task that is no open one of the conversation.
var ErrNoTask = errors.New("the conversation has no such open task")

// Name says which file of a conversation.
type Name struct {
	Path string
	// Task is the task of the conversation that it belongs to; 0 for none. The same
	// path may be one file of the conversation and one of each of its tasks.
	Task int64
}

// File is a shared file, as its last version is.
type File struct {
	ID           int64
	Conversation string
	Name
	// Version numbers the texts that it has had, from 1.
	Version int64
	// Text is empty where only its size is asked for. Agents wrote it: untrusted.
	Text  string
	Bytes int64
	// History is how many bytes the changes have that are kept of it.
	History int64
	// Writer made the last version.
	Writer               bridge.SessionID
	CreatedAt, WrittenAt time.Time
}

// Action says how a version was made.
type Action string

// The actions. A merge is an edit of an earlier version than the last.
const (
	Create Action = "create"
	Write  Action = "write"
	Edit   Action = "edit"
	Merge  Action = "merge"
)

// Change is what made a version of the one before: at a byte, one piece of text stands
// in another's place.
type Change struct {
	Version  int64
	Session  bridge.SessionID
	At       time.Time
	Action   Action
	Start    int64 // bytes before it
	Removed  string
	Inserted string
	// Bytes is how long both are, also where they are not loaded.
	Bytes int64
	// Redacted names the kinds of secrets that were hidden in it.
	Redacted []string
}

// Usage is how much a conversation keeps.
type Usage struct{ Files, Texts, History int64 }

// Store is the part of a store that keeps shared files.
type Store interface {
	// UseFile loads the scene of a file for rule, and keeps what it decides, in one
	// transaction.
	UseFile(ctx context.Context, g bridge.Gate, u Use, rule Rule) (Result, error)
	// ListFiles passes g, and returns the files of its conversation, or of one of its
	// tasks, without their texts and in order of their paths.
	ListFiles(ctx context.Context, g bridge.Gate, task int64) (List, error)
	// Files returns all files of a conversation, or of all where that is empty, without
	// their texts. It records nothing.
	Files(ctx context.Context, conversation string) ([]File, error)
	// FileHistory returns a file and the changes that are kept of it, oldest first. It
	// records nothing. The error may be ErrNoFile.
	FileHistory(ctx context.Context, conversation string, n Name) (File, []Change, error)
}

// List is the answer to a session that asks which files there are.
type List struct {
	Files  []File
	Unread int64
}

// Service is the shared files of one store. It is safe for concurrent use and keeps
// nothing in memory that another process would need.
type Service struct {
	core  *bridge.Service
	store Store
}

// New returns a service. Gates and redaction are those of core, which must be on the
// same store.
func New(core *bridge.Service, store Store) *Service { return &Service{core, store} }
