package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const recordVersion = 1

// record describes a snapshot, in a file of its own. Its SHA-256 is the
// snapshot's name.
type record struct {
	Version   int       `json:"version"`
	Label     string    `json:"label"`
	N         int       `json:"n"`
	Time      time.Time `json:"time"`
	Workspace string    `json:"workspace"`
	// Tree is the name of the tree of the workspace's top folder.
	Tree string `json:"tree"`
	// Rules are the lists of ignored files with which it was taken.
	Rules []ruleFile `json:"rules,omitempty"`
	// Absent are files that git tracked but that did not exist. If such a file
	// exists later, it is new, even if it is ignored.
	Absent  []string `json:"absent,omitempty"`
	Skipped []Skip   `json:"skipped,omitempty"`
}

func (r record) snapshot(data []byte) Snapshot {
	sum := sha256.Sum256(data)
	return Snapshot{
		Label: r.Label, N: r.N, Commit: hex.EncodeToString(sum[:]), Time: r.Time,
		Workspace: r.Workspace, Skipped: r.Skipped,
	}
}

func (k Keeper) labelDir(label string) string { return filepath.Join(k.Dir, "labels", label) }

func (k Keeper) recordPath(label string, n int) string {
	return filepath.Join(k.labelDir(label), strconv.Itoa(n)+".json")
}

// recordTries is how often another process may take the number first.
const recordTries = 100

// addRecord uses the label's next number. Records are only ever created, never
// replaced, so that of two processes with the same number one has to try the
// next.
func (k Keeper) addRecord(r record) (Snapshot, error) {
	if err := os.MkdirAll(k.labelDir(r.Label), 0o700); err != nil {
		return Snapshot{}, err
	}
	for range recordTries {
		last, err := k.lastNumber(r.Label)
		if err != nil {
			return Snapshot{}, err
		}
		r.N = last + 1
		data, err := json.Marshal(r)
		if err != nil {
			return Snapshot{}, err
		}
		err = createWhole(k.recordPath(r.Label, r.N), data)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			// A number is not reused, even after its snapshot was removed.
			_ = os.WriteFile(filepath.Join(k.labelDir(r.Label), "last"), []byte(strconv.Itoa(r.N)), 0o600)
		}
		return r.snapshot(data), err
	}
	return Snapshot{}, errors.New("too many processes take snapshots of one conversation")
}

// createWhole creates a file with its entire content, or not at all.
func createWhole(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "new-")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Link(tmp.Name(), path)
	}
	if removeErr := os.Remove(tmp.Name()); err == nil {
		err = removeErr
	}
	return err
}

func (k Keeper) lastNumber(label string) (int, error) {
	numbers, err := k.numbers(label)
	if err != nil {
		return 0, err
	}
	last := 0
	if data, err := os.ReadFile(filepath.Join(k.labelDir(label), "last")); err == nil {
		last, _ = strconv.Atoi(string(data))
	}
	if len(numbers) > 0 {
		last = max(last, numbers[len(numbers)-1])
	}
	return last, nil
}

// numbers lists the numbers of a label's snapshots, in order.
func (k Keeper) numbers(label string) ([]int, error) {
	entries, err := os.ReadDir(k.labelDir(label))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []int
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			if n, err := strconv.Atoi(name); err == nil && n > 0 {
				all = append(all, n)
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

// List returns the snapshots of a label, oldest first.
func (k Keeper) List(label string) ([]Snapshot, error) {
	if !labelPattern().MatchString(label) {
		return nil, ErrLabel
	}
	numbers, err := k.numbers(label)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	var all []Snapshot
	for _, n := range numbers {
		r, data, err := k.readRecord(label, n)
		if err != nil {
			continue // damaged; reported when that snapshot is requested
		}
		all = append(all, r.snapshot(data))
	}
	return all, nil
}

func (k Keeper) readRecord(label string, n int) (record, []byte, error) {
	var r record
	data, err := os.ReadFile(k.recordPath(label, n))
	if err != nil {
		return r, nil, fmt.Errorf("%w: %s %d does not exist, or no longer does", ErrNotFound, label, n)
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Version != recordVersion || r.Label != label || r.N != n {
		return r, nil, fmt.Errorf("%w: the record of %s %d", ErrDamaged, label, n)
	}
	return r, data, nil
}

// find returns the record of a snapshot known to the caller, if it is still the
// same.
func (k Keeper) find(snap Snapshot) (record, error) {
	if !labelPattern().MatchString(snap.Label) {
		return record{}, ErrLabel
	}
	if !commitPattern().MatchString(snap.Commit) {
		return record{}, fmt.Errorf("%w: it was made by an earlier version of bridge, in the repository", ErrNotFound)
	}
	r, data, err := k.readRecord(snap.Label, snap.N)
	if err != nil {
		return record{}, err
	}
	if r.snapshot(data).Commit != snap.Commit {
		return record{}, fmt.Errorf("%w: the record of %s %d was replaced", ErrDamaged, snap.Label, snap.N)
	}
	if snap.Workspace != "" && snap.Workspace != r.Workspace {
		return record{}, fmt.Errorf("%w: %s %d is of another workspace", ErrNotFound, snap.Label, snap.N)
	}
	if target, err := filepath.EvalSymlinks(r.Workspace); err != nil || target != r.Workspace {
		return record{}, fmt.Errorf("%w: the workspace of %s %d is not where it was", ErrNotFound, snap.Label, snap.N)
	}
	return r, nil
}
