package sqlite

import (
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"modernc.org/sqlite"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/sqlite/storefile"
)

// header is what tells one database from another.
type header struct {
	application, version, tables int64
	atRest                       atrest.State // version does not include it
	id, keyCheck                 []byte
}

// fresh reports whether nothing was ever written to the file.
func (h header) fresh() bool {
	return h.application == 0 && h.version == 0 && h.tables == 0 && h.atRest == atrest.Off
}

// untouched is the mode in which only the file itself is inspected: no locks are taken,
// nothing is recovered, and no other file is read or created. If a process writes at
// that moment, its change may be seen in part.
const untouched = "untouched"

// recognize refuses a file that is not a bridge store, or is one of a newer version. It
// runs before the file is opened as a database, because that creates files beside it
// and rolls back what a crashed program has left. If it cannot tell, it accepts the
// file.
func recognize(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return storefile.Unwritable(err)
	}
	if info.Size() < minDatabase {
		return fmt.Errorf("%w: %s", bridge.ErrStoreForeign, path)
	}
	if h, ok := firstPage(path); ok && h.application == applicationID && h.usable(path) == nil {
		return nil
	}
	for range 2 { // twice, because another process may just be writing the first page of a new store
		var h header
		if err = withConn(path, untouched, nil, h.readMarks); err != nil {
			return onlyForeign(translate(path, err))
		}
		if err = h.usable(path); err == nil {
			return nil
		}
	}
	return err
}

// firstPage reads the marks directly from the first hundred bytes of the file. Opening
// a database would read its whole schema. (SQLite's file format, section 1.3: the user
// version is at offset 60, the application id at 68, both big endian.)
func firstPage(path string) (h header, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return h, false
	}
	defer f.Close() //nolint:errcheck // nothing was written
	var page [100]byte
	if _, err := io.ReadFull(f, page[:]); err != nil || string(page[:16]) != "SQLite format 3\x00" {
		return h, false
	}
	h.version, h.atRest = atrest.Split(int64(int32(binary.BigEndian.Uint32(page[60:]))))
	h.application = int64(int32(binary.BigEndian.Uint32(page[68:])))
	return h, true
}

// minDatabase is the size of the smallest SQLite database: one page of the smallest
// page size.
const minDatabase = 512

// onlyForeign drops all errors other than ErrStoreForeign.
func onlyForeign(err error) error {
	if errors.Is(err, bridge.ErrStoreForeign) {
		return err
	}
	return nil
}

// usable refuses a file that bridge did not create or whose version this program does
// not know.
func (h *header) usable(path string) error {
	latest := int64(SchemaVersion())
	switch {
	case !h.fresh() && h.application != applicationID:
		return fmt.Errorf("%w: %s", bridge.ErrStoreForeign, path)
	case h.version < 0 || h.version == 0 && !h.fresh(): // a store gets its version when it is created
		return fmt.Errorf("%w: its schema version is %d", bridge.ErrStoreDamaged, h.version)
	case bridge.CheckMoved(path, h.version) != nil:
		return bridge.CheckMoved(path, h.version)
	case h.version > latest:
		return fmt.Errorf("%w: its schema is version %d, this bridge knows %d: update bridge", bridge.ErrStoreNewer, h.version, latest)
	}
	return nil
}

// readMarks reads what tells a store from other databases, in one transaction because
// another process may be creating it.
func (h *header) readMarks(c *conn) error {
	return transact(c, "BEGIN", h.marksIn)
}

// marksIn is readMarks inside a transaction that has begun.
func (h *header) marksIn(c *conn) error {
	for _, mark := range []struct {
		query string
		dest  *int64
	}{
		{"PRAGMA application_id", &h.application},
		{"PRAGMA user_version", &h.version},
		{"SELECT count(*) FROM sqlite_schema", &h.tables},
	} {
		if err := c.get(mark.query, nil, mark.dest); err != nil {
			return err
		}
	}
	h.version, h.atRest = atrest.Split(h.version)
	return nil
}

func readHeader(path string) (h header, err error) {
	err = withConn(path, "ro", safeSettings, func(c *conn) error { return h.readAll(path, c) })
	return h, err
}

