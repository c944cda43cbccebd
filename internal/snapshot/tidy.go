package snapshot

import (
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

// Tidied is what was removed.
type Tidied struct {
	Snapshots int
	Bytes     int64
}

// tidyEvery is how often the age of snapshots is checked.
const tidyEvery = 24 * time.Hour

// Tidy removes snapshots that are too old, and the oldest ones while the total
// size is too large. It checks only once a day, or if the folder has become too
// large, so that it can be called after every command.
func (k Keeper) Tidy() (Tidied, error) {
	k = k.withDefaults()
	usage, looked := k.usage()
	if usage <= k.MaxTotal && k.Now().Sub(looked) < tidyEvery {
		return Tidied{}, nil
	}
	return k.Prune(k.MaxAge, false)
}

// Prune removes snapshots older than age, and the oldest ones while the total
// size is too large. The newest of each label is removed only because of its
// age. A dry run only counts those that are too old.
func (k Keeper) Prune(age time.Duration, dryRun bool) (Tidied, error) {
	k = k.withDefaults()
	if _, err := os.Lstat(k.Dir); errors.Is(err, fs.ErrNotExist) {
		return Tidied{}, nil
	}
	lock, err := k.lock(true)
	if err != nil {
		return Tidied{}, err
	}
	defer lock.unlock()
	if dryRun {
		all, err := k.records()
		return Tidied{Snapshots: len(all) - len(newerThan(all, k.Now().Add(-age)))}, err
	}
	t, err := k.prune(age)
	if err != nil {
		return t, fmt.Errorf("snapshot: removing old ones: %w", err)
	}
	return t, nil
}

func (k Keeper) prune(age time.Duration) (Tidied, error) {
	var t Tidied
	kept, err := k.records()
	if err != nil {
		return t, err
	}
	young := newerThan(kept, k.Now().Add(-age))
	t.Snapshots = len(kept) - len(young)
	if err := k.forget(kept, young); err != nil {
		return t, err
	}
	for {
		left, freed, err := k.sweep(young)
		t.Bytes += freed
		if err != nil {
			return t, err
		}
		older := olderHalf(young)
		if left <= k.MaxTotal || len(older) == len(young) {
			return t, k.setUsage(left)
		}
		t.Snapshots += len(young) - len(older)
		if err := k.forget(young, older); err != nil {
			return t, err
		}
		young = older
	}
}

func newerThan(all []record, limit time.Time) []record {
	return slices.DeleteFunc(slices.Clone(all), func(r record) bool { return r.Time.Before(limit) })
}

// olderHalf returns what is left after removing the older half, except for the
// newest of each label.
func olderHalf(all []record) []record {
	newest := make(map[string]int)
	for _, r := range all {
		newest[r.Label] = max(newest[r.Label], r.N)
	}
	drop := (len(all) + 1) / 2
	return slices.DeleteFunc(slices.Clone(all), func(r record) bool {
		if drop == 0 || r.N == newest[r.Label] {
			return false
		}
		drop--
		return true
	})
}

// records reads all records that can be read, oldest first.
func (k Keeper) records() ([]record, error) {
	labels, err := os.ReadDir(filepath.Join(k.Dir, "labels"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []record
	for _, l := range labels {
		numbers, err := k.numbers(l.Name())
		if err != nil {
			return nil, err
		}
		for _, n := range numbers {
			if r, _, err := k.readRecord(l.Name(), n); err == nil {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b record) int { return a.Time.Compare(b.Time) })
	return all, nil
}

// forget removes the records that are not among those kept.
func (k Keeper) forget(all, kept []record) error {
	stays := make(map[string]bool, len(kept))
	for _, r := range kept {
		stays[k.recordPath(r.Label, r.N)] = true
	}
	for _, r := range all {
		if path := k.recordPath(r.Label, r.N); !stays[path] {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweep removes objects that no record needs, and returns the sizes of what is
// left and of what was removed, in bytes. It also removes the cache files.
func (k Keeper) sweep(kept []record) (left, freed int64, err error) {
	needed := k.needed(kept)
	for _, kind := range []string{blobs, trees} {
		err := filepath.WalkDir(filepath.Join(k.Dir, kind), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return err
			}
			i, err := d.Info()
			if err != nil {
				return err
			}
			if needed[kind+"/"+filepath.Base(filepath.Dir(path))+d.Name()] {
				left += i.Size()
				return nil
			}
			freed += i.Size()
			return os.Remove(path) // #nosec G122 -- only the bridge's own user can enter the folder
		})
		if err != nil {
			return left, freed, err
		}
	}
	if freed > 0 {
		err = os.RemoveAll(filepath.Join(k.Dir, "caches"))
	}
	return left, freed, err
}

// needed marks all objects that records refer to. A tree that cannot be read is
// damaged, so that what it referred to is no longer needed.
func (k Keeper) needed(kept []record) map[string]bool {
	store := &objects{dir: k.Dir}
	marked := make(map[string]bool)
	var mark func(tree string)
	mark = func(tree string) {
		if marked[trees+"/"+tree] {
			return
		}
		marked[trees+"/"+tree] = true
		text, err := store.get(trees, tree)
		if err != nil {
			return
		}
		for line := range strings.Lines(string(text)) {
			n, err := parseNode(strings.TrimSuffix(line, "\n"))
			switch {
			case err != nil:
			case n.kind == folder:
				mark(n.hash)
			default:
				marked[blobs+"/"+n.hash] = true
			}
		}
	}
	for _, r := range kept {
		mark(r.Tree)
		for _, f := range r.Rules {
			marked[blobs+"/"+f.Blob] = true
		}
	}
	return marked
}

// The total size is kept in a file to which each snapshot appends a line, and
// which is rewritten when old snapshots are removed.

func (k Keeper) usagePath() string { return filepath.Join(k.Dir, "usage") }

func (k Keeper) noteUsage(added int64) {
	if added == 0 {
		return
	}
	f, err := os.OpenFile(k.usagePath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(strconv.FormatInt(added, 10) + "\n")
	_ = f.Close()
}

// usage returns the total size, and when old snapshots were last checked.
func (k Keeper) usage() (bytes int64, looked time.Time) {
	data, err := os.ReadFile(k.usagePath())
	if err != nil {
		return 0, k.Now()
	}
	for line := range strings.Lines(string(data)) {
		if at, ok := strings.CutPrefix(strings.TrimSpace(line), "looked "); ok {
			looked, _ = time.Parse(time.RFC3339, at)
			continue
		}
		n, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		bytes += n
	}
	return bytes, looked
}

func (k Keeper) setUsage(bytes int64) error {
	text := "looked " + k.Now().UTC().Format(time.RFC3339) + "\n" + strconv.FormatInt(bytes, 10) + "\n"
	return os.WriteFile(k.usagePath(), []byte(text), 0o600)
}
