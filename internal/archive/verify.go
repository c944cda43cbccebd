package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"example.org/bridge/internal/audit"
)

// ErrNotGiven reports that entries are in an archive that was not given.
var ErrNotGiven = errors.New("these entries are in an archive that was not given")

// Report describes what was verified.
type Report struct {
	// Head is the head of the log.
	Head audit.Head
	// Base is where the log in the store begins.
	Base audit.Base
	// Read are the archives that were read, in order of their entries. Their Name is
	// the path as given.
	Read []audit.Archived
}

// First is the number of the first entry that was verified.
func (r Report) First() int64 {
	if len(r.Read) > 0 {
		return min(r.Read[0].First, r.Base.Seq+1)
	}
	return r.Base.Seq + 1
}

// Verify verifies the whole log: the archives at paths, in any order, which must follow
// each other without a gap, and the log in the store, which must follow them. If noted
// is not zero, it must be part of the log. The error is an *audit.Fault if the log in
// the store is not what the bridge wrote. It wraps audit.ErrNoArchive for a file that
// is not an archive, and ErrNotGiven if a file in between is missing or the noted head
// is in a file that was not given.
func (s *Archives) Verify(ctx context.Context, noted audit.Head, paths []string) (r Report, err error) {
	files, err := s.readAll(ctx, noted, paths)
	if err != nil {
		return r, err
	}
	for _, f := range files {
		r.Read = append(r.Read, f.Archived)
	}
	wanted := []audit.Head{noted}
	if len(files) > 0 {
		last := r.Read[len(r.Read)-1]
		wanted = append(wanted, last.Head())
		if noted.Seq <= last.Last {
			wanted[0] = audit.Head{} // it was looked for in the archive
		}
	}
	v := s.chain.Verifier(wanted...)
	r.Head, err = s.log.WalkAudit(ctx, func(base audit.Base) error {
		r.Base = base
		if err := v.Begin(base); err != nil {
			return err
		}
		return together(files, base, noted)
	}, func(e audit.Entry) error { return errors.Join(ctx.Err(), v.Next(e)) })
	if err != nil {
		return r, err
	}
	return r, v.End(r.Head)
}

// file is an archive that was read.
type file struct {
	audit.Archived
	from audit.Head // where it begins
}

func (s *Archives) readAll(ctx context.Context, noted audit.Head, paths []string) (files []file, err error) {
	for _, path := range paths {
		var f file
		f.Archived, err = s.read(ctx, path, func(b audit.Base) error {
			f.from = b.Head
			return nil
		}, func(audit.Entry) error { return nil }, noted)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		f.Name = path
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last)) })
	return files, nil
}

// together checks that the archives follow each other without a gap, and that the log
// follows them.
func together(files []file, base audit.Base, noted audit.Head) error {
	first := base.Seq + 1
	for i, f := range files {
		if i == 0 {
			first = min(first, f.First)
			continue
		}
		before := files[i-1]
		switch {
		case f.First > before.Last+1:
			return notGiven(base, before.Last+1, f.First-1)
		case f.First <= before.Last:
			return fmt.Errorf("%s has entries up to %d, and %s begins with %d: give only one of them", before.Name, before.Last, f.Name, f.First)
		case !bytes.Equal(f.from.MAC, before.MAC):
			return fmt.Errorf("%w: %s does not continue where %s ends", audit.ErrNoArchive, f.Name, before.Name)
		}
	}
	if len(files) > 0 {
		last := files[len(files)-1]
		switch {
		case last.Last < base.Seq:
			return notGiven(base, last.Last+1, base.Seq)
		case last.Last == base.Seq && !bytes.Equal(last.MAC, base.MAC):
			return fmt.Errorf("%w: the log of the store does not continue where %s ends", audit.ErrNoArchive, last.Name)
		}
	}
	if noted.Seq > 0 && noted.Seq < first {
		return fmt.Errorf("the noted head: %w", notGiven(base, noted.Seq, noted.Seq))
	}
	return nil
}

// notGiven returns ErrNotGiven with the names of the archives that contain the given
// entries.
func notGiven(base audit.Base, first, last int64) error {
	names := ""
	for _, a := range base.Archives {
		if a.Last >= first && a.First <= last {
			names += ", " + a.Name
		}
	}
	what := fmt.Sprintf("%d to %d", first, last)
	if first == last {
		what = fmt.Sprint(first)
	}
	if names == "" {
		return fmt.Errorf("%w: %s", ErrNotGiven, what)
	}
	return fmt.Errorf("%w: %s, in %s", ErrNotGiven, what, names[2:])
}

// Entries visits the entries of archives, in order, each after it was verified. It does
// not check that the archives and the log fit together. It returns the number of the
// last entry.
func (s *Archives) Entries(ctx context.Context, paths []string, visit func(audit.Entry) error) (last int64, err error) {
	files, err := s.readAll(ctx, audit.Head{}, paths)
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		_, err := s.read(ctx, f.Name, nil, func(e audit.Entry) error {
			if e.Chain == audit.Spine || e.Seq <= last {
				return nil
			}
			last = e.Seq
			return visit(e)
		})
		if err != nil {
			return last, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return last, nil
}
