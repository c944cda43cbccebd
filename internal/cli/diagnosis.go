package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/view"
)

// status says how bad a finding is.
type status string

// The statuses, from good to bad. A note is something to know.
const (
	statusOK      status = "ok"
	statusNote    status = "note"
	statusWarning status = "warning"
	statusProblem status = "problem"
)

func (s status) style() style {
	switch s {
	case statusProblem:
		return bad
	case statusWarning:
		return warn
	case statusOK:
		return good
	}
	return plain
}

// check is one finding.
type check struct {
	Name   string `json:"name"`
	Status status `json:"status"`
	Detail string `json:"detail"`
}

// diagnosis collects findings.
type diagnosis struct {
	app    *app
	checks []check
}

func (d *diagnosis) add(name string, s status, format string, args ...any) {
	d.checks = append(d.checks, check{name, s, bridge.CleanLine(fmt.Sprintf(format, args...))})
}

// worst is the worst status found; a note is as good as ok.
func (d *diagnosis) worst() status {
	for _, s := range []status{statusProblem, statusWarning} {
		if slices.ContainsFunc(d.checks, func(c check) bool { return c.Status == s }) {
			return s
		}
	}
	return statusOK
}

func (d *diagnosis) checkConfiguration(root *cobra.Command) {
	file := d.app.file
	switch {
	case d.app.configErr != nil:
		d.add("configuration", statusProblem, "%s", view.Line(d.app.configErr))
	case !file.found:
		d.add("configuration", statusNote, "there is no file %s; it is optional", file.path)
	default:
		d.add("configuration", statusOK, "%s", file.path)
	}
	if info, err := os.Stat(file.path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		d.add("configuration", statusWarning, "others can change %s; run: chmod go-w '%s'", file.path, file.path)
	}
	if names := d.unknownVariables(root); len(names) > 0 {
		d.add("environment", statusWarning, "nothing is called %s: docs/cli.md lists the variables", strings.Join(names, ", "))
	}
	if _, err := d.app.redactor(); err != nil {
		d.add("redaction", statusProblem, "%s", view.Line(err))
		return
	}
	d.add("redaction", statusOK, "%s and %s of your own",
		view.Count(int64(len(file.rules)), "rule"), view.Count(int64(len(file.exceptions)), "exception"))
}

// sessionVariables are the variables that belong to no flag.
var sessionVariables = []string{"BRIDGE_CONVERSATION_ID", "BRIDGE_SESSION_ID", "BRIDGE_TOKEN"}

// unknownVariables names variables that look like settings and are none.
func (d *diagnosis) unknownVariables(root *cobra.Command) []string {
	known := slices.Clone(sessionVariables)
	for _, cmd := range allCommands(root) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { known = append(known, envName(f)) })
	}
	var unknown []string
	for _, variable := range d.app.environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "BRIDGE_") && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

func (d *diagnosis) checkStore() {
	path, err := d.app.storePath()
	if err != nil {
		d.add("store", statusProblem, "%s", view.Line(err))
		return
	}
	d.checkFilesystem(path)
	exists, err := storeExists(path)
	switch {
	case err != nil:
		d.add("store", statusProblem, "%s", view.Line(err))
		return
	case !exists:
		d.add("store", statusNote, "there is none yet at %s; the first `bridge serve` makes it", path)
		return
	}
	d.checkPermissions(path)
	d.checkDatabase(path)
}

// Free disk space below which doctor speaks up.
const (
	littleSpace = 100 << 20
	noSpace     = 10 << 20
)

// checkFilesystem looks at the folder of the store, or at the nearest one above
// it that is there.
func (d *diagnosis) checkFilesystem(path string) {
	dir := filepath.Dir(path)
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	if name := sqlite.NetworkFilesystem(dir); name != "" {
		d.add("filesystem", statusProblem, "%s is on a network filesystem (%s), where SQLite's locks do not hold: choose a local folder with --db", dir, name)
	} else {
		d.add("filesystem", statusOK, "local")
	}
	free, err := sqlite.FreeSpace(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		d.add("disk space", statusNote, "this platform does not tell")
	case err != nil:
		d.add("disk space", statusWarning, "%s", view.Line(err))
	case free < noSpace:
		d.add("disk space", statusProblem, "%s free: make room", view.Bytes(free))
	case free < littleSpace:
		d.add("disk space", statusWarning, "%s free: make room", view.Bytes(free))
	default:
		d.add("disk space", statusOK, "%s free", view.Bytes(free))
	}
}

// checkPermissions looks at everything that makes up a store.
func (d *diagnosis) checkPermissions(path string) {
	fine := true
	for _, file := range []string{filepath.Dir(path), path, path + "-wal", path + "-shm", path + "-queue", path + "-turn", keyPath(path), bellsPath(path)} {
		if err := sqlite.CheckPrivate(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.add("permissions", statusProblem, "%s", view.Line(err))
			fine = false
		}
		if err := sqlite.CheckWritable(file); err != nil && file != keyPath(path) {
			d.add("permissions", statusProblem, "%s", view.Line(err))
			fine = false
		}
	}
	if fine {
		d.add("permissions", statusOK, "the store is yours alone")
	}
}

func (d *diagnosis) checkDatabase(path string) {
	found, err := sqlite.Inspect(path)
	if err != nil {
		d.add("store", statusProblem, "%s", view.Line(err))
		return
	}
	d.add("store", statusOK, "%s, %s", path, view.Bytes(uint64(found.Bytes)))
	switch latest := sqlite.SchemaVersion(); {
	case found.SchemaVersion == 0:
		d.add("schema", statusNote, "the store is empty; the next `bridge serve` fills it")
		return
	case found.SchemaVersion < latest:
		d.add("schema", statusNote, "version %d of %d; the next `bridge serve` migrates it", found.SchemaVersion, latest)
	default:
		d.add("schema", statusOK, "version %d", found.SchemaVersion)
	}
	if found.WAL {
		d.add("journal", statusOK, "write-ahead log")
	} else {
		d.add("journal", statusProblem, "not a write-ahead log: something other than bridge has changed the store")
	}
	if len(found.Problems) > 0 {
		d.add("integrity", statusProblem, "%s: stop all bridge processes and keep a copy", strings.Join(found.Problems, "; "))
	} else {
		d.add("integrity", statusOK, "quick check found nothing")
	}
	d.checkKey(path, found)
}

func (d *diagnosis) checkKey(path string, found sqlite.Inspection) {
	key, err := auth.LoadKey(keyPath(path))
	switch {
	case err != nil:
		_, text := explain(err)
		d.add("key", statusProblem, "%s", text)
	case !found.FitsKey(key):
		d.add("key", statusProblem, "%s does not belong to the store: put back the key that was made with it", keyPath(path))
	default:
		d.add("key", statusOK, "it belongs to the store")
	}
}
