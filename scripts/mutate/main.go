// Command mutate changes the program's source in small ways, one at a time, and
// checks whether the tests notice. A change that no test notices is a survivor:
// the line could be wrong without anybody knowing.
//
// It does not write to the source: the compiler is given changed copies (go help
// build, -overlay). The selection is random and repeatable: the same seed on the
// same source gives the same changes. Most changes are compiled into one program
// and enabled one at a time; each is run only against tests that reach it.
//
//	go run ./scripts/mutate -n 160 -seed 1
//	go run ./scripts/mutate -only internal/auth -n 1000
//	go run ./scripts/mutate -known
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"
)

func main() {
	var o options
	flag.IntVar(&o.n, "n", 200, "how many changes in all")
	flag.Uint64Var(&o.seed, "seed", 1, "which ones")
	flag.StringVar(&o.only, "only", "", "one package, such as internal/auth")
	flag.StringVar(&o.out, "out", "", "append a JSON line for each change to this file, and skip changes that are already in it")
	flag.StringVar(&o.work, "work", "", "keep in this folder which tests reach which changes; a later run with the same -n, -seed, -only and source continues from it")
	flag.DurationVar(&o.most, "for", 0, "end after this time, such as 9m; with -work and -out another run continues")
	grave := flag.Bool("known", false, "try only the changes listed in known.go")
	flag.Parse()
	try := o.run
	if *grave {
		try = func() (int, error) { return tryKnown(o.only) }
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

// options determine what is tried, and for how long.
type options struct {
	n               int
	seed            uint64
	only, out, work string
	most            time.Duration
}

func (o options) run() (survivors int, err error) {
	t := &tests{dir: o.work}
	if o.most > 0 {
		t.until = time.Now().Add(o.most)
	}
	if o.work == "" {
		if t.dir, err = os.MkdirTemp("", "mutate-*"); err != nil {
			return 0, err
		}
		defer func() { _ = os.RemoveAll(t.dir) }()
	} else if err := os.MkdirAll(o.work, 0o700); err != nil {
		return 0, err
	}
	tried := map[string]result{}
	if err := load(o.out, tried); err != nil {
		return 0, err
	}
	chosen, sources, err := choose(o.n, o.seed, o.only)
	if err != nil {
		return 0, err
	}
	done := func(c change) bool { _, done := tried[c.key()]; return done }
	report := func(c change, r result) error {
		tried[c.key()] = r
		fmt.Printf("%-9s %s: %s %s\n", r.Outcome, r.Place, r.Change, r.By)
		return keep(o.out, r)
	}
	err = t.tryAll(chosen, done, sources, report)
	return summary(chosen, tried), err
}

func summary(chosen []change, tried map[string]result) (survivors int) {
	var left []result
	done := 0
	for _, c := range chosen {
		r, ok := tried[c.key()]
		if !ok {
			continue
		}
		done++
		if r.Outcome == "survived" {
			left = append(left, r)
		}
	}
	fmt.Printf("\n%d changes of %d tried, %d noticed, %d survived (%.1f %%)\n",
		done, len(chosen), done-len(left), len(left), 100*float64(len(left))/float64(max(1, done)))
	for _, r := range left {
		fmt.Printf("survived: %s: %s\n", r.Place, r.Change)
	}
	return len(left)
}

// choose selects n changes that compile, with each package's share.
func choose(n int, seed uint64, only string) (all []change, sources map[string]*source, err error) {
	var dirs []string
	total := 0
	for _, s := range suites {
		total += s.share
		if only == "" || only == s.dir {
			dirs = append(dirs, s.dir)
		}
	}
	if sources, err = loadSources(dirs); err != nil {
		return nil, nil, err
	}
	for _, s := range suites {
		if p := sources[s.dir]; p != nil {
			want := max(1, n*s.share/total)
			if only != "" {
				want = n
			}
			all = append(all, s.choose(p, want, seed)...)
		}
	}
	return all, sources, nil
}

func (s suite) choose(p *source, want int, seed uint64) (chosen []change) {
	changes := changesOf(p)
	random := rand.New(rand.NewPCG(seed, uint64(len(s.dir)))) //nolint:gosec // G404: to be repeated, not to be secret
	random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	helper := fmt.Appendf(nil, switches, p.name)
	for _, c := range changes {
		if len(chosen) == want {
			break
		}
		if slices.ContainsFunc(chosen, c.overlaps) || !p.compiles(c.file, c.text) {
			continue
		}
		text := switched(p.text(c.file), []change{c}, map[string]int{c.key(): 1})
		if c.switched != "" && !p.compiles(c.file, text, helper) {
			c.switched = ""
		}
		chosen = append(chosen, c)
	}
	return chosen
}
