package agents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// receipt records what an installation changed, so that it can be undone exactly: the
// content of each file before and after. It is a private folder with receipt.json and
// the copies, which also serve as the backup.
type receipt struct {
	Setup Setup         `json:"setup"`
	Files []receiptFile `json:"files"`
	// Folders are those that the installation created, outermost first.
	Folders []string `json:"folders,omitempty"`
}

type receiptFile struct {
	Path   string `json:"path"`
	Format format `json:"format"`
	// Existed reports whether the file existed before.
	Existed bool `json:"existed"`
	// AddedTo reports whether the server's entry contains additions by somebody else.
	AddedTo bool `json:"added_to,omitempty"`

	before, after []byte
}

const receiptName = "receipt.json"

// receiptFolder returns the folder for the receipt of an installation.
func (in Installer) receiptFolder(c Client, scope Scope, name string) string {
	sum := sha256.Sum256([]byte(mainFile(c, scope, in.Place) + "\x00" + name))
	return filepath.Join(in.State, "installed", fmt.Sprintf("%s-%s-%s", c, scope, hex.EncodeToString(sum[:6])))
}

// mainFile returns the file in which the server is entered. It distinguishes
// installations.
func mainFile(c Client, scope Scope, p Place) string {
	switch c {
	case Claude:
		servers, _ := p.claudeFiles(scope)
		return servers
	case Codex:
		return filepath.Join(p.codexFolder(scope), "config.toml")
	}
	if other, ok := serverClients[c]; ok {
		return other.file(scope, p)
	}
	return filepath.Join(p.geminiFolder(scope), "settings.json")
}

// loadReceipt returns the receipt in a folder; nil if there is none.
func loadReceipt(folder string) (*receipt, error) {
	text, err := os.ReadFile(filepath.Join(folder, receiptName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no receipt is not an error
	}
	if err != nil {
		return nil, err
	}
	r := &receipt{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, &FileError{filepath.Join(folder, receiptName), errors.New("cannot be read: move its folder away, and the entries will be recognised by their content")}
	}
	for i := range r.Files {
		if r.Files[i].before, err = os.ReadFile(copyName(folder, i, "before")); err != nil {
			return nil, err
		}
		if r.Files[i].after, err = os.ReadFile(copyName(folder, i, "after")); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func copyName(folder string, i int, which string) string {
	return filepath.Join(folder, fmt.Sprintf("%d.%s", i, which))
}

// save writes the receipt into a folder, which it creates if necessary.
func (r *receipt) save(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	write := func(name string, text []byte) error { return os.WriteFile(name, text, 0o600) }
	for i, f := range r.Files {
		if err := errors.Join(write(copyName(folder, i, "before"), f.before), write(copyName(folder, i, "after"), f.after)); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return write(filepath.Join(folder, receiptName), text)
}

// file returns the record of a file, or nil.
func (r *receipt) file(path string) *receiptFile {
	if r == nil {
		return nil
	}
	for i := range r.Files {
		if r.Files[i].Path == path {
			return &r.Files[i]
		}
	}
	return nil
}
