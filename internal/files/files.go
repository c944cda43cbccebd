// Package files implements text files that the agents of a conversation share, for
// agents on machines, or in folders, without a common file system. Each change makes a
// version. A change is refused if another session changed the same lines first or has
// claimed the file, and it is redacted before it is stored.
//
// The rules are pure functions (rules.go) of a Scene, which a Store loads and whose
// Outcome it keeps, in one transaction. Package bridge authenticates sessions, charges
// limits and finds secrets; the scene includes the decision of the claims.
// docs/files.md describes shared files for their users.
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
	MaxTexts      = 32 << 20          // total bytes

	// Limits of the history: how many versions before the last are kept, as long as
	// their changes do not exceed these bytes, for the file and for the whole
	// conversation.
	MaxVersions       = 100
	MaxFileHistory    = 1 << 20
	MaxHistory        = 64 << 20
	MaxShownDiff      = 8 << 10 // bytes of a diff in a refusal
	MaxRedactedLines  = 20      // lines that a result names
	maxPathsInMessage = 120     // characters of a path in a sentence
)

// ErrNoFile is the error for a file that does not exist, or that belongs to
// another conversation or task.
var ErrNoFile = errors.New("there is no such shared file")

// ErrNoVersion reports a version that the file never had or that is no longer kept.
var ErrNoVersion = errors.New("that version of the file is no longer kept")

// ErrConflict reports a change of a version that is no longer the last. It is returned
// as a *ConflictError.
var ErrConflict = errors.New("the file was changed meanwhile")

// ErrTooMany refuses a new file in a conversation that has MaxFiles files.
var ErrTooMany = errors.New("the conversation has 1000 shared files, which is the limit")

// ErrTooLarge refuses a change after which the files of the conversation would have
// more than MaxTexts bytes in total.
var ErrTooLarge = errors.New("the shared files of a conversation may have 32 MB in total")

// ErrNoTask refuses a change of a file of a task that is not an open task of the
// conversation.
var ErrNoTask = errors.New("the conversation has no such open task")

// Name identifies a file of a conversation.
type Name struct {
	Path string
	// Task is the task that the file belongs to, or 0. Files of different tasks, and of
	// no task, are different files even if their paths are equal.
	Task int64
}

// File is a shared file in its last version.
type File struct {
	ID           int64
	Conversation string
	Name
	// Version counts the texts that the file has had, from 1.
	Version int64
	// Text is empty where only metadata was requested. Agents wrote it: untrusted.
	Text  string
	Bytes int64
	// History is the size, in bytes, of all changes kept of the file.
	History int64
	// Writer is the session that made the last version.
	Writer               bridge.SessionID
	CreatedAt, WrittenAt time.Time
}

// Action says how a version was made.
type Action string

// The actions. A merge is an edit that was based on an earlier version than the last.
const (
	Create Action = "create"
	Write  Action = "write"
	Edit   Action = "edit"
	Merge  Action = "merge"
)

// Change is the difference between a version and the one before it: one piece of text,
// at a byte offset, replaced by another.
type Change struct {
	Version int64
	Session bridge.SessionID
	At      time.Time
	Action  Action
	// Start is the offset in bytes, the same in both texts.
	Start    int64 // bytes before it
	Removed  string
	Inserted string
	// Bytes is the length of Removed and Inserted together, also where these are not
	// loaded.
	Bytes int64
	// Redacted names the kinds of secrets that were removed from the text.
	Redacted []string
}

// Usage is what a conversation stores: the number of files, and the bytes of their
// texts and of their changes.
type Usage struct{ Files, Texts, History int64 }

// Store is the part of a store that keeps shared files.
type Store interface {
	// UseFile loads the scene of a file, calls rule, and keeps its outcome, in one
	// transaction.
	UseFile(ctx context.Context, g bridge.Gate, u Use, rule Rule) (Result, error)
	// ListFiles passes g and returns the files of its conversation that belong to task
	// (0: to no task), ordered by path, without their texts.
	ListFiles(ctx context.Context, g bridge.Gate, task int64) (List, error)
	// Files returns the files of a conversation, or of all conversations if that is "",
	// without their texts. It is for the operator and writes no audit entry.
	Files(ctx context.Context, conversation string) ([]File, error)
	// FileHistory returns a file with its text, and its kept changes, oldest first. It
	// is for the operator and writes no audit entry. The error may be ErrNoFile.
	FileHistory(ctx context.Context, conversation string, n Name) (File, []Change, error)
}

// List is the result of ListFiles.
type List struct {
	Files []File
	// Unread counts the messages that wait for the session.
	Unread int64
}

// Service implements the operations on shared files of one store. It is safe for
// concurrent use and keeps no state in memory.
type Service struct {
	core  *bridge.Service
	store Store
}

// New returns a service that authenticates, charges and redacts through core. Both must
// use the same store.
func New(core *bridge.Service, store Store) *Service { return &Service{core, store} }
