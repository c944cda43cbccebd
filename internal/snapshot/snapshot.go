package snapshot

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Errors a caller may want to tell apart.
var (
	// ErrNoRepository means that there is no git repository to keep
	// snapshots in. Nothing was kept.
	ErrNoRepository = errors.New("snapshot: the workspace is in no git repository")
	// ErrNotFound means that there is no snapshot of that label and number.
	ErrNotFound = errors.New("snapshot: no such snapshot")
	// ErrLabel means that a label has other characters than letters, digits,
	// "-" and "_", or more than 64.
	ErrLabel = errors.New("snapshot: a label is 1 to 64 letters, digits, - and _")
)

const refPrefix = "refs/bridge/snapshots/"

// Snapshot is one kept state of a workspace.
type Snapshot struct {
	Label string
	// N counts the snapshots of a label, from 1.
	N int
	// Commit is the full name of the commit. It stands for the content.
	Commit string
	// Time is when it was taken, to the second.
	Time time.Time
	// Skipped are paths that could not be kept: repositories within the
	// workspace. Only Take sets it.
	Skipped []string
}

// Ref is the snapshot's reference.
func (s Snapshot) Ref() string { return fmt.Sprintf("%s%s/%d", refPrefix, s.Label, s.N) }

var (
	labelPattern  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	commitPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// Take keeps the workspace as it is now, under the next number of the label.
//
// Errors: [ErrNoRepository], [ErrLabel], git's own.
func Take(ctx context.Context, workspace, label string) (Snapshot, error) {
	if !labelPattern.MatchString(label) {
		return Snapshot{}, ErrLabel
	}
	r, err := open(ctx, workspace)
	if err != nil {
		return Snapshot{}, err
	}
	return r.take(ctx, label)
}

func (r *repository) take(ctx context.Context, label string) (snap Snapshot, err error) {
	p, err := r.newPrivate(false)
	if err != nil {
		return Snapshot{}, err
	}
	defer func() { err = errors.Join(err, p.remove()) }()
	tree, skipped, err := p.writeTree(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	commit, err := p.run(ctx, []byte("bridge snapshot "+label+"\n"), "commit-tree", tree)
	if err != nil {
		return Snapshot{}, err
	}
	snap, err = r.addRef(ctx, label, strings.TrimSpace(commit))
	snap.Skipped = skipped
	return snap, err
}

// refTries is how often another process may be faster to take a number.
const refTries = 20

// addRef takes the label's next number. A reference is only ever created, so
// that of two processes one has to try the next number.
func (r *repository) addRef(ctx context.Context, label, commit string) (Snapshot, error) {
	var lastErr error
	for range refTries {
		all, err := r.list(ctx, label)
		if err != nil {
			return Snapshot{}, err
		}
		snap := Snapshot{Label: label, N: 1, Commit: commit}
		if len(all) > 0 {
			snap.N = all[len(all)-1].N + 1
		}
		none := strings.Repeat("0", len(commit))
		if _, lastErr = r.own(ctx, "update-ref", "--no-deref", snap.Ref(), commit, none); lastErr == nil {
			return r.find(ctx, label, snap.N)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return Snapshot{}, lastErr
}

// List returns the snapshots of a label, oldest first.
func List(ctx context.Context, workspace, label string) ([]Snapshot, error) {
	if !labelPattern.MatchString(label) {
		return nil, ErrLabel
	}
	r, err := open(ctx, workspace)
	if err != nil {
		return nil, err
	}
	return r.list(ctx, label)
}

func (r *repository) list(ctx context.Context, label string) ([]Snapshot, error) {
	out, err := r.own(ctx, "for-each-ref", "--format=%(objecttype) %(objectname) %(committerdate:unix) %(refname)", refPrefix+label+"/")
	if err != nil {
		return nil, err
	}
	var all []Snapshot
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) != 4 || f[0] != "commit" {
			continue
		}
		n, err := strconv.Atoi(strings.TrimPrefix(f[3], refPrefix+label+"/"))
		seconds, timeErr := strconv.ParseInt(f[2], 10, 64)
		if err != nil || timeErr != nil || n < 1 {
			continue // not one of ours
		}
		all = append(all, Snapshot{Label: label, N: n, Commit: f[1], Time: time.Unix(seconds, 0).UTC()})
	}
	slices.SortFunc(all, func(a, b Snapshot) int { return a.N - b.N })
	return all, nil
}

func (r *repository) find(ctx context.Context, label string, n int) (Snapshot, error) {
	all, err := r.list(ctx, label)
	if err != nil {
		return Snapshot{}, err
	}
	i := slices.IndexFunc(all, func(s Snapshot) bool { return s.N == n })
	if i < 0 {
		return Snapshot{}, fmt.Errorf("%w: %s %d", ErrNotFound, label, n)
	}
	return all[i], nil
}
