package agents

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.org/bridge/internal/confedit"
	"example.org/bridge/internal/lazyregexp"
	"example.org/bridge/internal/privatefile"
)

// Installer plans changes to the clients' configuration.
type Installer struct {
	Place Place
	// State is bridge's own folder, where receipts are stored.
	State string
}

var serverName = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_-]{0,31}$`)

// Check returns an error if a setup is invalid.
func (s Setup) Check() error {
	if !serverName().MatchString(s.Name) {
		return errors.New("the name of a server must have at most 32 letters, digits, - and _, and begin with a letter")
	}
	for _, path := range []string{s.Program, s.DB, s.Config} {
		if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
			return errors.New("a path with control characters cannot be written into a configuration: move the file")
		}
	}
	for _, path := range []string{s.Program, cmp.Or(s.DB, s.Program), cmp.Or(s.Config, s.Program)} {
		if !filepath.IsAbs(path) {
			return errors.New("the paths of the program, the store and the configuration must be absolute")
		}
	}
	if s.Wake && s.Client != Codex {
		return errors.New("--wake is for codex: Claude Code is woken without it, and other clients cannot be")
	}
	if s.GuardClaims && !s.Client.Hooked() {
		return errors.New("--guard-claims is for claude, codex and gemini: bridge has no hooks for other clients")
	}
	return nil
}

var errBusy = errors.New("another installation of bridge is running: try again when it has ended")

// busyWait is how long an installation waits for another one. Each takes a fraction of
// a second.
const busyWait = 10 * time.Second

// Do runs fn, which plans and applies, while no other installation of the same user
// runs. It gives up when ctx ends or after busyWait.
func (in Installer) Do(ctx context.Context, fn func() error) error {
	ctx, cancel := context.WithTimeout(ctx, busyWait)
	defer cancel()
	unlock, err := privatefile.LockFolder(ctx, in.Place.Home)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errBusy
	case err != nil:
		return err
	}
	defer unlock()
	return fn()
}

// Install plans how to connect a client. It replaces what an earlier installation of
// the same client, scope and name added.
func (in Installer) Install(s Setup) (*Plan, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	folder := in.receiptFolder(s.Client, s.Scope, s.Name)
	old, err := loadReceipt(folder)
	if err != nil {
		return nil, err
	}
	w := &workbench{setup: s, receipt: old}
	if err := in.adopt(&s, w); err != nil {
		return nil, err
	}
	targets, err := in.targets(s, w)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Setup: s, folder: folder, old: old, new: &receipt{Setup: s}}
	for _, t := range targets {
		if err := plan.addTarget(w, t, s); err != nil {
			return nil, err
		}
	}
	return plan, plan.addStale(w, targets)
}

// addTarget plans what s adds to one file.
func (p *Plan) addTarget(w *workbench, t target, s Setup) error {
	change, err := w.change(t.path, t.format)
	if err != nil {
		return err
	}
	base, existed := change.After, change.Exists
	if change.After, err = t.add(change.start, s); err != nil {
		return err
	}
	if change.file.exists && sameMeaning(t.format, change.file.text, change.After) {
		change.After = change.file.text // has everything, in a different order
	}
	if !bytes.Equal(base, change.After) {
		change.Exists = true
		p.new.Files = append(p.new.Files, receiptFile{
			Path: t.path, Format: t.format, Existed: existed, AddedTo: !bytes.Equal(base, change.start),
			before: base, after: change.After,
		})
	}
	if err := readable(t, change.After); err != nil {
		p.Notes = append(p.Notes, t.path+" "+err.Error())
	}
	p.Changes = append(p.Changes, change)
	return nil
}

// Uninstall plans how to remove what an installation added. Without its receipt, our
// entries are recognised by their content.
func (in Installer) Uninstall(s Setup) (*Plan, error) {
	folder := in.receiptFolder(s.Client, s.Scope, s.Name)
	old, err := loadReceipt(folder)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Setup: s, folder: folder, old: old}
	w := &workbench{setup: s, receipt: old}
	if old == nil {
		s.DenyRules = s.Client.Hooked() && (s.Client != Gemini || s.Scope != ScopeProject)
		targets, err := in.allTargets(s)
		if err != nil {
			return nil, err
		}
		w.receipt = &receipt{Setup: s}
		for _, t := range targets {
			w.receipt.Files = append(w.receipt.Files, receiptFile{Path: t.path, Format: t.format, Existed: true, after: []byte(t.text)})
		}
		w.guess = true
	}
	return plan, plan.addStale(w, nil)
}

// targets returns the files to change and the entries for each.
func (in Installer) targets(s Setup, w *workbench) ([]target, error) {
	switch s.Client {
	case Claude:
		return claudeTargets(s, in.Place), nil
	case Codex:
		path := mainFile(Codex, s.Scope, in.Place)
		config, err := w.change(path, tomlTables)
		if err != nil {
			return nil, err
		}
		targets, err := codexTargets(s, in.Place, config.After)
		if err != nil {
			return nil, &FileError{path, err}
		}
		return targets, nil
	}
	if c, ok := serverClients[s.Client]; ok {
		return c.targets(s, in.Place)
	}
	return geminiTargets(s, in.Place)
}

// allTargets lists every file that an installation may have changed.
func (in Installer) allTargets(s Setup) ([]target, error) {
	if s.Client == Codex {
		return codexTargets(s, in.Place, nil) // with hooks.json and config.toml
	}
	return in.targets(s, nil)
}

// readable returns an error if the file has syntax that its client does not accept.
func readable(t target, text []byte) error {
	switch t.format {
	case strictJSON:
		return confedit.ValidJSON(text, confedit.Strict)
	case commentedJSON:
		return confedit.ValidJSON(text, confedit.Commented)
	}
	return nil
}

// addStale adds changes to the files that an earlier installation changed and the new
// one does not.
func (p *Plan) addStale(w *workbench, targets []target) error {
	if w.receipt == nil {
		return nil
	}
	for _, f := range w.receipt.Files {
		if slices.ContainsFunc(targets, func(t target) bool { return t.path == f.Path }) {
			continue
		}
		change, err := w.change(f.Path, f.Format)
		if err != nil {
			return err
		}
		p.Changes = append(p.Changes, change)
	}
	return nil
}

// workbench undoes an earlier installation in memory, file by file.
type workbench struct {
	setup   Setup
	receipt *receipt
	// guess reports that the receipt is missing, so that w.receipt only names the
	// possible files.
	guess bool
}

// change returns a file as it is, and as it would be without our entries.
func (w *workbench) change(path string, f format) (Change, error) {
	now, err := readFile(path)
	if err != nil {
		return Change{}, err
	}
	c := Change{Path: path, file: now, After: now.text, start: now.text, Exists: now.exists}
	kept := w.receipt.file(path)
	if kept == nil || !now.exists {
		return c, check(f, c)
	}
	p := stripper{client: w.setup.Client, name: w.setup.Name, before: kept.before}
	p.own = string(kept.after)
	if w.guess && bytes.HasPrefix(now.text, []byte(ownHeader(w.setup))) {
		p.own = string(now.text)
	}
	if !w.guess && bytes.Equal(now.text, kept.after) {
		c.After, c.start, c.Exists = kept.before, kept.before, kept.Existed
		err := p.keep(&c, kept, f)
		return c, err
	}
	stripped, err := p.strip(f, now.text)
	if err != nil {
		return Change{}, &FileError{path, err}
	}
	c.After = stripped
	if merged, ok := confedit.Undo(kept.before, kept.after, now.text); !w.guess && ok && sameMeaning(f, merged, stripped) {
		c.After = merged
	}
	c.Exists, c.start = !w.vanishes(kept, f, c.After), c.After
	err = p.keep(&c, kept, f)
	return c, err
}

// keep leaves the server's entry in c.start if somebody has added to it, so that the
// new entry is merged into it.
func (p stripper) keep(c *Change, kept *receiptFile, f format) (err error) {
	if kept.addedTo(f, p.client, p.name, c.file.text) {
		p.keepServer = true
		c.start, err = p.strip(f, c.file.text)
	}
	return err
}

// addedTo reports whether somebody has changed the server's entry since we wrote it.
func (f *receiptFile) addedTo(as format, c Client, name string, now []byte) bool {
	was, is := serverIn(as, c, name, f.after), serverIn(as, c, name, now)
	return was != nil && is != nil && (f.AddedTo || !reflect.DeepEqual(was, is))
}

// serverIn returns a server's entry in a file; nil if there is none.
func serverIn(as format, c Client, name string, text []byte) any {
	var document any
	path := []string{c.serversKey(), name}
	switch as {
	case ownText:
		return nil
	case tomlTables:
		table, err := confedit.ReadTOML(text)
		if err != nil {
			return nil
		}
		document, path = table, []string{"mcp_servers", name}
	default:
		var err error
		if document, _, err = confedit.Lookup(text); err != nil {
			return nil
		}
	}
	return lookupTree(document, path)
}

// adopt takes over the store and configuration of a server entry that somebody else
// made or changed.
func (in Installer) adopt(s *Setup, w *workbench) error {
	as := strictJSON
	switch s.Client {
	case Codex:
		as = tomlTables
	case Gemini:
		as = commentedJSON
	default:
		if c, ok := serverClients[s.Client]; ok {
			as = c.format
		}
	}
	change, err := w.change(mainFile(s.Client, s.Scope, in.Place), as)
	if err != nil {
		return err
	}
	if server, ok := readServer(serverIn(as, s.Client, s.Name, change.start)); ok && server.isBridge() {
		s.adoptPlaces(server)
	}
	return nil
}

// vanishes reports whether a file that we created is now empty.
func (w *workbench) vanishes(kept *receiptFile, f format, text []byte) bool {
	if f == ownText && len(bytes.TrimSpace(text)) == 0 {
		return true
	}
	if kept.Existed {
		return false
	}
	left := bytes.TrimSpace(text)
	return len(left) == 0 || (f == strictJSON || f == commentedJSON) && string(left) == "{}"
}

// check returns an error if the file cannot be parsed in its format.
func check(f format, c Change) error {
	var err error
	switch f {
	case tomlTables:
		_, err = confedit.ReadTOML(c.After)
	case strictJSON, commentedJSON:
		err = confedit.ValidJSON(c.After, confedit.Lenient)
	}
	if err != nil {
		return &FileError{c.Path, err}
	}
	return nil
}
