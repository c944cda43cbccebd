// Package backup makes copies of a store that is in use, each in a folder of its own
// with a manifest, checks them, and puts one back.
//
// A folder holds "bridge.db", or "bridge.db.age" where the copy is sealed to age
// recipients (https://age-encryption.org/v1), and "manifest.json". It never holds the
// master key: who finds a copy that is not sealed can read the messages, and without
// the key nobody can forge a token, an entry of the audit log or a manifest.
package backup

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/privatefile"
	"example.org/bridge/internal/sqlite/storefile"
)

// The names in a backup's folder.
const (
	databaseName = "bridge.db"
	sealedName   = "bridge.db.age"
	manifestName = "manifest.json"
)

// format is the version of the manifest.
const format = 1

// maxManifest bounds what is read of a manifest, in bytes.
const maxManifest = 64 << 10

// ErrNoBackup reports a folder that holds no backup that this program knows.
var ErrNoBackup = errors.New("this is not a backup")

// Manifest says what a backup holds. The MAC is over everything else, under a key
// that is derived from the store's, so a manifest that was changed is not believed.
type Manifest struct {
	Format int       `json:"format"`
	Made   time.Time `json:"made"`
	// Program is the version of bridge that made it.
	Program string `json:"program"`
	// Sealed reports that the copy is encrypted.
	Sealed bool `json:"sealed"`
	// Bytes and SHA256 are those of the copy before it was sealed.
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Store is the id of the store.
	Store         string `json:"store"`
	SchemaVersion int    `json:"schema_version"`
	// AuditHead is the end of the audit log, as `bridge audit verify --expect` takes it.
	AuditHead string `json:"audit_head"`
	// ServerHead is the end of the log of a store in PostgreSQL before it was copied: its
	// log is several chains and that of the copy is one, so the copy has another head.
	ServerHead    string `json:"server_audit_head,omitempty"`
	Conversations int64  `json:"conversations"`
	Messages      int64  `json:"messages"`
	LastMessage   int64  `json:"last_message"`
	MAC           string `json:"mac"`
}

func describe(c storefile.Contents) Manifest {
	return Manifest{
		Format:        format,
		Store:         hex.EncodeToString(c.ID),
		SchemaVersion: c.SchemaVersion,
		AuditHead:     c.Head.String(),
		Conversations: c.Conversations,
		Messages:      c.Messages,
		LastMessage:   c.LastMessage,
	}
}

// Head is the end of the copy's audit log.
func (m Manifest) Head() (audit.Head, error) { return audit.ParseHead(m.AuditHead) }

// mac is over the JSON of the manifest without one, whose fields have a fixed order.
func (m Manifest) mac(key auth.Key) string {
	m.MAC = ""
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // text and numbers always have a JSON form
	}
	h := hmac.New(sha256.New, key.Derive("backup"))
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}

func (m Manifest) write(folder string, key auth.Key) error {
	m.MAC = m.mac(key)
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return privatefile.Write{New: true, Durable: true}.File(filepath.Join(folder, manifestName), append(text, '\n'))
}

// ReadManifest reads the manifest of the backup in folder. The error may be
// ErrNoBackup, or bridge.ErrStoreKey where the key is not the one that the store of
// the backup was made with, or the manifest was changed.
func ReadManifest(folder string, key auth.Key) (m Manifest, err error) {
	f, err := os.Open(filepath.Join(folder, manifestName))
	if err != nil {
		return m, fmt.Errorf("%w: %s has no %s: name a folder that `bridge backup` made", ErrNoBackup, folder, manifestName)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return m, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&m); err != nil {
		return m, fmt.Errorf("%w: %s is damaged: %w", ErrNoBackup, f.Name(), err)
	}
	if m.Format != format {
		return m, fmt.Errorf("%w: %s has format %d, this bridge knows %d: use the bridge that made it", ErrNoBackup, f.Name(), m.Format, format)
	}
	if !hmac.Equal([]byte(m.MAC), []byte(m.mac(key))) {
		return m, fmt.Errorf("%w: %s was made with another key, or was changed: name the key that was kept of that store with --key",
			bridge.ErrStoreKey, f.Name())
	}
	return m, nil
}
