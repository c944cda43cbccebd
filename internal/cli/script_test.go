package cli_test

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/cli"
	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/keyfile"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/sandbox"
)

func TestMain(m *testing.M) {
	// In the sandbox the program is started under its own name.
	if code, ok := sandbox.Helper(os.Args); ok {
		os.Exit(code)
	}
	tests := withoutUser{m: m}
	if strings.Contains(filepath.Base(os.Args[0]), ".test") { // and not for a program that a test started
		home, err := forgetUser()
		if err != nil {
			os.Exit(fatal(err))
		}
		tests.home = home
	}
	testscript.Main(tests, map[string]func(){
		"bridge":   func() { os.Exit(cli.Main()) },
		"agent":    func() { os.Exit(agentMain()) },
		"gemini":   func() { os.Exit(agentMain()) }, // under names that bridge recognises
		"claude":   func() { os.Exit(agentMain()) },
		"qwen":     func() { os.Exit(agentMain()) },
		"copilot":  func() { os.Exit(agentMain()) },
		"codex":    func() { os.Exit(agentMain()) },
		"cline":    func() { os.Exit(agentMain()) },
		"opencode": func() { os.Exit(agentMain()) },
		"starter":  func() { os.Exit(starterMain()) },
		"holder":   func() { os.Exit(holderMain()) },
		"seed":     func() { os.Exit(seedMain()) },
		"operator": func() { os.Exit(operatorMain()) },
		"faulty":   func() { os.Exit(faultytest.Main()) },
		"receiver": func() { os.Exit(receiverMain()) },
	})
}

// withoutUser runs the tests, and removes what programs have written into their home
// folder.
type withoutUser struct {
	m    *testing.M
	home string
}

func (w withoutUser) Run() int {
	code := w.m.Run()
	if err := os.RemoveAll(w.home); err != nil {
		return max(code, fatal(err))
	}
	return code
}

// forgetUser removes the user's settings for bridge and the clients from the
// environment, and sets a home folder that does not exist, which it returns. The Go
// tools keep using what they have in the real one.
func forgetUser() (home string, err error) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		for _, prefix := range []string{"BRIDGE_", "YOLO_", "XDG_", "CLAUDE", "CODEX_", "GEMINI_", "QWEN_", "COPILOT_"} {
			if strings.HasPrefix(name, prefix) {
				if err := os.Unsetenv(name); err != nil {
					return "", err
				}
			}
		}
	}
	own, err := os.UserHomeDir()
	if err != nil {
		return "", nil //nolint:nilerr // without one nothing is to be forgotten
	}
	for name, usual := range map[string]string{"GOPATH": "go", "GOCACHE": filepath.Join(".cache", "go-build")} {
		if os.Getenv(name) == "" {
			if err := os.Setenv(name, filepath.Join(own, usual)); err != nil {
				return "", err
			}
		}
	}
	home = filepath.Join(os.TempDir(), "nobody-"+strconv.Itoa(os.Getpid()))
	return home, os.Setenv("HOME", home)
}

// TestScripts runs testdata/script/*.txtar. In addition to testscript's own commands
// they use the programs of TestMain and the commands below.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scriptParams("testdata/script", func(*testscript.Env) {}))
}

// onBothStores are the scripts in testdata/script that work with a store but not with
// its file.
var onBothStores = []string{
	"agents", "arguments", "bridge_limits_set", "fleet", "hook_clients", "hook_identity", "hook_unattended", "hook_wait",
	"inbox", "many", "workflow_three", "yolo", "yolo_follow", "yolo_surroundings",
}

// TestScriptsOnPostgres runs testdata/postgres/*.txtar and onBothStores with stores in
// PostgreSQL, each in its own schema.
func TestScriptsOnPostgres(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED with -short: the same scripts run on a file")
	}
	server := postgrestest.ForTest(t)
	named := func(env *testscript.Env) {
		password := rand.Text()
		env.Setenv("PASSWORD", password)
		env.Setenv("BRIDGE_DB", strings.Replace(server.Schema(), "bridge@", "bridge:"+password+"@", 1))
	}
	testscript.Run(t, scriptParams("testdata/postgres", named))
	both := scriptParams("", func(env *testscript.Env) {
		named(env)
		if err := initServerStore(env); err != nil {
			t.Errorf("make the store: %v", err)
		}
	})
	for _, name := range onBothStores {
		both.Files = append(both.Files, filepath.Join("testdata", "script", name+".txtar"))
	}
	testscript.Run(t, both)
}

