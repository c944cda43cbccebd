// Command mutate changes the program's source in small ways, one at a time, and
// checks whether the tests notice. A change that no test notices is a survivor: a
// line that could be wrong without anybody knowing.
//
// It writes nothing into the source: the compiler is given changed copies
// (go help build, -overlay). The choice is random and repeatable: the same seed
// on the same source gives the same changes.
//
//	go run ./scripts/mutate -n 160 -seed 1
//	go run ./scripts/mutate -only internal/auth -n 1000
//	go run ./scripts/mutate -known
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// suite is a package whose source is changed, its share of the changes, and the
// packages whose tests are to notice, the quickest first, behind a colon only
// those tests with such names.
type suite struct {
	dir   string
	share int
	tests []string
}

var suites = []suite{
	{"internal/auth", 12, []string{"auth", storeTests}},
	{"internal/audit", 10, []string{"audit", storeTests}},
	{"internal/ratelimit", 10, []string{"ratelimit", storeTests}},
	{"internal/privatefile", 8, []string{"privatefile", "binding", "auth"}},
	{"internal/binding", 12, []string{"binding", "mcpserver"}},
	{"internal/bridge", 40, []string{"bridge", storeTests, "mcpserver"}},
	{"internal/commands", 20, []string{"commands", storeTests, "mcpserver"}},
	{"internal/sqlite", 36, []string{"sqlite", "mcpserver"}},
	{"internal/mcpserver", 12, []string{"mcpserver"}},
}

// storeTests are what every store must do, and that tampering is found.
const storeTests = "sqlite:^TestStore$|^TestVerifyAudit|^TestBadCredentials|^TestCleanup|^TestRefus"

// slow are tests that take long and notice what others notice sooner.
const slow = "LeftOver|FilesLost|ManyProcesses|EightProcesses|FullDisk|AtEachSystemCall|FaultsAtSystemCalls|DamagedFiles|KilledProcesses|AcceptedInSafeModeIsHarmless|HostileRepository|PagesFitClients|WhoHolds|WaitForMailEnds|Benchmark"

// limit ends a test that a change has made endless. On a busy machine the tests of
// one package take minutes.
const limit = 6 * time.Minute

func main() {
	n := flag.Int("n", 160, "how many changes in all")
	seed := flag.Uint64("seed", 1, "which ones")
	only := flag.String("only", "", "one package, such as internal/auth")
	out := flag.String("out", "", "append a JSON line for each change to this file, and skip those that are in it")
	grave := flag.Bool("known", false, "try the changes that are listed in known.go, and no others")
	flag.Parse()
	try := func() (int, error) { return run(*n, *seed, *only, *out) }
	if *grave {
		try = tryKnown
	}
	survivors, err := try()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if survivors > 0 {
		os.Exit(1)
	}
}

// result is what became of one change.
type result struct {
	Place   string `json:"place"`
	Change  string `json:"change"`
	Outcome string `json:"outcome"` // noticed, survived, invalid
	By      string `json:"by,omitempty"`
}

func run(n int, seed uint64, only, out string) (survivors int, err error) {
	known := map[string]result{}
	if err := load(out, known); err != nil {
		return 0, err
	}
	failing, err := failingAlready(only)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, s := range suites {
		total += s.share
	}
	counts := map[string]int{}
	var left []result
	for _, s := range suites {
		want := max(1, n*s.share/total)
		if only != "" {
			want = n
		}
		if only != "" && only != s.dir {
			continue
		}
		results, err := s.try(want, seed, failing, known, out)
		if err != nil {
			return 0, err
		}
		for _, r := range results {
			counts[r.Outcome]++
			if r.Outcome == "survived" {
				left = append(left, r)
			}
		}
	}
	tried := counts["noticed"] + counts["survived"]
	fmt.Printf("\n%d changes, %d noticed, %d survived (%.1f %%), %d did not compile\n",
		tried, counts["noticed"], len(left), 100*float64(len(left))/float64(max(1, tried)), counts["invalid"])
	for _, r := range left {
		fmt.Printf("survived: %s: %s\n", r.Place, r.Change)
	}
	return len(left), nil
}

