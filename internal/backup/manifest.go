// Package backup makes copies of a store that is in use, each in its own folder with a
// manifest, checks them, and restores one.
//
// A folder contains "bridge.db", or "bridge.db.age" if the copy is sealed to age
// recipients (https://age-encryption.org/v1), and "manifest.json". It never contains
// the master key. Anyone who finds an unsealed copy can read its messages, unless they
// are encrypted, but without the key nobody can forge a token, an entry of the audit
// log or a manifest.
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

// Names of the files in a backup's folder.
const (
	databaseName = "bridge.db"
	sealedName   = "bridge.db.age"
	manifestName = "manifest.json"
)

// format is the version of the manifest.
const format = 1

// maxManifest is how many bytes of a manifest are read at most.
const maxManifest = 64 << 10

// ErrNoBackup reports a folder that does not contain a backup that this program knows.
var ErrNoBackup = errors.New("this is not a backup")

// Manifest describes a backup. The MAC covers all other fields, under a key derived
// from the store's, so that a changed manifest is detected.
type Manifest struct {
	Format int       `json:"format"`
	Made   time.Time `json:"made"`
	// Program is the version of bridge that made the backup.
	Program string `json:"program"`
	// Sealed reports whether the copy is encrypted to recipients.
	Sealed bool `json:"sealed"`
	// Bytes and SHA256 are the size and digest of the copy before it was sealed.
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Store is the id of the store.
	Store         string `json:"store"`
	SchemaVersion int    `json:"schema_version"`
	// AuditHead is the head of the copy's audit log, in the form that `bridge audit
	// verify --expect` accepts.
	AuditHead string `json:"audit_head"`
	// ServerHead is the head of the log of a store in PostgreSQL before it was copied.
	// That log consists of several chains and the log of the copy of one, so the copy
	// has a different head.
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

// Head returns the head of the copy's audit log.
func (m Manifest) Head() (audit.Head, error) { return audit.ParseHead(m.AuditHead) }

// mac returns the MAC over the manifest's JSON form without a MAC. The fields have a
// fixed order.
func (m Manifest) mac(key auth.Key) string {
	m.MAC = ""
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // these types can always be encoded
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
// ErrNoBackup, or bridge.ErrStoreKey if the manifest was changed or key is not the key
// of the backup's store.
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
		return m, fmt.Errorf("%w: %s has format %d, but this bridge knows only %d: use the version of bridge that made it", ErrNoBackup, f.Name(), m.Format, format)
	}
	if !hmac.Equal([]byte(m.MAC), []byte(m.mac(key))) {
		return m, fmt.Errorf("%w: %s was made with another key or has been changed: name the key of that store with --key",
			bridge.ErrStoreKey, f.Name())
	}
	return m, nil
}