// initServerStore makes the store for a script, and sets DB to the path that takes the
// place of its path.
func initServerStore(env *testscript.Env) error {
	bridge, err := exec.LookPath("bridge")
	if err != nil {
		return err
	}
	cmd := exec.Command(bridge, "store", "init")
	cmd.Env = env.Vars
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	state := filepath.Dir(env.Getenv("DB"))
	folders, err := fs.Glob(os.DirFS(state), "postgres-*")
	if err != nil || len(folders) != 1 {
		return fmt.Errorf("%d folders of stores on servers: %w", len(folders), err)
	}
	env.Setenv("DB", filepath.Join(state, folders[0], "bridge.db"))
	return nil
}

// scriptParams returns the parameters of all scripts.
func scriptParams(dir string, more func(*testscript.Env)) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"} {
				dir := filepath.Join(env.WorkDir, strings.ToLower(name))
				env.Setenv(name, dir)
				if err := os.Mkdir(dir, 0o700); err != nil {
					return err
				}
			}
			env.Setenv("DB", filepath.Join(env.WorkDir, "xdg_state_home", "bridge", "bridge.db"))
			env.Setenv("TZ", "UTC")
			env.Setenv("BRIDGE_HOOK_TIME_LIMIT", "30s") // the output is needed even if the machine is busy
			env.Setenv("GORACE", os.Getenv("GORACE"))
			scripts, err := filepath.Abs(filepath.Join("..", "..", "scripts"))
			if err != nil {
				return err
			}
			env.Setenv("SCRIPTS", scripts)
			env.Setenv("ESC", "\x1b[31m\u202e")
			// Matches ESC, U+202E and similar characters, for ! stdout.
			env.Setenv("CONTROLS", `[\x00-\x08\x0b-\x1f\x7f\x{80}-\x{9f}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{fe00}-\x{fe0f}\x{e0000}-\x{e0fff}]`)
			more(env)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"tries":    tries,
			"capture":  capture,
			"mode":     mode,
			"sql":      runSQL,
			"endsin":   endsIn,
			"await":    await,
			"bindings": bindings,
		},
	}
}

// exits CODE PROGRAM ARGS... runs a program that must exit with a code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// tries PROGRAM ARGS... runs a program that may exit with any code.
func tries(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: tries program [args...]")
	}
	if err, exit := ts.Exec(args[0], args[1:]...), new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		ts.Check(err)
	}
}

// capture NAME PATTERN sets a variable to the first group of a pattern in the last
// standard output.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture name pattern")
	}
	pattern, err := regexp.Compile(`(?m)` + args[1])
	ts.Check(err)
	match := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(match) < 2 {
		ts.Fatalf("no match for %s", args[1])
	}
	ts.Setenv(args[0], match[1])
}

// mode MODE FILES... checks permissions.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode octal files...")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if got := info.Mode().Perm(); got != fs.FileMode(want) {
			ts.Fatalf("%s has mode %04o, want %04o", name, got, want)
		}
	}
}

// sql FILE STATEMENT... changes a database directly, without bridge.
func runSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sql file statements...")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	db.SetMaxOpenConns(1)
	for _, statement := range args[1:] {
		_, err := db.Exec(statement)
		ts.Check(err)
	}
	ts.Check(db.Close())
}

// endsin FILE SECONDS makes all conversations in a store end in that many seconds, as
// if they had been created that way.
func endsIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: endsin file seconds")
	}
	path := ts.MkAbs(args[0])
	seconds, err := strconv.Atoi(args[1])
	ts.Check(err)
	key, err := keyfile.Load(filepath.Join(filepath.Dir(path), "bridge.key"))
	ts.Check(err)
	db, err := sql.Open("sqlite", path)
	ts.Check(err)
	db.SetMaxOpenConns(1)
	rows, err := db.Query("SELECT id FROM conversations")
	ts.Check(err)
	var ids []string
	for rows.Next() {
		var id string
		ts.Check(rows.Scan(&id))
		ids = append(ids, id)
	}
	ts.Check(errors.Join(rows.Err(), rows.Close()))
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for _, id := range ids {
		_, err := db.Exec("UPDATE conversations SET expires_at = ?, expiry_seal = ? WHERE id = ?", end.UnixMicro(), bridge.NewExpirySealer(key).Seal(id, end), id)
		ts.Check(err)
	}
	ts.Check(db.Close())
}

