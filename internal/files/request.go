package files

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/relpath"
)

// ReadRequest holds the arguments of ReadFile.
type ReadRequest struct {
	Name
	// Version is the version to read; 0 reads the last.
	Version int64
}

// WriteRequest holds the arguments of WriteFile.
type WriteRequest struct {
	Name
	Text string
	// Version is the version that the caller has read, which must be the last; 0
	// creates a file.
	Version int64
}

// EditRequest holds the arguments of EditFile. Old must occur exactly once.
type EditRequest struct {
	Name
	Old, New string
	// Version is the version that the caller has read; 0 stands for the last.
	Version int64
}

// ReadFile returns a file with its text. The error may be ErrNoFile or ErrNoVersion.
func (s *Service) ReadFile(ctx context.Context, c bridge.Credentials, r ReadRequest) (Result, error) {
	g := s.core.ReadGate(ctx, c, "file_read")
	n, _, err := s.prepare(ctx, g, r.Name, r.Version)
	if err != nil {
		return Result{}, err
	}
	return s.store.UseFile(ctx, g, Use{Name: n, Since: r.Version, Reads: true}, readRule(r.Version))
}

// ListFiles returns the files of the conversation that belong to task (0: to no task),
// without their texts.
func (s *Service) ListFiles(ctx context.Context, c bridge.Credentials, task int64) (List, error) {
	g := s.core.ReadGate(ctx, c, "file_read")
	if task < 0 {
		return List{}, s.core.Refuse(ctx, g, noTask())
	}
	return s.store.ListFiles(ctx, g, task)
}

// WriteFile replaces the whole text of a file, of at most MaxText bytes in UTF-8, or
// creates the file. The error may be a ConflictError, ErrNoFile, ErrNoTask, ErrTooMany,
// ErrTooLarge, or that of another session's claim.
func (s *Service) WriteFile(ctx context.Context, c bridge.Credentials, r WriteRequest) (Result, error) {
	g := s.core.WriteGate(ctx, c, "file_write")
	n, kinds, err := s.prepare(ctx, g, r.Name, r.Version)
	if err != nil {
		return Result{}, err
	}
	if err := checkText("text", r.Text); err != nil {
		return Result{}, s.core.Refuse(ctx, g, err)
	}
	hide := s.core.Redaction(ctx)
	w := written{given: r.Text, text: hide.Text(r.Text)}
	if w.kinds = hide.Found(); hide.Err() != nil {
		return Result{}, hide.Err()
	}
	if len(w.text) > MaxText {
		return Result{}, s.core.Refuse(ctx, g, tooLong(len(w.text)))
	}
	return s.use(ctx, g, Use{Name: n, Since: r.Version}, kinds, writeRule(n, r.Version, w))
}

// EditFile replaces one text in a file by another. An edit of an earlier version is
// merged with later changes, unless these are in the same or adjacent lines. The error
// may be a ConflictError, or another one of WriteFile.
func (s *Service) EditFile(ctx context.Context, c bridge.Credentials, r EditRequest) (Result, error) {
	g := s.core.WriteGate(ctx, c, "file_edit")
	n, kinds, err := s.prepare(ctx, g, r.Name, r.Version)
	if err != nil {
		return Result{}, err
	}
	if err := checkEdit(r); err != nil {
		return Result{}, s.core.Refuse(ctx, g, err)
	}
	hide := func(text string, lookup bridge.Lookup) (string, []string, error) {
		h := s.core.RedactionBy(ctx, lookup)
		clean := h.Text(text)
		return clean, h.Found(), h.Err()
	}
	return s.use(ctx, g, Use{Name: n, Since: r.Version}, kinds, editRule(n, r.Version, r.Old, r.New, hide))
}

func checkEdit(r EditRequest) error {
	if r.Old == "" {
		return bridge.Invalid("old", "must not be empty: use file_write to create a file")
	}
	return cmp.Or(checkText("old", r.Old), checkText("new", r.New))
}

// use applies a rule, and records its result in the audit log. kinds are the kinds of
// secrets that were hidden in the path.
func (s *Service) use(ctx context.Context, g bridge.Gate, u Use, kinds []string, rule Rule) (Result, error) {
	result, err := s.store.UseFile(ctx, g, u, func(scene Scene) (Outcome, error) {
		o, err := rule(scene)
		if err != nil || o.Refused != nil {
			return o, err
		}
		o.Result.Redacted = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(kinds), o.Result.Redacted...))))
		g.Details["version"] = o.Result.File.Version
		if o.Change != nil {
			g.Details["bytes"] = o.File.Bytes
			g.Details["how"] = string(o.Change.Action)
		}
		if len(o.Result.Redacted) > 0 {
			g.Details["redacted"] = o.Result.Redacted
		}
		return o, nil
	})
	if err == nil && !result.Unchanged {
		s.core.Ring(g.Conversation, bridge.Work)
	}
	return result, err
}

// prepare normalizes the name, redacts it, and records in the audit log what the call
// is about. The errors that it returns have been recorded.
func (s *Service) prepare(ctx context.Context, g bridge.Gate, n Name, version int64) (_ Name, kinds []string, err error) {
	hide := s.core.Redaction(ctx)
	path, err := cleanPath(n.Path)
	n.Path, kinds = hide.Text(path), hide.Found()
	switch {
	case err != nil:
	case n.Task < 0:
		err = noTask()
	case version < 0:
		err = bridge.Invalid("version", "must be a version of the file, as file_read reports it")
	}
	if err != nil {
		return n, nil, s.core.Refuse(ctx, g, err)
	}
	g.Details["path"] = n.Path
	if n.Task != 0 {
		g.Details["task_id"] = n.Task
	}
	return n, kinds, hide.Err()
}

func noTask() error { return bridge.Invalid("task_id", "must be the id of a task") }

// cleanPath normalizes the path of a file. It refuses a path that is not shown as it is
// written, because its readers could not name it.
func cleanPath(path string) (string, error) {
	clean, problem := relpath.Clean(path)
	switch {
	case problem != "":
		return "", bridge.Invalid("path", "%s", strings.Replace(problem, "must have paths", "must be a path", 1))
	case strings.ContainsAny(path, "*?"):
		return "", bridge.Invalid("path", "must be the path of one file, without * and ?")
	case strings.HasSuffix(path, "/"):
		return "", bridge.Invalid("path", "must be the path of a file, without a trailing /")
	case cleantext.CleanLine(clean) != clean:
		return "", bridge.Invalid("path", "must not contain invisible characters or mark-up")
	}
	return clean, nil
}

func checkText(field, text string) error {
	switch {
	case !utf8.ValidString(text):
		return bridge.Invalid(field, "must be text in UTF-8")
	case len(text) > MaxText:
		return bridge.Invalid(field, "must have at most %d KB, it has %d: split it into several files", MaxText>>10, (len(text)+1023)>>10)
	}
	return nil
}

// tooLong returns the error for a file whose whole text is too long.
func tooLong(bytes int) error {
	return bridge.Invalid("path", "would make a file of %d KB, more than %d: split it into several files", (bytes+1023)>>10, MaxText>>10)
}
