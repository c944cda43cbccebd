package table

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// programs are all programs that safe and restricted mode know.
var programs = map[string]program{
	"ls":     {verdict.ModeSafe, "lists files", false, checkLs},
	"cat":    {verdict.ModeSafe, "prints files", false, standard(catSpec, readOperands)},
	"grep":   {verdict.ModeSafe, "searches files", false, checkGrep},
	"find":   {verdict.ModeSafe, "finds files", false, checkFind},
	"head":   {verdict.ModeSafe, "prints the start of files", false, standard(headSpec, readOperands)},
	"tail":   {verdict.ModeSafe, "prints the end of files", false, standard(tailSpec, tailOperands)},
	"wc":     {verdict.ModeSafe, "counts", false, standard(wcSpec, readOperands)},
	"echo":   {verdict.ModeSafe, "prints its arguments", true, checkEcho},
	"pwd":    {verdict.ModeSafe, "prints the working folder", true, checkPwd},
	"whoami": {verdict.ModeSafe, "prints the user's name", false, standard(whoSpec, noOperands)},
	"date":   {verdict.ModeSafe, "prints the time", false, standard(dateSpec, dateOperands)},
	"env":    {verdict.ModeSafe, "prints the sandbox's environment", true, checkEnv},
	"which":  {verdict.ModeSafe, "says where a program is", true, checkNames("-a")},
	"type":   {verdict.ModeSafe, "says what a name means", true, checkNames("-a -t -p -P -f")},
	"file":   {verdict.ModeSafe, "guesses file types", false, standard(fileSpec, readOperands)},
	"ps":     {verdict.ModeSafe, "lists processes", false, checkPs},
	"df":     {verdict.ModeSafe, "prints free space", false, standard(dfSpec, dfOperands)},
	"du":     {verdict.ModeSafe, "adds up sizes", false, standard(duSpec, readOperands)},
	"tree":   {verdict.ModeSafe, "lists folders", false, standard(treeSpec, readOperands)},
	"stat":   {verdict.ModeSafe, "prints metadata", false, standard(statSpec, readOperands)},
	"diff":   {verdict.ModeSafe, "compares files", false, checkDiff},
	"free":   {verdict.ModeSafe, "prints memory use", false, standard(freeSpec, noOperands)},

	"git":     {verdict.ModeRestricted, "version control without its hooks", false, checkGit},
	"npm":     {verdict.ModeRestricted, "installs packages and runs scripts", false, checkNpm},
	"pip":     {verdict.ModeRestricted, "installs and shows packages", false, checkPip},
	"pip3":    {verdict.ModeRestricted, "installs and shows packages", false, checkPip},
	"python":  {verdict.ModeRestricted, "runs a script of the workspace", false, checkPython},
	"python3": {verdict.ModeRestricted, "runs a script of the workspace", false, checkPython},
	"node":    {verdict.ModeRestricted, "runs a script of the workspace", false, checkNode},
	"pytest":  {verdict.ModeRestricted, "runs tests", false, checkPytest},
	"cargo":   {verdict.ModeRestricted, "builds, tests and runs", false, checkCargo},
}

