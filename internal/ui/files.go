package ui

import (
	"cmp"
	"slices"
	"strings"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/view"
)

// file is a shared file and the address of its page.
type file struct {
	view.File
	Page string
}

func fileOf(f files.File) file {
	v := file{File: view.FileOf(f), Page: filePage(f, 0)}
	v.ConversationID = f.Conversation
	return v
}

// filePage returns the address of a version of a file; version 0 is the latest.
func filePage(f files.File, version int64) string {
	return query("files/text", "in", f.Conversation, "path", f.Path, "task", positive(int(f.Task)), "version", positive(int(version)))
}

// files lists the shared files of all conversations or of one, most recently written first.
func (s *Server) files(r look) (content, error) {
	in := given(r, "in")
	all, err := s.Files.All(r.Context(), in)
	if err != nil {
		return content{}, err
	}
	slices.SortStableFunc(all, func(a, b files.File) int {
		return cmp.Or(b.WrittenAt.Compare(a.WrittenAt), cmp.Compare(a.Path, b.Path))
	})
	part, p := paged(r, all, "files", "in", in)
	views := make([]file, len(part))
	for i, f := range part {
		views[i] = fileOf(f)
	}
	return content{"files", "Files", struct {
		Conversation string
		Files        []file
		Pager        pager
	}{in, views, p}}, nil
}

// version is a stored version of a file and the address that shows it.
type version struct {
	view.FileVersion
	Page  string
	Shown bool
}

// longFile is how much of a file and of a difference a page shows, in bytes.
const longFile = 64 << 10

// file shows one shared file: a version of it, how it differs from the previous one, and
// the stored versions. Viewing it is recorded like viewing the messages of its
// conversation.
func (s *Server) file(r look) (content, error) {
	o, err := s.Bridge.Conversation(r.Context(), r.FormValue("in"))
	if err != nil {
		return content{}, err
	}
	f, changes, err := s.Files.Kept(r.Context(), o.ID, files.Name{Path: r.FormValue("path"), Task: number(r.FormValue("task"))})
	if err != nil {
		return content{}, err
	}
	wanted := cmp.Or(number(r.FormValue("version")), f.Version)
	text, err := files.TextOf(f, changes, wanted)
	if err != nil {
		return content{}, err
	}
	if err := s.recordReading(r, o.ID); err != nil {
		return content{}, err
	}
	data := struct {
		File     file
		Version  int64
		Text     string
		Diff     []line
		Cut      bool
		Versions []version
	}{File: fileOf(f), Version: wanted}
	diff, cutDiff := r.cut(lastChange(f, changes, wanted), longFile)
	data.Diff = linesOf(diff)
	data.Text, data.Cut = r.cut(cleantext.Clean(text), longFile)
	data.Cut = data.Cut || cutDiff
	for _, c := range slices.Backward(changes) {
		data.Versions = append(data.Versions, version{view.VersionOf(c), filePage(f, c.Version), c.Version == wanted})
	}
	return content{"file", data.File.Path, data}, nil
}

// lastChange returns the difference between a version and the previous one, or "" if the
// previous one is no longer stored.
func lastChange(f files.File, changes []files.Change, to int64) string {
	after, err := files.TextOf(f, changes, to)
	if err != nil {
		return ""
	}
	before := ""
	if to > 1 {
		if before, err = files.TextOf(f, changes, to-1); err != nil {
			return ""
		}
	}
	return cleantext.Clean(files.Diff(f.Path, to-1, to, before, after))
}

// line is a line of a difference: its kind, and its text including the leading sign.
type line struct{ Kind, Text string }

func linesOf(diff string) (all []line) {
	for text := range strings.Lines(diff) {
		text = strings.TrimSuffix(text, "\n")
		kind := "same"
		switch {
		case strings.HasPrefix(text, "+++ "), strings.HasPrefix(text, "--- "), strings.HasPrefix(text, "@@ "):
			kind = "where"
		case strings.HasPrefix(text, "+"):
			kind = "in"
		case strings.HasPrefix(text, "-"):
			kind = "out"
		}
		all = append(all, line{kind, text})
	}
	return all
}
