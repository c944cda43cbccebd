package agents

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.org/bridge/internal/confedit"
)

// Plan holds the changes that an installation, or its removal, would make.
type Plan struct {
	Setup   Setup
	Changes []Change
	// Notes are information for the user about files that will not be changed.
	Notes []string
	// Warnings are reasons why the client cannot use the bridge. There can be some even
	// if there is nothing to do.
	Warnings []string

	folder string
	// old is the existing receipt and new the one that replaces it; nil for none.
	old, new *receipt
}

// Change is one file before and after a change.
type Change struct {
	Path string
	// After is the new content, if Exists.
	After  []byte
	Exists bool
	// start is the text to which entries are added: After, or if somebody has added to
	// the server's entry, After with that entry.
	start []byte

	file file
}

// changes reports whether the file changes.
func (c Change) changes() bool {
	return c.Exists != c.file.exists || !bytes.Equal(c.After, c.file.text)
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return !slices.ContainsFunc(p.Changes, Change.changes) }

// Files returns the paths of the files that will be changed.
func (p *Plan) Files() (paths []string) {
	for _, c := range p.Changes {
		if c.changes() {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

// Backup returns the folder with copies of the original files; empty if the plan makes
// none.
func (p *Plan) Backup() string {
	if p.new == nil || len(p.new.Files) == 0 {
		return ""
	}
	return p.folder
}

// Diff returns the unified diff of all changes.
func (p *Plan) Diff() string {
	var b strings.Builder
	for _, c := range p.Changes {
		after := c.After
		if !c.Exists {
			after = nil
		}
		b.WriteString(confedit.Diff(c.Path, c.file.text, after))
	}
	return b.String()
}

// Permissions of new files. Files in a project are readable for its team.
const (
	privateFile, privateFolder = 0o600, 0o700
	sharedFile, sharedFolder   = 0o644, 0o755
)

// Apply makes all changes or, if one fails, none.
func (p *Plan) Apply() (err error) {
	if p.Empty() && (p.new != nil || p.old == nil) {
		return nil
	}
	for _, c := range p.Changes {
		if err := c.file.writable(); c.changes() && err != nil {
			return err
		}
	}
	undo := &undoing{plan: p}
	defer func() {
		if err != nil {
			err = errors.Join(err, undo.run())
		}
	}()
	if err := undo.keepReceipt(); err != nil {
		return err
	}
	mode, folderMode := fs.FileMode(privateFile), fs.FileMode(privateFolder)
	if p.Setup.Scope == ScopeProject {
		mode, folderMode = sharedFile, sharedFolder
	}
	for _, c := range p.Changes {
		if !c.changes() {
			continue
		}
		if c.Exists && !c.file.exists {
			made, err := makeFolders(c.Path, folderMode)
			undo.folders = append(undo.folders, made...)
			if err != nil {
				return err
			}
		}
		if err := c.file.replace(c.After, c.Exists, mode); err != nil {
			return err
		}
		undo.done = append(undo.done, c)
	}
	return p.finish(undo.folders)
}

// finish adds the created folders to the receipt, or removes what is left of the
// installation.
func (p *Plan) finish(made []string) error {
	if p.new != nil {
		if p.old != nil {
			p.new.Folders = append(slices.Clone(p.old.Folders), made...)
		} else {
			p.new.Folders = append(p.new.Folders, made...)
		}
		return p.new.save(p.folder)
	}
	if err := os.RemoveAll(p.folder); err != nil || p.old == nil {
		return err
	}
	return handOver(filepath.Dir(p.folder), removeFolders(p.old.Folders))
}

// handOver adds folders that we created and that are still in use to the receipt of
// another installation, so that the last one removes them.
func handOver(receipts string, folders []string) error {
	others, err := os.ReadDir(receipts)
	if err != nil || len(others) == 0 || len(folders) == 0 {
		return nil //nolint:nilerr // no other installation, so nothing to note
	}
	folder := filepath.Join(receipts, others[0].Name())
	other, err := loadReceipt(folder)
	if err != nil || other == nil {
		return err
	}
	other.Folders = append(folders, other.Folders...)
	return other.save(folder)
}

// undoing reverts what a plan has done if a later step fails.
type undoing struct {
	plan    *Plan
	done    []Change
	folders []string
	// receiptMade are the folders created for a new receipt.
	receiptMade []string
}

// keepReceipt writes the new receipt before any file is changed, so that an
// installation interrupted by a crash can be undone.
func (u *undoing) keepReceipt() error {
	p := u.plan
	if p.new == nil {
		return nil
	}
	made, err := makeFolders(filepath.Join(p.folder, receiptName), privateFolder)
	u.receiptMade = made
	if err != nil {
		return err
	}
	if p.old == nil {
		p.new.Folders = slices.DeleteFunc(made, func(dir string) bool { return dir == p.folder })
	}
	return p.new.save(p.folder)
}

func (u *undoing) run() error {
	var problems []error
	for _, c := range slices.Backward(u.done) {
		now, err := readFile(c.Path)
		if err == nil {
			mode := fs.FileMode(privateFile)
			if c.file.exists {
				mode = c.file.info.Mode().Perm()
			}
			err = now.replace(c.file.text, c.file.exists, mode)
		}
		problems = append(problems, err)
	}
	removeFolders(u.folders)
	if u.plan.new != nil {
		problems = append(problems, os.RemoveAll(u.plan.folder))
		removeFolders(u.receiptMade)
		if u.plan.old != nil {
			problems = append(problems, u.plan.old.save(u.plan.folder))
		}
	}
	return errors.Join(problems...)
}