// Programs are the names of the programs that a mode knows, sorted. Yolo mode
// knows any program, and gives none.
func Programs(mode verdict.Mode) []string {
	var out []string
	for name, p := range programs {
		if mode != verdict.ModeYolo && p.mode.Within(mode) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func checkLs(g *guard, args []Word) ([]string, error) {
	p, err := lsSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if p.has("-L", "--dereference") && p.has("-R", "--recursive") {
		return nil, verdict.Refuse(verdict.UnknownOption, "-L with -R would follow links out of the tree: leave out -L")
	}
	replaced, err := readOperands(g, p)
	return p.build(replaced), err
}

// checkGrep knows that the first operand is the pattern, unless -e or -f gave one.
func checkGrep(g *guard, args []Word) ([]string, error) {
	p, err := grepSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	first := 1
	if p.has("-e", "-f", "--regexp", "--file") {
		first = 0
	}
	if err := p.noGlobs(first); err != nil {
		return nil, err
	}
	accept := g.readable
	if p.has("-r", "-R", "--recursive", "--dereference-recursive", "-d", "--directories") {
		accept = g.readableTree
		if len(p.operands) <= first {
			if err := accept("."); err != nil {
				return nil, err
			}
		}
	}
	replaced, err := g.paths(p, first, accept)
	return p.build(replaced), err
}

// tailOperands refuses +5 and +5f: the old syntax for options.
func tailOperands(g *guard, p *parsed) (map[int][]string, error) {
	for i := range p.operands {
		if strings.HasPrefix(p.operand(i).Text, "+") {
			return nil, verdict.Refuse(verdict.BadOperand, "an operand that begins with + is not allowed: use -n +N")
		}
	}
	return readOperands(g, p)
}

// dateOperands allows only a format: any other operand would set the clock.
func dateOperands(_ *guard, p *parsed) (map[int][]string, error) {
	for i := range p.operands {
		if w := p.operand(i); !strings.HasPrefix(w.Text, "+") || w.IsGlob() {
			return nil, verdict.Refuse(verdict.BadOptionValue, "the clock is never set: write a format such as +%%F")
		}
	}
	if len(p.operands) > 1 {
		return nil, verdict.Refuse(verdict.BadOptionValue, "only one format is allowed")
	}
	return nil, nil
}

func checkDate(_ *guard, value string) error {
	if strings.Contains(strings.ToUpper(value), "TZ") {
		return verdict.Refuse(verdict.BadOptionValue, "a time zone in the date would name a file: use -u")
	}
	return nil
}

// dfPlaces are mount points whose sizes may be asked for besides the read roots.
var dfPlaces = map[string]bool{"/": true, "/home": true, "/tmp": true, "/var": true, "/boot": true, "/mnt": true}

func dfOperands(g *guard, p *parsed) (map[int][]string, error) {
	return g.paths(p, 0, func(name string) error {
		if dfPlaces[name] {
			return nil
		}
		return g.readable(name)
	})
}

// checkDiff adds --no-dereference to a recursive comparison: diff would
// otherwise follow the links it meets out of the tree.
func checkDiff(g *guard, args []Word) ([]string, error) {
	p, err := diffSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	accept, recursive := g.readable, p.has("-r", "--recursive")
	if recursive {
		accept = g.readableTree
	}
	replaced, err := g.paths(p, 0, accept)
	if err != nil {
		return nil, err
	}
	argv := p.build(replaced)
	if recursive && !p.has("--no-dereference") {
		argv = append([]string{"--no-dereference"}, argv...)
	}
	return argv, nil
}

func checkEcho(_ *guard, args []Word) ([]string, error) {
	out := make([]string, 0, len(args))
	for _, w := range args {
		if w.IsGlob() {
			return nil, verdict.Refuse(verdict.ShellGlob, "%s is an unquoted glob: quote it, or list files with ls", verdict.Short(w.Text))
		}
		out = append(out, w.Text)
	}
	return out, nil
}

func checkPwd(_ *guard, args []Word) ([]string, error) {
	for _, w := range args {
		if w.Text != "-L" && w.Text != "-P" {
			return nil, verdict.Refuse(verdict.BadOperand, "pwd takes no such argument: only -L and -P are allowed")
		}
	}
	return plain(args), nil
}

// checkEnv allows env to print, never to run or to set.
func checkEnv(_ *guard, args []Word) ([]string, error) {
	for _, w := range args {
		if w.Text != "-0" && w.Text != "--null" {
			return nil, verdict.Refuse(verdict.BadOperand, "env may only print: leave its operands and options out")
		}
	}
	return plain(args), nil
}

func checkNames(options string) func(*guard, []Word) ([]string, error) {
	allowed := strings.Fields(options)
	return func(_ *guard, args []Word) ([]string, error) {
		for _, w := range args {
			switch {
			case strings.HasPrefix(w.Text, "-") && !slices.Contains(allowed, w.Text):
				return nil, unknownOption(w.Text)
			case w.IsGlob() || strings.Contains(w.Text, "/") || w.Text == "":
				return nil, verdict.Refuse(verdict.BadOperand, "%s is not a program name: write a bare name", verdict.Short(w.Text))
			}
		}
		return plain(args), nil
	}
}

func plain(args []Word) []string {
	out := make([]string, len(args))
	for i, w := range args {
		out[i] = w.Text
	}
	return out
}
