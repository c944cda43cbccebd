// Package binding keeps which sessions of conversations belong to a session of
// an MCP client, so that an agent goes on with its conversation after its
// bridge process was restarted, and so that the client's hooks can look for
// mail, without a token in the model's context.
//
// A binding is a private file beside the store. Its name is the hash of a
// label: what the client calls its session, or the client's process. A label
// finds the file and proves nothing. What protects the tokens in it is that the
// file has mode 0600, its folder 0700, and both belong to the user; anything
// else is refused. Against programs of the same user there is no protection
// here, as there is none for the store's key.
//
// Every file is replaced whole, by a rename, behind one lock for the folder.
package binding

import (
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"example.org/bridge/internal/privatefile"
)

// ErrUnsafe reports a binding or its folder that others could read or change,
// or that belongs to another user. The text has the command that fixes it.
var ErrUnsafe = privatefile.ErrOpenToOthers

// folderName is the folder's name, beside the store.
const folderName = "bindings"

// maxFile keeps a foreign file from being read whole, in bytes. A record of
// maxEntries takes a quarter of it.
const maxFile = 256 << 10

// Folder holds the bindings of one store. The zero Folder holds none and keeps
// none.
type Folder struct{ dir, store string }

// Beside returns the folder of the store at the absolute path store. It is made
// when something is first kept in it.
func Beside(store string) Folder {
	return Folder{dir: filepath.Join(filepath.Dir(store), folderName), store: filepath.Base(store)}
}

// Path is where the folder lies.
func (f Folder) Path() string { return f.dir }

// Entry is one session of a conversation.
type Entry struct {
	Conversation string `json:"conversation"`
	Session      string `json:"session"`
	Token        string `json:"token"`
	// ExpiresAt is when the conversation ends; zero if that is not known.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Own marks a session that the client's server may act for without being
	// told its token: one that it created or joined, or was started with. One
	// that is not its own was proved by a call, and is only looked at by hooks.
	Own bool `json:"own"`
}

// names reports whether e is of the same session of a conversation as other.
func (e Entry) names(other Entry) bool {
	return e.Conversation == other.Conversation && e.Session == other.Session
}

// grace is how long the sessions of a conversation are kept behind its end: they
// may read what is in it, and somebody may have extended it.
const grace = 24 * time.Hour

func (e Entry) expired(now time.Time) bool {
	return !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt.Add(grace))
}

// path returns the file of a label for one purpose.
func (f Folder) path(l Label, purpose string) string {
	sum := l.sum(f.store)
	return filepath.Join(f.dir, hex.EncodeToString(sum[:16])+purpose)
}

// read returns a private file of the folder, or an error that is fs.ErrNotExist
// or ErrUnsafe.
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
