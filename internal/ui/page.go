package ui

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/view"
)

// page returns the content of a page: the name of its template, its title, and its data.
type page func(r look) (content, error)

// look is one attempt to render a page for a request.
type look struct {
	*http.Request
	// rows is the maximum number of rows of a table.
	rows int
	// again is set if an earlier attempt produced a page that was too large.
	again bool
}

// fewer returns the next attempt after one whose page had size bytes.
func (l look) fewer(size int) look {
	l.rows, l.again = max(min(l.rows*maxPage/size*9/10, l.rows-1), 1), true
	return l
}

// share returns the part of n that the page may show: all of it in the first attempt.
func (l look) share(n int) int { return n * l.rows / rows }

// cut shortens a text to what the page may show of it, at most n bytes.
func (l look) cut(text string, n int) (string, bool) { return cut(text, l.share(min(n, len(text)))) }

// content is the data for a template.
type content struct {
	Template string
	Title    string
	Data     any
}

// frame is the data for the parts common to all pages.
type frame struct {
	content
	Base  string // prefix of all addresses
	Path  string // of this page, relative to Base
	Form  string
	Store string
	Now   time.Time
	State string // state of the store when rendering began
	Alarm string // warning shown on every page
}

// action changes something and returns the address of the page to show next.
type action func(r *http.Request) (then string, err error)

//go:embed templates
var sources embed.FS

// templates are parsed when the first page is rendered.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(functions).ParseFS(sources, "templates/*.html"))
})

var functions = template.FuncMap{
	"ago":    func(now time.Time, t view.Time) string { return ago(now, time.Time(t)) },
	"until":  func(now time.Time, t view.Time) string { return until(now, time.Time(t)) },
	"exact":  func(t view.Time) string { return time.Time(t).UTC().Format("2006-01-02 15:04:05 UTC") },
	"stamp":  func(t view.Time) string { return time.Time(t).UTC().Format(time.RFC3339) },
	"set":    func(t view.Time) bool { return !time.Time(t).IsZero() },
	"count":  view.Count,
	"short":  short,
	"took":   took,
	"blocks": blocks,
	"on":     func(f frame, data any) part { return part{f, data} },
	"target": func(path, name string) target { return target{path, name} },
}

// part is the data passed to a template that several pages use.
type part struct {
	F frame
	D any
}

// target is a link of the navigation.
type target struct{ Path, Name string }

// On reports whether the current page is path or below it.
func (f frame) On(path string) bool {
	here := strings.TrimPrefix(f.Path, "/")
	if path == "conversations" && strings.HasPrefix(here, "messages/") {
		return true
	}
	return here == path || path != "" && strings.HasPrefix(here, path+"/")
}

// short returns the name of a conversation in a table. The full id is in its link.
func short(id string) string {
	const digits = len("conv_") + 6
	if len(id) <= digits {
		return id
	}
	return id[:digits]
}

const (
	// rows is the maximum number of rows of a table on one page.
	rows = 100
	// maxPage is the maximum size of a page, in bytes. Text written by agents may be long,
	// and escaping can take five bytes for one. A page that comes out larger is rendered
	// again with fewer rows; the remaining rows are on further pages.
	maxPage = 200 << 10
)

// shows returns a handler that answers with a page or an error.
func (s *Server) shows(p page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		state := s.state(r)
		for l := (look{Request: r, rows: rows}); ; {
			c, err := p(l)
			if err != nil {
				s.fails(w, r, err)
				return
			}
			text, err := s.render(r, state, c)
			if err == nil && text.Len() > maxPage && l.rows > 1 {
				l = l.fewer(text.Len())
				continue
			}
			s.write(w, http.StatusOK, c, text, err)
			return
		}
	}
}

// render renders content as a page.
func (s *Server) render(r *http.Request, state string, c content) (*bytes.Buffer, error) {
	text := new(bytes.Buffer)
	f := frame{content: c, Base: s.door.folder, Path: r.URL.Path, Form: s.door.form, Store: s.Store, Now: s.Now(), State: state, Alarm: s.alarm()}
	return text, templates().ExecuteTemplate(text, c.Template, f)
}

// write sends a rendered page, or an error if rendering failed.
func (s *Server) write(w http.ResponseWriter, status int, c content, text *bytes.Buffer, err error) {
	if err != nil {
		s.Log.Error("a page could not be rendered", "page", c.Template, "error", err)
		refuse(w, http.StatusInternalServerError, "This page could not be rendered. The log of bridge ui has the reason.")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w)
}

// fails answers with an error and advice on what to do next.
func (s *Server) fails(w http.ResponseWriter, r *http.Request, err error) {
	status, next := http.StatusInternalServerError, ""
	if row, ok := advice.Of(err); ok {
		status, next = row.Status, row.Operator
	}
	if invalid := (*bridge.InvalidError)(nil); errors.As(err, &invalid) {
		status = http.StatusBadRequest
	}
	if status >= http.StatusInternalServerError {
		s.Log.Warn("a page could not be shown", "path", r.URL.Path, "error", err)
	}
	c := content{"error", "Not shown", map[string]string{"Text": view.Line(err), "Next": next}}
	text, err := s.render(r, "", c)
	s.write(w, status, c, text, err)
}

// does returns a handler that performs an action and redirects to the page that shows its
// result.
func (s *Server) does(a action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		then, err := a(r)
		if err != nil {
			s.fails(w, r, err)
			return
		}
		http.Redirect(w, r, s.door.folder+then, http.StatusSeeOther)
	}
}

// given returns a parameter of the address, without characters that could be misleading
// when shown.
func given(r look, name string) string {
	return strings.TrimSpace(cleantext.CleanLine(r.FormValue(name)))
}

// number parses a number from an address. Anything else gives 0, which matches nothing.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// query returns an address with the given parameters, omitting empty values.
func query(path string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}
