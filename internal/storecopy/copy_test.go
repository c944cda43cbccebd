package storecopy_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/archive"
	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/postgres"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/sqlite"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/storecopy"
	"example.org/bridge/internal/tasks"
)

// server is the server for all tests of the package; nil if none is installed.
var server *postgrestest.Server

func TestMain(m *testing.M) {
	if dsn := os.Getenv("COPY_AND_DIE"); dsn != "" {
		copyAndDie(dsn)
	}
	os.Exit(postgrestest.Main(m, &server, "fsync=off", "full_page_writes=off"))
}

// sample is a store in a file with rows in every table.
type sample struct {
	*bridgetest.Env
	pair bridgetest.Pair
	room []bridge.Credentials
}

func newSample(t *testing.T) sample {
	t.Helper()
	ctx := t.Context()
	e := bridgetest.NewEnv(t)
	e.Clock.Advance(time.Since(e.Clock.Now())) // the copies continue with real clocks
	s := e.Served(t)
	x := sample{Env: e, pair: bridgetest.NewPair(t, s.Service), room: bridgetest.NewRoom(t, s.Service, 4)}
	for i, text := range []string{"hello", "caf\u00e9 \U0001f600", "a\x00b\x1a00", "\xff\xfe", strings.Repeat("long ", 9000)} {
		_, err := s.Send(ctx, x.pair.A, bridge.SendRequest{Text: text, Files: []string{"a.go"}, IdempotencyKey: strconv.Itoa(i)})
		must(t, err)
		_, err = s.Send(ctx, x.room[i%4], bridge.SendRequest{Text: text, To: []bridge.SessionID{bridge.Everyone}})
		must(t, err)
	}
	op := s.OperatorOperation("archive_audit", "")
	_, err := archive.New(e.Store(t), e.Key).Make(ctx, op, filepath.Join(t.TempDir(), "first"), e.Clock.Now().Add(time.Hour))
	must(t, err)
	d, err := s.Check(ctx, x.pair.B, bridge.CheckRequest{Limit: 2}, nil)
	must(t, err)
	must(t, s.Confirm(ctx, d.Claim))
	_, err = s.Send(ctx, bridge.Credentials{Conversation: x.pair.A.Conversation, Session: "a", Token: "wrong"}, bridge.SendRequest{Text: "x"})
	if !errors.Is(err, bridge.ErrUnauthorized) {
		t.Fatal(err)
	}
	_, err = s.Tasks.AssignTask(ctx, x.pair.A, tasks.AssignRequest{Title: "build", Body: "it", IdempotencyKey: "t"})
	must(t, err)
	_, err = s.Claims.Take(ctx, x.pair.B, claims.Request{Paths: []string{"src/**"}, Reason: "work", Seconds: 60})
	must(t, err)
	for version, text := range []string{"one\n", "two \x00 ünd\n"} {
		_, err = s.WriteFile(ctx, x.pair.B, files.WriteRequest{Name: files.Name{Path: "docs/a.md"}, Text: text, Version: int64(version)})
		must(t, err)
	}
	for _, text := range []string{"reads", "\x1b[2J caf\u00e9"} {
		_, err = s.LogStep(ctx, x.pair.B, steps.LogRequest{Text: text})
		must(t, err)
	}
	_, err = s.Pause(ctx, x.room[0].Conversation)
	must(t, err)
	keys := access.New(s.Service, e.Store(t), e.Key)
	for _, name := range []string{"laptop", "tablet"} {
		_, _, err = keys.Add(ctx, name, access.Agent, time.Hour)
		must(t, err)
	}
	_, _, err = keys.Revoke(ctx, "tablet")
	must(t, err)
	file, err := sql.Open("sqlite", e.Path)
	must(t, err)
	defer func() { must(t, file.Close()) }()
	// Rows that only commands and silent workers would create, with a value in every
	// column.
	for _, statement := range []string{
		"INSERT INTO silences VALUES ('CONV/c', 5, 6)",
		"INSERT INTO alerts (id, at, kind, conversation, session, team, team_id, role, heartbeat_at, open_tasks) VALUES (41, 1, 'silent', 'CONV', 'b', 'x', 'team_x', 'r', 2, 3)",
		"DELETE FROM alerts", // its number must not be reused
		"INSERT INTO alerts (at, kind, conversation, session, team, team_id, role, heartbeat_at, open_tasks) VALUES (1, 'silent', 'CONV', 'b', 'x', 'team_x', 'r', 2, 3)",
		`INSERT INTO yolo_grants (conversation, mode, workspace, device, inode, sandbox, image, network, ask, opened_at, expires_at, seal, access)
			VALUES ('CONV', 'safe', '/w', -1, 7, '', '', 1, 0, 1, 2, x'', '{}')`,
		"INSERT INTO yolo_modes VALUES ('CONV', 'a', 'safe', '/w', 1, 30000000, 9)",
		`INSERT INTO command_requests (conversation, session, command, plan, mode, workspace, device, inode, sandbox, image, network, timeout, nonce, digest, state,
			created_at, expires_at, token_hash) VALUES ('CONV', 'a', 'ls', '{}', 'safe', '/w', 1, 2, '', '', 0, 3, x'00ff', x'01', 'pending', 4, 5, x'aa')`,
		"INSERT INTO retention VALUES ('steps', 86400000000, 5)",
		"INSERT OR REPLACE INTO folds VALUES ('CONV', 'a', 'check_messages', 1, 2, 3)",
		"INSERT OR REPLACE INTO rate_limits VALUES ('write/CONV/a', 1.25, 2, 3.5, 4, 5)",
	} {
		if _, err := file.ExecContext(ctx, strings.ReplaceAll(statement, "CONV", x.pair.A.Conversation)); err != nil {
			t.Fatal(statement, err)
		}
	}
	return x
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openFile(t *testing.T, path string, key auth.Key) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Key: key})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// inFiles returns the functions for stores in files, as the command uses them.
func inFiles() storecopy.Files {
	return storecopy.Files{
		LeftOver: sqlite.LeftOverLog,
		Fill: func(ctx context.Context, path string, key auth.Key, fn func(sqlite.Rows, sqlite.Exec) error) error {
			return sqlite.Fill(ctx, path, sqlite.Options{Key: key, Volatile: true}, fn)
		},
		Examine: sqlite.Examine,
	}
}

