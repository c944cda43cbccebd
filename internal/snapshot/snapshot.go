package snapshot

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"example.org/bridge/internal/dirstate"
	"example.org/bridge/internal/lazyregexp"
)

// Errors that a caller may want to distinguish.
var (
	// ErrNotFound means that there is no snapshot with that label and number,
	// or no longer one.
	ErrNotFound = errors.New("snapshot: no such snapshot")
	// ErrDamaged means that the stored data has changed. None of it is used.
	ErrDamaged = errors.New("snapshot: the stored state is damaged")
	// ErrLabel means that a label has characters other than letters, digits,
	// "-" and "_", or more than 64 of them.
	ErrLabel = errors.New("snapshot: a label is 1 to 64 letters, digits, - and _")
	// ErrPlatform means that this system cannot open files safely enough.
	ErrPlatform = errors.New("snapshot: not available on this platform")
)

// Default limits of a [Keeper].
const (
	// DefaultMaxFile is the size of the largest file that is kept, in bytes.
	DefaultMaxFile = 512 << 20
	// DefaultMaxTotal is the maximum total size of all snapshots, in bytes.
	DefaultMaxTotal = 8 << 30
	// DefaultMaxAge is how long a snapshot is kept.
	DefaultMaxAge = 30 * 24 * time.Hour
)

// Keeper keeps snapshots in a folder.
type Keeper struct {
	// Dir is a folder outside every workspace that only the bridge's user can
	// enter. It is created when needed.
	Dir string
	// MaxFile, MaxTotal and MaxAge replace the defaults, if not zero.
	MaxFile, MaxTotal int64
	MaxAge            time.Duration
	// Now returns the time; nil means time.Now.
	Now func() time.Time
}

func (k Keeper) withDefaults() Keeper {
	if k.MaxFile == 0 {
		k.MaxFile = DefaultMaxFile
	}
	if k.MaxTotal == 0 {
		k.MaxTotal = DefaultMaxTotal
	}
	if k.MaxAge == 0 {
		k.MaxAge = DefaultMaxAge
	}
	if k.Now == nil {
		k.Now = time.Now
	}
	return k
}

// Snapshot is one stored state of a workspace.
type Snapshot struct {
	Label string
	// N numbers the snapshots of a label, from 1.
	N int
	// Commit is the SHA-256 of the snapshot's record, in hexadecimal. It
	// identifies the content.
	Commit string
	// Time is when it was taken, with a precision of seconds.
	Time time.Time
	// Workspace is the real path of the folder.
	Workspace string
	// Skipped lists what could not be kept.
	Skipped []Skip
}

// Skip is a path that a snapshot leaves out, relative to the workspace and with
// slashes, and the reason.
type Skip struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

var (
	labelPattern  = lazyregexp.New(`^[A-Za-z0-9_-]{1,64}$`)
	commitPattern = lazyregexp.New(`^[0-9a-f]{64}$`)
)

// Take stores the current state of the workspace under the next number of the label. It
// also returns what it found in the workspace's folders, for the next reader of them.
//
// Errors: [ErrLabel], [ErrPlatform], errors of the system. In these cases nothing is
// stored.
func (k Keeper) Take(ctx context.Context, workspace, label string) (Snapshot, *dirstate.Seen, error) {
	if !labelPattern().MatchString(label) {
		return Snapshot{}, nil, ErrLabel
	}
	k = k.withDefaults()
	top, err := filepath.EvalSymlinks(workspace)
	if err != nil {
		return Snapshot{}, nil, fmt.Errorf("snapshot: %w", err)
	}
	lock, err := k.lock(false)
	if err != nil {
		return Snapshot{}, nil, err
	}
	defer lock.unlock()
	return k.take(ctx, top, label)
}

func (k Keeper) take(ctx context.Context, top, label string) (Snapshot, *dirstate.Seen, error) {
	store := &objects{dir: k.Dir}
	var cache *cache
	var loading sync.WaitGroup
	loading.Go(func() { cache = k.loadCache(top) })
	repo := findRepository(top)
	loading.Wait()
	w := newWalker(ctx, k, store, cache)
	root, rules, err := w.readNow(top, repo)
	if err != nil {
		return Snapshot{}, nil, fmt.Errorf("snapshot: %w", err)
	}
	r := record{
		Version: recordVersion, Label: label, Time: k.Now().UTC().Truncate(time.Second),
		Workspace: top, Tree: root.hash, Rules: rules, Absent: w.tracked.absent(), Skipped: w.skipped,
	}
	snap, err := k.addRecord(r)
	if err != nil {
		return Snapshot{}, nil, fmt.Errorf("snapshot: %w", err)
	}
	// The rest only saves time and space later.
	_ = cache.save(k.cachePath(top))
	k.noteUsage(store.added)
	return snap, w.seen, nil
}
