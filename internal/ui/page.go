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

// page looks up what a page shows: the name of its template, its title, and its data.
type page func(r look) (content, error)

// look is one time that a page is made for a request.
type look struct {
	*http.Request
	// rows is how many rows of a table it shows at most.
	rows int
	// again reports that the page was made before, and came out too large.
	again bool
}

// fewer is the next time after one that came out with so many bytes.
func (l look) fewer(size int) look {
	l.rows, l.again = max(min(l.rows*maxPage/size*9/10, l.rows-1), 1), true
	return l
}

// share is the part of n that the page may show: all of it the first time.
func (l look) share(n int) int { return n * l.rows / rows }

// cut shortens a text to what the page may show of it, n bytes at most.
func (l look) cut(text string, n int) (string, bool) { return cut(text, l.share(min(n, len(text)))) }

// content is what a template shows.
type content struct {
	Template string
	Title    string
	Data     any
}

// frame is what stands around every page.
type frame struct {
	content
	Base  string // the folder of all addresses
	Path  string // of this page, below Base
	Form  string
	Store string
	Now   time.Time
	State string // when the page was begun
	Alarm string // what must not be overlooked on any page
}

// action changes something and returns the page that shows it.
type action func(r *http.Request) (then string, err error)

//go:embed templates
var sources embed.FS

// templates are parsed when the first page is shown.
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

// part is what a template that several pages use is given.
type part struct {
	F frame
	D any
}

// target is a page that the navigation leads to.
type target struct{ Path, Name string }

// On reports whether a page is the one that is shown, or above it.
func (f frame) On(path string) bool {
	here := strings.TrimPrefix(f.Path, "/")
	if path == "conversations" && strings.HasPrefix(here, "messages/") {
		return true
	}
	return here == path || path != "" && strings.HasPrefix(here, path+"/")
}

// short is how a conversation is named in a table; the whole id is in its link.
func short(id string) string {
	const digits = len("conv_") + 6
	if len(id) <= digits {
		return id
	}
	return id[:digits]
}

const (
	// rows is how many rows of a table a page shows at most.
	rows = 100
	// maxPage is how many bytes a page has at most. What agents wrote may be long, and
	// takes up to five bytes for one where it is escaped: a page that came out larger is
	// made again with fewer rows, the rest being on further pages.
	maxPage = 200 << 10
)

// shows answers with a page, or with what is wrong.
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

// render makes a page of its content.
func (s *Server) render(r *http.Request, state string, c content) (*bytes.Buffer, error) {
	text := new(bytes.Buffer)
	f := frame{content: c, Base: s.door.folder, Path: r.URL.Path, Form: s.door.form, Store: s.Store, Now: s.Now(), State: state, Alarm: s.alarm()}
	return text, templates().ExecuteTemplate(text, c.Template, f)
}

// write answers with a page, or says that it could not be made.
func (s *Server) write(w http.ResponseWriter, status int, c content, text *bytes.Buffer, err error) {
	if err != nil {
		s.Log.Error("a page could not be made", "page", c.Template, "error", err)
		refuse(w, http.StatusInternalServerError, "This page could not be made: bridge ui's own log says why.")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w)
}

// fails shows an error with the next step.
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

// does answers with a redirect to the page that shows what was done.
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

// given is a text of an address, without what could deceive where it is shown again.
func given(r look, name string) string {
	return strings.TrimSpace(cleantext.CleanLine(r.FormValue(name)))
}

// number reads a number of an address; what is none asks for nothing that there is.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// query is an address with other values; an empty value is left out.
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