func openServer(t *testing.T, dsn string, key auth.Key) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Key: key, Create: true})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// TestThereAndBack copies a store to a server and back. Both copies must hold what the
// original held, its tokens and noted heads must be valid for them, and both must be
// usable.
func TestThereAndBack(t *testing.T) {
	postgrestest.Need(t, server)
	ctx := t.Context()
	x := newSample(t)
	from := openFile(t, x.Path, x.Key)
	before := look(t, from, x)
	onServer := openServer(t, server.Schema(), x.Key)
	there, err := storecopy.Copy{From: storecopy.FromFile(from), Key: x.Key, Now: time.Now()}.ToServer(ctx, onServer.Fill)
	must(t, err)
	if diff := cmp.Diff(before, look(t, onServer, x)); diff != "" {
		t.Errorf("on the server (-want +got):\n%s", diff)
	}
	if there.Conversations != 2 || there.Messages < 10 || there.FromHead.Seq+1 != there.ToHead.Seq {
		t.Errorf("got %+v", there)
	}
	for table, rows := range there.Tables {
		if rows == 0 {
			t.Errorf("the sample has nothing in table %s", table)
		}
	}
	path := filepath.Join(filepath.Dir(x.Path), "back.db")
	back, err := storecopy.Copy{From: storecopy.FromServer(onServer, x.Key), Key: x.Key, Now: time.Now()}.ToFile(ctx, inFiles(), path)
	must(t, err)
	returned := openFile(t, path, x.Key)
	if diff := cmp.Diff(before, look(t, returned, x)); diff != "" {
		t.Errorf("back in a file (-want +got):\n%s", diff)
	}
	if back.Rows != there.Rows+1 {
		t.Errorf("%d rows came back of %d and an entry of the log", back.Rows, there.Rows)
	}
	if left, _ := fs.Glob(os.DirFS(filepath.Dir(path)), ".bridge-copy-*"); len(left) > 0 {
		t.Errorf("left over: %s", left)
	}
	for name, s := range map[string]*bridge.Service{
		"server": bridge.New(bridge.Config{Store: onServer, Key: x.Key}), "file": bridge.New(bridge.Config{Store: returned, Key: x.Key}),
	} {
		goesOn(t, name, s, x, there.FromHead)
	}
	for name, store := range map[string]interface {
		bridge.Store
		files.Store
	}{"server": onServer, "file": returned} {
		s := files.New(bridge.New(bridge.Config{Store: store, Key: x.Key}), store)
		w, err := s.WriteFile(ctx, x.pair.B, files.WriteRequest{Name: files.Name{Path: "docs/new.md"}, Text: "n\n"})
		if err != nil || w.File.Version != 1 {
			t.Errorf("%s: a new file: version %d, %v", name, w.File.Version, err)
		}
	}
	if diff := cmp.Diff(before, look(t, from, x)); diff != "" {
		t.Errorf("the source was changed (-want +got):\n%s", diff)
	}
}

