package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"example.org/bridge/internal/advice"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/doorbell"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/sqlite/storefile"
	"example.org/bridge/internal/view"
)

// File reads the file of a store.
type File struct {
	// Inspect looks at what it is.
	Inspect func(path string) (storefile.Inspection, error)
	// Unopened counts the texts that do not open with a key, by table and column.
	Unopened func(path string, key auth.Key) (map[string]int64, error)
}

// Store looks at the store at path, and everything that makes it up. exists and
// err are what was found when it was looked for.
func (r *Report) Store(path string, exists bool, err error, of File) {
	r.checkFilesystem(path)
	switch {
	case err != nil:
		r.Add("store", Problem, "%s", withRemedy(err))
		return
	case !exists && storefile.CheckWritable(nearest(path)) != nil:
		r.Add("store", Problem, "there is none at %s, and none can be made: this user may not write to %s: set HOME to your own home folder, or name a store with --db", path, nearest(path))
		return
	case !exists:
		r.Add("store", Note, "there is none yet at %s; the first `bridge serve` makes it", path)
		return
	}
	r.checkPermissions(path)
	r.checkDatabase(path, of)
}

// Free disk space below which doctor speaks up.
const (
	littleSpace = 100 << 20
	noSpace     = 10 << 20
)

// nearest is the folder of a file, or the nearest one above it that is there.
func nearest(path string) string {
	dir := filepath.Dir(path)
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// checkFilesystem looks at the folder of the store, or at the nearest one above
// it that is there.
func (r *Report) checkFilesystem(path string) {
	dir := nearest(path)
	if name := storefile.NetworkFilesystem(dir); name != "" {
		r.Add("filesystem", Problem, "%s is on a network filesystem (%s), where SQLite's locks do not hold: choose a local folder with --db", dir, name)
	} else {
		r.Add("filesystem", OK, "local")
	}
	free, err := storefile.FreeSpace(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		r.Add("disk space", Note, "this platform does not tell")
	case err != nil:
		r.Add("disk space", Warning, "%s", view.Line(err))
	case free < noSpace:
		r.Add("disk space", Problem, "%s free: make room", view.Bytes(free))
	case free < littleSpace:
		r.Add("disk space", Warning, "%s free: make room", view.Bytes(free))
	default:
		r.Add("disk space", OK, "%s free", view.Bytes(free))
	}
}

// checkPermissions looks at everything that makes up a store.
func (r *Report) checkPermissions(path string) {
	fine := true
	for _, file := range []string{filepath.Dir(path), path, path + "-wal", path + "-shm", path + "-queue", path + "-turn", path + "-reserve", keyfile.Beside(path), doorbell.Beside(path)} {
		if err := storefile.CheckPrivate(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.Add("permissions", Problem, "%s", view.Line(err))
			fine = false
			continue // a file of another user need not be writable
		}
		if err := storefile.CheckWritable(file); err != nil && file != keyfile.Beside(path) {
			r.Add("permissions", Problem, "%s", view.Line(err))
			fine = false
		}
	}
	switch dir := filepath.Dir(path); {
	case !fine:
	case listable(dir):
		r.Add("permissions", Warning, "others can list the folder %s, though not read what is in it; run: chmod go-rx '%s'", dir, dir)
	default:
		r.Add("permissions", OK, "the store is yours alone")
	}
}

// listable reports a folder whose names others may read or pass through.
func listable(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o055 != 0
}

func (r *Report) checkDatabase(path string, of File) {
	found, err := of.Inspect(path)
	if err != nil {
		r.Add("store", Problem, "%s", withRemedy(err))
		if sealed(found) {
			r.uncounted("the store cannot be looked at")
		}
		return
	}
	r.Add("store", OK, "%s, %s", path, view.Bytes(uint64(found.Bytes)))
	r.checkSchema(found)
	if found.SchemaVersion == 0 {
		return
	}
	r.Encryption(keyfile.Beside(path), found.Encrypted, found.Unfinished)
	if found.WAL {
		r.Add("journal", OK, "write-ahead log")
	} else {
		r.Add("journal", Problem, "not a write-ahead log: something other than bridge has changed the store")
	}
	r.checkLog(found)
	r.checkPrograms(storefile.OtherPrograms(path))
	if len(found.Problems) > 0 {
		r.Add("integrity", Problem, "%s: stop all bridge processes and keep a copy", strings.Join(found.Problems, "; "))
	} else {
		r.Add("integrity", OK, "quick check found nothing")
	}
	key, fits := r.checkKey(path, found)
	if found.Limits != nil {
		r.Limits(*found.Limits)
	}
	switch {
	case !sealed(found):
	case !fits:
		r.uncounted("they open with the store's key only")
	case found.SchemaVersion < found.KnownVersion:
		r.uncounted("the store is to be migrated first")
	default:
		r.Unopened(of.Unopened(path, key))
	}
}

// checkSchema compares the store's schema with the latest that this program knows.
func (r *Report) checkSchema(found storefile.Inspection) {
	switch latest := found.KnownVersion; {
	case found.SchemaVersion == 0:
		r.Add("schema", Note, "the store is empty; the next `bridge serve` fills it")
	case found.SchemaVersion < latest:
		r.Add("schema", Note, "version %d of %d; the next `bridge serve` migrates it", found.SchemaVersion, latest)
	default:
		r.Add("schema", OK, "version %d", found.SchemaVersion)
	}
}

// sealed reports that there may be texts that are encrypted.
func sealed(found storefile.Inspection) bool { return found.Encrypted || found.Unfinished }

// uncounted says why texts that do not open were not counted.
func (r *Report) uncounted(why string) {
	r.Add("texts", Note, "those that do not open were not counted: %s", why)
}

// Encryption says how the texts of a store are kept, and where their key is; nothing
// where they are in clear.
func (r *Report) Encryption(key string, encrypted, unfinished bool) {
	switch {
	case unfinished && encrypted:
		r.Add("encryption", Note, "texts are being encrypted, or that was interrupted: `bridge store encrypt` does the rest")
	case unfinished:
		r.Add("encryption", Note, "texts are being decrypted, or that was interrupted: `bridge store decrypt` does the rest")
	case encrypted:
		r.Add("encryption", OK, "texts are encrypted at rest: without %s nobody reads them", filepath.Base(key))
	}
}

// Unopened tells of texts that do not open, by table and column.
func (r *Report) Unopened(found map[string]int64, err error) {
	if err != nil {
		r.Add("texts", Problem, "%s", withRemedy(err))
		return
	}
	var total int64
	var where []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		total += found[name]
		where = append(where, fmt.Sprintf("%s %d", name, found[name]))
	}
	if total > 0 {
		r.Add("texts", Problem, "%s not open (%s): they were changed, moved, or put there in clear; a backup from before has them", counted(total), strings.Join(where, ", "))
	}
}