// await FILE PATTERN waits until a background program has written something, or until a
// timeout.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await file pattern")
	}
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	shown := func() bool {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && pattern.Match(text)
	}
	if !bridgetest.Polled(shown) {
		ts.Fatalf("%s never showed %s", args[0], args[1])
	}
}

// TestCommandsAreComplete checks that every command has its texts and a script.
func TestCommandsAreComplete(t *testing.T) {
	root := cli.NewRoot()
	commands := cli.AllCommands(root)
	root.InitDefaultHelpCmd()
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range append(commands, help) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "_")
		for what, text := range map[string]string{"Short": cmd.Short, "Long": cmd.Long, "Example": cmd.Example} {
			if text == "" {
				t.Errorf("%s has no %s", name, what)
			}
		}
		if !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("the example of %s does not use it", name)
		}
		if strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("the short text of %s ends in a period", name)
		}
		script := filepath.Join("testdata", "script", name+".txtar")
		if _, err := os.Stat(script); err != nil {
			t.Errorf("%s has no script: write %s", name, script)
		}
	}
}

// TestSettings checks that every flag that can be set in the environment has its own
// variable and a key in the file, and is not a flag that a person types for one call.
func TestSettings(t *testing.T) {
	seen := map[string]bool{}
	for _, cmd := range cli.AllCommands(cli.NewRoot()) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("%s --%s: usage %q", cmd.CommandPath(), f.Name, f.Usage)
			}
			env := cli.EnvName(f)
			if env == "" {
				return
			}
			if seen[env] || !regexp.MustCompile(`^BRIDGE_[A-Z_]+$`).MatchString(env) {
				t.Errorf("%s --%s: variable %q", cmd.CommandPath(), f.Name, env)
			}
			seen[env] = true
			if key := cli.ConfigKey(f); !regexp.MustCompile(`^[a-z_.]+$`).MatchString(key) && f.Name != "config" {
				t.Errorf("%s --%s: key %q", cmd.CommandPath(), f.Name, key)
			}
		})
	}
	for _, want := range []string{
		"BRIDGE_DB", "BRIDGE_LOG_LEVEL", "BRIDGE_RATE_PER_MINUTE", "BRIDGE_READ_RATE_PER_HOUR", "BRIDGE_CREATE_RATE_PER_DAY",
		"BRIDGE_WATCHDOG_EXEC", "BRIDGE_INBOX_EXEC", "BRIDGE_KEEPALIVE_INTERVAL",
	} {
		if !seen[want] {
			t.Errorf("no flag has %s", want)
		}
	}
	for _, not := range []string{"BRIDGE_JSON", "BRIDGE_EXEC", "BRIDGE_DRY_RUN", "BRIDGE_ROTATE", "BRIDGE_MARK_READ", "BRIDGE_INBOX_MARK_READ", "BRIDGE_ONCE"} {
		if seen[not] {
			t.Errorf("a flag has %s", not)
		}
	}
}

// TestHelp checks that the help lists all commands except hidden ones, and that a
// command's help shows its own flags and no others.
func TestHelp(t *testing.T) {
	root := cli.NewRoot()
	text := cli.HelpOf(t, root)
	for _, cmd := range cli.AllCommands(root)[1:] {
		_, name, _ := strings.Cut(cmd.CommandPath(), " ")
		parent := cmd.HasSubCommands() && !slices.Contains([]string{"audit", "limits", "retention", "harness baseline"}, name)
		if strings.Count(name, " ") > 1 { // its parent's help has it
			if !strings.Contains(cli.HelpOf(t, cmd.Parent()), "\n  "+name+" ") {
				t.Errorf("%s is not in the help of its parent", name)
			}
		} else if listed := regexp.MustCompile(`(?m)^  ` + name + `  `).MatchString(text); listed == (cmd.Hidden || parent) {
			t.Errorf("%s is in the help: %t", name, listed)
		}
		help := cli.HelpOf(t, cmd)
		explains := func(flag string) bool { return regexp.MustCompile(`(?m)^  --` + flag + `( |$)`).MatchString(help) }
		cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) {
			if name != "serve" && explains(f.Name) {
				t.Errorf("the help of %s explains --%s", name, f.Name)
			}
		})
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !explains(f.Name) {
				t.Errorf("the help of %s does not explain --%s", name, f.Name)
			}
		})
		for line := range strings.SplitSeq(help, "\n") {
			if cli.DisplayWidth(line) > 88 {
				t.Errorf("the help of %s has a line of %d columns: %s", name, cli.DisplayWidth(line), line)
			}
		}
	}
}

func fatal(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
