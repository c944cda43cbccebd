// Package binding stores which sessions of conversations belong to a session of an MCP
// client. With it an agent continues its conversation after its bridge process
// restarted, and the client's hooks can check for mail, without a token in the model's
// context.
//
// A binding is a private file next to the store. Its name is the hash of a label: the
// client's own name for the session, or the client's process. A label locates the file
// and proves nothing. The tokens in a file are protected by its permissions: the file
// must have mode 0600 and its folder 0700, and both must belong to the user; anything
// else is refused. There is no protection against programs of the same user, as there
// is none for the store's key.
//
// Every file is replaced as a whole, by a rename, under one lock for the folder.
// docs/clients.md describes the hooks.
package binding

import (
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"example.org/bridge/internal/privatefile"
)

// ErrUnsafe reports a binding, or its folder, that other users could read or change or
// that belongs to another user. Its text contains the command that fixes it.
var ErrUnsafe = privatefile.ErrOpenToOthers

// folderName is the folder's name, next to the store.
const folderName = "bindings"

// maxFile limits the size of a file that is read, in bytes. A record of
// maxEntries takes a quarter of it.
const maxFile = 256 << 10

// Folder is the folder with the bindings of one store. The zero Folder stores nothing
// and finds nothing.
type Folder struct{ dir, store string }

// Beside returns the folder of the store at an absolute path. The folder is created
// when something is first stored in it.
func Beside(store string) Folder {
	return Folder{dir: filepath.Join(filepath.Dir(store), folderName), store: filepath.Base(store)}
}

// Path returns the path of the folder.
func (f Folder) Path() string { return f.dir }

// Entry is one session of a conversation, with its token.
type Entry struct {
	Conversation string `json:"conversation"`
	Session      string `json:"session"`
	Token        string `json:"token"`
	// ExpiresAt is when the conversation expires; zero if that is not known.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Own marks a session that the client's server may act for without being passed its
	// token: one that it created, joined or was started with. Any other session was
	// proved by a call, and only hooks read its mail count.
	Own bool `json:"own"`
}

// names reports whether e and other are the same session of a conversation.
func (e Entry) names(other Entry) bool {
	return e.Conversation == other.Conversation && e.Session == other.Session
}

// grace is how long the sessions of a conversation are kept after its end. They
// may still read it, and somebody may extend it.
const grace = 24 * time.Hour

func (e Entry) expired(now time.Time) bool {
	return !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt.Add(grace))
}

// path returns the file of a label for one purpose.
func (f Folder) path(l Label, purpose string) string {
	sum := l.sum(f.store)
	return filepath.Join(f.dir, hex.EncodeToString(sum[:16])+purpose)
}

// read returns a private file of the folder, or an error that matches
// fs.ErrNotExist or ErrUnsafe.
func (f Folder) read(path string) ([]byte, error) {
	if err := checkFolder(f.dir); err != nil {
		return nil, err
	}
	file, err := privatefile.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is too large to be a binding", filepath.Base(path))
	}
	return text, err
}

// replace writes a file of the folder. The caller holds the lock.
func (f Folder) replace(path string, text []byte) error {
	return privatefile.Write{}.File(path, text)
}