// TestEncryptedThereAndBack copies an encrypted store to a server and back. Its texts
// must stay sealed on the way and in both copies, and both must be able to read them.
func TestEncryptedThereAndBack(t *testing.T) {
	postgrestest.Need(t, server)
	ctx := t.Context()
	x := newSample(t)
	from := openFile(t, x.Path, x.Key)
	op := bridge.Operation{Now: time.Unix(1, 0), Actor: bridge.Operator, Action: "test", Details: bridge.Details{}}
	if _, err := from.Convert(ctx, op, true, nil); err != nil {
		t.Fatal(err)
	}
	before := look(t, from, x)
	onServer := openServer(t, server.Schema(), x.Key)
	_, err := storecopy.Copy{From: storecopy.FromFile(from), Key: x.Key, Now: time.Now()}.ToServer(ctx, onServer.Fill)
	must(t, err)
	path := filepath.Join(filepath.Dir(x.Path), "back.db")
	_, err = storecopy.Copy{From: storecopy.FromServer(onServer, x.Key), Key: x.Key, Now: time.Now()}.ToFile(ctx, inFiles(), path)
	must(t, err)
	returned := openFile(t, path, x.Key)
	for name, store := range map[string]interface {
		bridge.Store
		AtRest(ctx context.Context) (atrest.State, error)
	}{"server": onServer, "file": returned} {
		if state, err := store.AtRest(ctx); err != nil || state != atrest.On {
			t.Errorf("%s: the encryption is %s, %v", name, state, err)
		}
		if diff := cmp.Diff(before, look(t, store, x)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		s := bridge.New(bridge.Config{Store: store, Key: x.Key})
		sent, err := s.Send(ctx, x.pair.A, bridge.SendRequest{Text: "x", IdempotencyKey: "0"})
		if err != nil || !sent.Repeated {
			t.Errorf("%s: a repeated key gave %+v, %v", name, sent, err)
		}
		if _, err := s.VerifyAudit(ctx, audit.Head{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	content, err := os.ReadFile(path)
	must(t, err)
	for _, word := range []string{"hello", "long long", "docs/a.md"} {
		if bytes.Contains(content, []byte(word)) {
			t.Errorf("%q is in the file that came back", word)
		}
	}
}

// goesOn uses a copy as its sessions do.
func goesOn(t *testing.T, name string, s *bridge.Service, x sample, noted audit.Head) {
	t.Helper()
	ctx := t.Context()
	sent, err := s.Send(ctx, x.pair.A, bridge.SendRequest{Text: "x", IdempotencyKey: "0"})
	if err != nil || !sent.Repeated {
		t.Errorf("%s: a repeated key gave %+v, %v", name, sent, err)
	}
	sent, err = s.Send(ctx, x.pair.A, bridge.SendRequest{Text: "more"})
	if err != nil || sent.Seq != 7 { // five messages and the assignment
		t.Errorf("%s: sent %+v, %v", name, sent, err)
	}
	if _, err := s.Send(ctx, x.room[0], bridge.SendRequest{Text: "x", To: []bridge.SessionID{"b"}}); !errors.Is(err, bridge.ErrPaused) {
		t.Errorf("%s: got %v in a paused conversation", name, err)
	}
	d, err := s.Check(ctx, x.pair.B, bridge.CheckRequest{Limit: 1}, nil)
	if err != nil || len(d.Messages) != 1 || d.Messages[0].Seq != 3 {
		t.Errorf("%s: got %+v, %v, want message 3", name, d, err)
	}
	if _, err := s.VerifyAudit(ctx, noted); err != nil {
		t.Errorf("%s: with the head of the source noted: %v", name, err)
	}
}

// seen is what a store shows.
type seen struct {
	Conversations []bridge.Overview
	History       map[string][]bridge.Message
	Log           []string
}

func look(t *testing.T, store bridge.Store, x sample) seen {
	t.Helper()
	s := bridge.New(bridge.Config{Store: store, Key: x.Key, Now: x.Clock.Now})
	all, err := s.Conversations(t.Context())
	must(t, err)
	v := seen{Conversations: all, History: map[string][]bridge.Message{}}
	for _, o := range all {
		v.History[o.ID], err = s.Messages(t.Context(), o.ID, 0, 1000)
		must(t, err)
	}
	entries, err := store.AuditEntries(t.Context(), bridge.AuditQuery{})
	must(t, err)
	for _, e := range entries {
		if e.Action != "copy_store" {
			v.Log = append(v.Log, fmt.Sprint(e.Seq, e.Time.UnixMicro(), e.Conversation, e.Session, e.Action, e.Outcome, e.Details))
		}
	}
	return v
}

// TestEveryColumnIsCopied compares the columns of both kinds of stores with the copied
// columns, so that whoever adds a column must say how it is copied.
func TestEveryColumnIsCopied(t *testing.T) {
	postgrestest.Need(t, server)
	// Columns that are derived from others, or that describe how the store itself is
	// kept.
	made := []string{
		"schema_version.version", "store.one", "store_state.one", "quota.one", "store_usage.shard", "store_usage.conversations", "store_usage.messages",
		"audit_log.id", "audit_log.chain", "audit_log.link", "audit_log.mac", "audit_chains.*", "audit_order.*", "audit_sealed.*", "audit_spine.*", "audit_head.*",
		"audit_base.one", "audit_base.link", "audit_base.seal", "audit_bases.*",
		// Columns of stores in files.
		"conversations.role_a", "conversations.role_b", "conversations.join_hash", "conversations.join_expires_at", "conversations.joined_at",
		"messages.recipient", "messages.seq", "messages.partner_unread", "messages.operator", "copies.*", "silences.conversation", "sqlite_sequence.*",
	}
	copied := storecopy.Columns()
	check := func(table, column string) {
		if !slices.Contains(copied[table], column) && !slices.Contains(made, table+"."+column) && !slices.Contains(made, table+".*") {
			t.Errorf("column %s of table %s is not copied", column, table)
		}
	}
	x := newSample(t)
	file, err := sql.Open("sqlite", x.Path)
	must(t, err)
	defer func() { must(t, file.Close()) }()
	rows, err := file.QueryContext(t.Context(), "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'")
	must(t, err)
	for rows.Next() {
		var table, column string
		must(t, rows.Scan(&table, &column))
		check(table, column)
	}
	must(t, rows.Err())
	dsn := server.Schema()
	openServer(t, dsn, x.Key)
	c, err := pgx.Connect(t.Context(), dsn)
	must(t, err)
	defer func() { must(t, c.Close(context.Background())) }()
	columns, err := c.Query(t.Context(), "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()")
	must(t, err)
	for columns.Next() {
		var table, column string
		must(t, columns.Scan(&table, &column))
		check(table, column)
	}
	must(t, columns.Err())
}

// TestRefusedCopies attempts copies onto targets that must not be touched.
func TestRefusedCopies(t *testing.T) {
	postgrestest.Need(t, server)
	ctx := t.Context()
	x := newSample(t)
	from := openFile(t, x.Path, x.Key)
	c := storecopy.Copy{From: storecopy.FromFile(from), Key: x.Key, Now: time.Now()}
	used := openServer(t, server.Schema(), x.Key)
	bridgetest.NewPair(t, bridge.New(bridge.Config{Store: used, Key: x.Key}))
	if _, err := c.ToServer(ctx, used.Fill); !errors.Is(err, postgres.ErrNotEmpty) {
		t.Errorf("got %v for a store in use", err)
	}
	if _, err := c.ToFile(ctx, inFiles(), x.Path); !errors.Is(err, storecopy.ErrOccupied) {
		t.Errorf("got %v for a file that is there", err)
	}
	other := bridgetest.NewEnv(t) // with a different key
	if _, err := c.ToFile(ctx, inFiles(), other.Path); !errors.Is(err, bridge.ErrStoreKey) {
		t.Errorf("got %v beside another store's key", err)
	}
	if _, err := os.Stat(other.Path); err == nil {
		t.Error("a refused copy left a store")
	}
	file, err := sql.Open("sqlite", x.Path)
	must(t, err)
	var changed int64
	must(t, file.QueryRowContext(ctx, "SELECT min(seq) + 1 FROM audit_log").Scan(&changed))
	_, err = file.ExecContext(ctx, "UPDATE audit_log SET outcome = 'ok', action = 'x' WHERE seq = ?", changed)
	must(t, errors.Join(err, file.Close()))
	var fault *audit.Fault
	if _, err := c.ToServer(ctx, openServer(t, server.Schema(), x.Key).Fill); !errors.As(err, &fault) || fault.Seq != changed {
		t.Errorf("got %v for a source whose log was changed", err)
	}
}

// TestKilledCopies kills the copying process, in both directions, and copies again.
func TestKilledCopies(t *testing.T) {
	postgrestest.Need(t, server)
	x := newSample(t)
	from := openFile(t, x.Path, x.Key)
	dsn := server.Schema()
	onServer := openServer(t, dsn, x.Key)
	die(t, dsn, x.Path, "", 40)
	c := storecopy.Copy{From: storecopy.FromFile(from), Key: x.Key, Now: time.Now()}
	first, err := c.ToServer(t.Context(), onServer.Fill)
	must(t, err)
	path := filepath.Join(filepath.Dir(x.Path), "back.db")
	die(t, dsn, x.Path, path, 40)
	if _, err := os.Stat(path); err == nil {
		t.Error("a killed copy left a store")
	}
	c.From = storecopy.FromServer(onServer, x.Key)
	if again, err := c.ToFile(t.Context(), inFiles(), path); err != nil || again.Rows != first.Rows+1 {
		t.Errorf("copied again: %+v, %v", again, err)
	}
}

// die runs a process that makes a copy and kills itself after writing the given number
// of rows.
func die(t *testing.T, dsn, file, to string, rows int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "COPY_AND_DIE="+dsn, "COPY_FILE="+file, "COPY_TO="+to, "COPY_ROWS="+strconv.Itoa(rows))
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != -1 {
		t.Fatalf("the copy was not killed: %v %s", err, out)
	}
}

func killSelf() {
	self, _ := os.FindProcess(os.Getpid())
	_ = self.Kill()
	select {}
}

// diesAfterCopy is a store whose process kills itself when the copy is complete.
type diesAfterCopy struct{ storecopy.Reader }

func (s diesAfterCopy) Move(ctx context.Context, op bridge.Operation, fn func(func(string, int, func([]any) error) error) error) error {
	return s.Reader.Move(ctx, op, func(read func(string, int, func([]any) error) error) error {
		if err := fn(read); err != nil {
			return err
		}
		killSelf()
		return nil
	})
}

// copyAndDie is what that process runs.
func copyAndDie(dsn string) {
	ctx := context.Background()
	key, err := keyfile.Load(keyfile.Beside(os.Getenv("COPY_FILE")))
	if err != nil {
		panic(err)
	}
	onServer, err := postgres.Open(ctx, dsn, postgres.Options{Key: key})
	if err != nil {
		panic(err)
	}
	at, err := strconv.ParseInt(os.Getenv("COPY_ROWS"), 10, 64)
	if err != nil {
		panic(err)
	}
	c := storecopy.Copy{From: storecopy.FromServer(onServer, key), Key: key, Now: time.Now(), Move: os.Getenv("COPY_MOVES") != "", Written: func(rows int64) {
		if rows == at {
			killSelf()
		}
	}}
	behind := os.Getenv("COPY_DIES_AFTER") != "" // die when the copy is complete and its source is not yet marked as moved
	if to := os.Getenv("COPY_TO"); to != "" {
		if behind {
			c.From = storecopy.FromServer(diesAfterCopy{onServer}, key)
		}
		_, err = c.ToFile(ctx, inFiles(), to)
	} else {
		from, openErr := sqlite.Open(ctx, os.Getenv("COPY_FILE"), sqlite.Options{Key: key})
		if openErr != nil {
			panic(openErr)
		}
		c.From = storecopy.FromFile(from)
		if behind {
			c.From = storecopy.FromFile(diesAfterCopy{from})
		}
		_, err = c.ToServer(ctx, onServer.Fill)
	}
	panic(err)
}