func counted(n int64) string {
	if n == 1 {
		return "1 text does"
	}
	return fmt.Sprintf("%d texts do", n)
}

// largeLog is four times what the log grows to while nobody holds it.
const largeLog = 16 << 20

func (r *Report) checkLog(found storefile.Inspection) {
	if found.LogBytes < largeLog {
		return
	}
	holders := "no process is known to use it: the next changes, or `bridge cleanup`, shrink it"
	if len(found.LogReaders) > 0 {
		names := make([]string, len(found.LogReaders))
		for i, h := range found.LogReaders {
			names[i] = h.String()
		}
		holders = "it cannot become smaller while these read from it: " + strings.Join(names, "; ")
	}
	r.Add("log", Warning, "the write-ahead log has grown to %s; %s", view.Bytes(uint64(found.LogBytes)), holders)
}

// checkPrograms names the processes that were started with another program than this one.
// They go on with it, and are refused once this program has migrated the store.
func (r *Report) checkPrograms(others []bridge.Holder) {
	if len(others) == 0 {
		return
	}
	names := make([]string, len(others))
	for i, h := range others {
		names[i] = h.String()
	}
	r.Add("processes", Warning, "these have the store open with another program than this one: %s: restart their clients, or start all with the same program",
		strings.Join(names, "; "))
}

// withRemedy is an error with what its operator can do about it.
func withRemedy(err error) string {
	row, _ := advice.Of(err)
	return strings.TrimSuffix(view.Line(err)+": "+row.Operator, ": ")
}

// checkKey returns the key of the store; ok is false where that is not there.
func (r *Report) checkKey(path string, found storefile.Inspection) (key auth.Key, ok bool) {
	key, err := keyfile.Load(keyfile.Beside(path))
	switch {
	case err != nil:
		r.Add("key", Problem, "%s", withRemedy(err))
	case !found.FitsKey(key):
		r.Add("key", Problem, "%s does not belong to the store: put back the key that was made with it", keyfile.Beside(path))
	default:
		r.Add("key", OK, "it belongs to the store")
		r.Ends(found.MovedEnds(key))
		return key, true
	}
	return key, false
}

// namedEnds is how many conversations a line names.
const namedEnds = 3

// Ends speaks of the conversations whose ends that something other than bridge wrote into the store.
func (r *Report) Ends(moved []string) {
	if len(moved) == 0 {
		return
	}
	names := strings.Join(moved[:min(len(moved), namedEnds)], ", ")
	if more := len(moved) - namedEnds; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	r.Add("ends", Problem, "something other than bridge has changed when these conversations end: %s: their sessions are refused until `bridge extend` sets a new end; find out what writes into the store", names)
}