// safeSettings are the settings for inspecting a file that has not been checked: nothing in
// its schema may call functions, and malformed pages are detected.
var safeSettings = []string{"trusted_schema(OFF)", "cell_size_check(ON)"}

// readAll reads the marks and, for a store, its identity. Before it reads any table it
// makes sure that the schema is exactly that of a store.
func (h *header) readAll(path string, c *conn) error {
	err := h.readMarks(c)
	if err != nil || h.application != applicationID || h.version < 1 || h.version > int64(SchemaVersion()) {
		return err
	}
	if err := checkObjects(path, c, int(h.version)); err != nil {
		return err
	}
	return c.get("SELECT id, key_check FROM store", nil, &h.id, &h.keyCheck)
}

func (h header) checkKey(path string, key bridge.Key) error {
	if !hmac.Equal(h.keyCheck, bridge.KeyCheck(key, h.id)) {
		return fmt.Errorf("%w: %s: put back the bridge.key that was made with it", bridge.ErrStoreKey, path)
	}
	return nil
}

// digests has a line for each version of the schema: the digest of everything that its
// scripts create. An outdated line costs time but does no harm.
//
//go:embed schema/digests.txt
var digests embed.FS

// objects maps the kind and name of each table, index, trigger and view of a database
// to the statement that creates it.
type objects map[string]string

// readObjects reads the schema. It executes nothing of what it reads.
func readObjects(c *conn) (objects, error) {
	found := objects{}
	var kind, name, table, text string
	err := c.each("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema", nil, []any{&kind, &name, &table, &text}, func() error {
		found[kind+" "+name] = table + "\n" + normal(text)
		return nil
	})
	return found, err
}

// normal removes what versions of SQLite write differently: spaces, and quotes around
// names.
func normal(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, `"`, "")), " ")
}

func (o objects) digest() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(o)) {
		_, _ = fmt.Fprintf(h, "%s\x00%s\x00", name, o[name]) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// checkObjects reports, as ErrStoreDamaged, a store with objects that its version's
// scripts did not create, or without some that they did. A trigger or a view could
// change or copy every message.
func checkObjects(path string, c *conn, version int) error {
	found, err := readObjects(c)
	if err != nil {
		return err
	}
	if found.digest() == knownDigest(version) {
		return nil
	}
	want, err := expectedObjects(version)
	if err != nil {
		return err
	}
	if difference := want.compare(found); difference != "" {
		return fmt.Errorf("%w: %s: %s: something other than bridge has changed its schema", bridge.ErrStoreDamaged, path, difference)
	}
	return nil
}

func knownDigest(version int) string {
	text, err := digests.ReadFile("schema/digests.txt")
	if err != nil {
		return ""
	}
	lines := strings.Fields(string(text))
	if version < 1 || version > len(lines) {
		return ""
	}
	return lines[version-1]
}

// compare describes the first difference, or returns "".
func (o objects) compare(found objects) string {
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, ok := o[name]; !ok {
			return "the " + cleantext.CleanLine(cutName(name)) + " is not bridge's"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		switch text, ok := found[name]; {
		case !ok:
			return "the " + name + " is missing"
		case text != o[name]:
			return "the " + name + " differs from bridge's"
		}
	}
	return ""
}

// cutName shortens a name from the file so that it cannot fill the screen.
func cutName(name string) string {
	const longest = 60
	if runes := []rune(name); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return name
}

// expectedObjects creates the schema of a version in memory.
func expectedObjects(version int) (_ objects, err error) {
	scripts, err := migrations()
	if err != nil {
		return nil, err
	}
	d, err := new(sqlite.Driver).Open(":memory:")
	if err != nil {
		return nil, err
	}
	c := newConn(d)
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := applyMigrations(c, scripts[:version], bridge.Key{}); err != nil {
		return nil, err
	}
	return readObjects(c)
}

// contain converts a panic over a malformed file into an error.
func contain(path string, err *error) {
	if reason := recover(); reason != nil {
		*err = fmt.Errorf("%w: %s: reading it failed (%v)", bridge.ErrStoreDamaged, path, reason)
	}
}