// try makes changes in one package until want of them compiled.
func (s suite) try(want int, seed uint64, failing []string, known map[string]result, out string) (all []result, err error) {
	changes, err := changesOf(s.dir)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(seed, uint64(len(s.dir)))) //nolint:gosec // G404: to be repeated, not to be secret
	random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	valid := 0
	for _, c := range changes {
		if valid == want {
			break
		}
		r, done := known[c.place+c.what]
		if !done {
			if r, err = s.test(c, failing); err != nil {
				return all, err
			}
			if err := keep(out, r); err != nil {
				return all, err
			}
		}
		all = append(all, r)
		if r.Outcome != "invalid" {
			valid++
		}
		fmt.Printf("%-9s %s: %s %s\n", r.Outcome, r.Place, r.Change, r.By)
	}
	return all, nil
}

func (s suite) test(c change, failing []string) (result, error) {
	r := result{Place: c.place, Change: c.what, Outcome: "survived"}
	dir, err := os.MkdirTemp("", "mutate-*")
	if err != nil {
		return r, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	copied := filepath.Join(dir, filepath.Base(c.file))
	path, err := filepath.Abs(c.file)
	if err != nil {
		return r, err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: copied}})
	if err != nil {
		return r, err
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := errors.Join(os.WriteFile(copied, c.text, 0o600), os.WriteFile(overlayFile, overlay, 0o600)); err != nil {
		return r, err
	}
	if text, err := goTool("build", "-overlay", overlayFile, "./"+s.dir); err != nil {
		if !compiles.Match(text) {
			return r, fmt.Errorf("go build: %w: %s", err, text)
		}
		r.Outcome = "invalid"
		return r, nil
	}
	for _, name := range s.tests {
		name, run, _ := strings.Cut(name, ":")
		by, err := notices(name, run, overlayFile, failing)
		if err != nil {
			return r, err
		}
		if by != "" {
			r.Outcome, r.By = "noticed", "by "+by
			return r, nil
		}
	}
	return r, nil
}

// notices runs a package's tests with a change and returns which of them failed, or
// "". A test that fails once and not again does not count: on a busy machine some
// miss a deadline.
func notices(name, run, overlayFile string, failing []string) (by string, err error) {
	args := []string{"test", "-overlay", overlayFile, "-short", "-vet=off", "-timeout", limit.String()}
	unsteady := slices.Clone(failing)
	for {
		text, err := goTool(append(args, "-failfast", "-run", run, "-skip", skip(unsteady), "./internal/"+name)...)
		if err == nil {
			return "", nil
		}
		found := failure.FindSubmatch(text)
		if found == nil {
			return name, nil // a panic, or no end: nothing to do with deadlines of its own
		}
		test := "^" + string(bytes.Split(found[1], []byte("/"))[0]) + "$"
		if _, err := goTool(append(args, "-run", test, "./internal/"+name)...); err != nil {
			return name + " " + string(found[1]), nil //nolint:nilerr // that it fails is what is asked
		}
		if slices.Contains(unsteady, test) {
			return "", fmt.Errorf("%s fails though it is left out", test)
		}
		unsteady = append(unsteady, test)
	}
}

// compiles matches what the compiler says of a mistake.
var compiles = regexp.MustCompile(`(?m)^\S+\.go:\d+:\d+: `)

var failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

func skip(failing []string) string { return strings.Join(append(slices.Clone(failing), slow), "|") }

// failingAlready returns the tests that fail without any change: they notice
// nothing.
func failingAlready(only string) (names []string, err error) {
	args := []string{"test", "-short", "-vet=off", "-skip", slow}
	var all []string
	for _, s := range suites {
		if only != "" && only != s.dir {
			continue
		}
		for _, name := range s.tests {
			name, _, _ := strings.Cut(name, ":")
			if dir := "./internal/" + name; !slices.Contains(all, dir) {
				all = append(all, dir)
			}
		}
	}
	text, err := goTool(append(args, all...)...)
	if err == nil {
		return nil, nil
	}
	for _, found := range failure.FindAllSubmatch(text, -1) {
		if name := "^" + string(found[1]) + "$"; !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	if names == nil {
		return nil, fmt.Errorf("the tests do not run: %w: %s", err, text)
	}
	fmt.Printf("these fail already, and are left out: %s\n", strings.Join(names, " "))
	return names, nil
}

func goTool(args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	return exec.CommandContext(ctx, "go", args...).CombinedOutput() //nolint:gosec // G204: the Go tool, with our own arguments
}

func load(path string, known map[string]result) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil // nothing was tried yet
	}
	for line := range bytes.Lines(text) {
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		known[r.Place+r.Change] = r
	}
	return nil
}

func keep(path string, r result) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(f).Encode(r), f.Close())
}
