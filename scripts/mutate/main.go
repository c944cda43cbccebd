// Command mutate changes the program's source in small ways, one at a time, and
// checks whether the tests notice. A change that no test notices is a survivor: a
// line that could be wrong without anybody knowing.
//
// It writes nothing into the source: the compiler is given changed copies
// (go help build, -overlay). The choice is random and repeatable: the same seed
// on the same source gives the same changes. Most changes are compiled into one
// program and switched on one at a time; each meets only tests that reach it.
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
)

func main() {
	n := flag.Int("n", 200, "how many changes in all")
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

func run(n int, seed uint64, only, out string) (survivors int, err error) {
	tried := map[string]result{}
	if err := load(out, tried); err != nil {
		return 0, err
	}
	chosen, sources, err := choose(n, seed, only)
	if err != nil {
		return 0, err
	}
	var open []change
	for _, c := range chosen {
		if _, done := tried[c.key()]; !done {
			open = append(open, c)
		}
	}
	report := func(c change, r result) error {
		tried[c.key()] = r
		fmt.Printf("%-9s %s: %s %s\n", r.Outcome, r.Place, r.Change, r.By)
		return keep(out, r)
	}
	if err := tryAll(open, sources, report); err != nil {
		return 0, err
	}
	return summary(chosen, tried), nil
}

func summary(chosen []change, tried map[string]result) (survivors int) {
	var left []result
	for _, c := range chosen {
		if r := tried[c.key()]; r.Outcome == "survived" {
			left = append(left, r)
		}
	}
	fmt.Printf("\n%d changes, %d noticed, %d survived (%.1f %%)\n",
		len(chosen), len(chosen)-len(left), len(left), 100*float64(len(left))/float64(max(1, len(chosen))))
	for _, r := range left {
		fmt.Printf("survived: %s: %s\n", r.Place, r.Change)
	}
	return len(left)
}

// choose takes so many changes that compile, each package its share.
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
