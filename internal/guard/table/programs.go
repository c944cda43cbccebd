package table

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// programs are all programs that safe and restricted mode allow.
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
	"du":     {verdict.ModeSafe, "adds up sizes", false, standard(duSpec, listOperands)},
	"tree":   {verdict.ModeSafe, "lists folders", false, standard(treeSpec, listOperands)},
	"stat":   {verdict.ModeSafe, "prints metadata", false, standard(statSpec, listOperands)},
	"diff":   {verdict.ModeSafe, "compares files", false, checkDiff},
	"free":   {verdict.ModeSafe, "prints memory use", false, standard(freeSpec, noOperands)},

	"cd":        {verdict.ModeSafe, "changes the folder for what depends on it", true, checkCd},
	"true":      {verdict.ModeSafe, "succeeds", true, checkStatus},
	"false":     {verdict.ModeSafe, "fails", true, checkStatus},
	"test":      {verdict.ModeSafe, "tests a file", false, checkTest},
	"sort":      {verdict.ModeSafe, "sorts lines", false, standard(sortSpec, readOperands)},
	"uniq":      {verdict.ModeSafe, "drops repeated lines", false, standard(uniqSpec, oneOperand)},
	"cut":       {verdict.ModeSafe, "prints fields", false, standard(cutSpec, readOperands)},
	"tr":        {verdict.ModeSafe, "replaces characters", false, standard(trSpec, trOperands)},
	"nl":        {verdict.ModeSafe, "numbers lines", false, standard(nlSpec, readOperands)},
	"comm":      {verdict.ModeSafe, "compares sorted files", false, standard(commSpec, readOperands)},
	"sed":       {verdict.ModeSafe, "selects and substitutes lines", false, checkSed},
	"jq":        {verdict.ModeSafe, "queries JSON", false, checkJq},
	"rg":        {verdict.ModeSafe, "searches files", false, checkRg},
	"xxd":       {verdict.ModeSafe, "prints bytes", false, standard(xxdSpec, oneOperand)},
	"md5sum":    {verdict.ModeSafe, "prints checksums", false, standard(sumSpec, readOperands)},
	"sha1sum":   {verdict.ModeSafe, "prints checksums", false, standard(sumSpec, readOperands)},
	"sha256sum": {verdict.ModeSafe, "prints checksums", false, standard(sumSpec, readOperands)},
	"sha512sum": {verdict.ModeSafe, "prints checksums", false, standard(sumSpec, readOperands)},
	"b2sum":     {verdict.ModeSafe, "prints checksums", false, standard(sumSpec, readOperands)},
	"cksum":     {verdict.ModeSafe, "prints checksums", false, standard(whoSpec, readOperands)},
	"paste":     {verdict.ModeSafe, "joins lines", false, standard(plainSpec("paste"), readOperands)},
	"join":      {verdict.ModeSafe, "joins files by a field", false, standard(plainSpec("join"), readOperands)},
	"tac":       {verdict.ModeSafe, "prints files backwards", false, standard(plainSpec("tac"), readOperands)},
	"rev":       {verdict.ModeSafe, "prints lines backwards", false, standard(plainSpec("rev"), readOperands)},
	"fold":      {verdict.ModeSafe, "breaks lines", false, standard(plainSpec("fold"), readOperands)},
	"expand":    {verdict.ModeSafe, "replaces tabs", false, standard(plainSpec("expand"), readOperands)},
	"unexpand":  {verdict.ModeSafe, "replaces spaces", false, standard(plainSpec("unexpand"), readOperands)},
	"column":    {verdict.ModeSafe, "prints columns", false, standard(plainSpec("column"), readOperands)},
	"cmp":       {verdict.ModeSafe, "compares bytes", false, standard(plainSpec("cmp"), readOperands)},
	"strings":   {verdict.ModeSafe, "prints text in binaries", false, standard(plainSpec("strings"), readOperands)},
	"od":        {verdict.ModeSafe, "prints bytes", false, standard(plainSpec("od"), readOperands)},
	"hexdump":   {verdict.ModeSafe, "prints bytes", false, standard(plainSpec("hexdump"), readOperands)},
	"base64":    {verdict.ModeSafe, "encodes and decodes", false, standard(plainSpec("base64"), readOperands)},
	"basename":  {verdict.ModeSafe, "prints a part of a path", false, standard(nameSpec, textOperands)},
	"dirname":   {verdict.ModeSafe, "prints a part of a path", false, standard(nameSpec, textOperands)},
	"realpath":  {verdict.ModeSafe, "prints where a path leads", false, standard(realSpec, listOperands)},
	"readlink":  {verdict.ModeSafe, "prints where a link leads", false, standard(realSpec, listOperands)},
	"seq":       {verdict.ModeSafe, "prints numbers", false, standard(seqSpec, textOperands)},
	"printf":    {verdict.ModeSafe, "prints its arguments", false, checkPrintf},
	"uname":     {verdict.ModeSafe, "prints about the machine", false, standard(unameSpec, noOperands)},
	"nproc":     {verdict.ModeSafe, "prints the number of processors", false, standard(nprocSpec, noOperands)},
	"id":        {verdict.ModeSafe, "prints the user's name", false, standard(idSpec, noOperands)},
	"uptime":    {verdict.ModeSafe, "prints how long the machine has been running", false, standard(uptimeSpec, noOperands)},

	"command":  {verdict.ModeSafe, "says where a program is", true, checkCommand},
	"[":        {verdict.ModeSafe, "tests a file", false, checkBracket},
	"hostname": {verdict.ModeSafe, "prints the machine's name", false, standard(hostnameSpec, noOperands)},
	"groups":   {verdict.ModeSafe, "prints the user's groups", false, standard(whoSpec, noOperands)},
	"arch":     {verdict.ModeSafe, "prints the kind of machine", false, standard(whoSpec, noOperands)},
	"lscpu":    {verdict.ModeSafe, "prints about processors", false, standard(lscpuSpec, noOperands)},
	"expr":     {verdict.ModeSafe, "calculates", false, standard(whoSpec, wordOperands)},
	"cal":      {verdict.ModeSafe, "prints a calendar", false, standard(calSpec, wordOperands)},
	"fmt":      {verdict.ModeSafe, "breaks lines", false, standard(plainSpec("fmt"), readOperands)},
	"pgrep":    {verdict.ModeSafe, "finds processes", false, standard(pgrepSpec, wordOperands)},
	"zcat":     {verdict.ModeSafe, "prints packed files", false, standard(whoSpec, readOperands)},
	"gzip":     {verdict.ModeSafe, "prints packed files", false, checkGzip},
	"gunzip":   {verdict.ModeSafe, "prints packed files", false, checkGzip},
	"tar":      {verdict.ModeSafe, "lists an archive", false, checkTar},
	"unzip":    {verdict.ModeSafe, "lists an archive", false, checkUnzip},

	"git":     {verdict.ModeRestricted, "version control without its hooks", false, checkGit},
	"npm":     {verdict.ModeRestricted, "installs packages and runs scripts", false, checkNpm},
	"pip":     {verdict.ModeRestricted, "installs and shows packages", false, checkPip},
	"pip3":    {verdict.ModeRestricted, "installs and shows packages", false, checkPip},
	"python":  {verdict.ModeRestricted, "runs a script of the workspace", false, checkPython},
	"python3": {verdict.ModeRestricted, "runs a script of the workspace", false, checkPython},
	"node":    {verdict.ModeRestricted, "runs a script of the workspace", false, checkNode},
	"pytest":  {verdict.ModeRestricted, "runs tests", false, checkPytest},
	"cargo":   {verdict.ModeRestricted, "builds, tests and runs", false, checkCargo},
	"npx":     {verdict.ModeRestricted, "runs a program that is installed in the project", false, checkNpx},
	"pnpm":    {verdict.ModeRestricted, "installs packages and runs scripts", false, checkManager},
	"yarn":    {verdict.ModeRestricted, "installs packages and runs scripts", false, checkManager},
	"go":      {verdict.ModeRestricted, "builds, tests and runs", false, checkGo},
	"gofmt":   {verdict.ModeRestricted, "formats files", false, standard(gofmtSpec, writeOrNothing)},
	"make":    {verdict.ModeRestricted, "makes targets of the project", false, checkMake},
	"uv":      {verdict.ModeRestricted, "runs programs of the project's environment", false, checkUv},
	"ruff":    {verdict.ModeRestricted, "checks and formats", false, checkRuff},
	"mypy":    {verdict.ModeRestricted, "checks types", false, standard(mypySpec, workOperands)},
	"black":   {verdict.ModeRestricted, "formats files", false, standard(blackSpec, writeOperands)},
	"isort":   {verdict.ModeRestricted, "sorts imports", false, standard(isortSpec, writeOperands)},
	"flake8":  {verdict.ModeRestricted, "checks files", false, standard(flake8Spec, workOperands)},
	"mkdir":   {verdict.ModeRestricted, "makes folders", false, standard(mkdirSpec, writeOperands)},
	"touch":   {verdict.ModeRestricted, "makes files", false, standard(touchSpec, writeOperands)},
	"cp":      {verdict.ModeRestricted, "copies files", false, checkCopy(cpSpec, copySource)},
	"mv":      {verdict.ModeRestricted, "moves files", false, checkCopy(mvSpec, moveSource)},
	"rm":      {verdict.ModeRestricted, "removes files of the workspace", false, standard(rmSpec, removeOperands)},
	"rmdir":   {verdict.ModeRestricted, "removes empty folders", false, standard(rmdirSpec, removeOperands)},
	"chmod":   {verdict.ModeRestricted, "changes rights of files", false, checkChmod},
	"tee":     {verdict.ModeRestricted, "writes files of the workspace", false, standard(teeSpec, writeOperands)},

	"goimports":     {verdict.ModeRestricted, "formats files", false, standard(gofmtSpec, writeOrNothing)},
	"staticcheck":   {verdict.ModeRestricted, "checks Go code", false, checkStaticcheck},
	"golangci-lint": {verdict.ModeRestricted, "checks Go code", false, checkGolangci},
}

// Programs returns the sorted names of the programs that a mode allows. For yolo
// mode, which allows any program, it returns none.
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
	replaced, err := listOperands(g, p)
	return p.build(replaced), err
}

// checkGrep checks grep, whose first operand is the pattern unless -e or -f gives
// one.
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
	recursive := p.has("-r", "-R", "--recursive", "--dereference-recursive", "-d", "--directories")
	if recursive {
		accept = g.readableTree
		if len(p.operands) <= first {
			if err := accept("."); err != nil {
				return nil, err
			}
		}
	}
	replaced, err := g.paths(p, first, accept)
	if err != nil {
		return nil, err
	}
	argv := p.build(replaced)
	if recursive {
		argv = append(excluded("--exclude="), argv...)
	}
	return argv, nil
}

// excluded returns the options that exclude secret files from a tree that is
// read.
func excluded(option string) []string {
	globs := paths.SecretFileGlobs()
	out := make([]string, len(globs))
	for i, glob := range globs {
		out[i] = option + glob
	}
	return out
}

// tailOperands refuses the obsolete option syntax +5 and +5f.
func tailOperands(g *guard, p *parsed) (map[int][]string, error) {
	for i := range p.operands {
		if strings.HasPrefix(p.operand(i).Text, "+") {
			return nil, verdict.Refuse(verdict.BadOperand, "an operand that begins with + is not allowed: use -n +N")
		}
	}
	return readOperands(g, p)
}

// dateOperands allows only a format, since any other operand would set the clock.
func dateOperands(_ *guard, p *parsed) (map[int][]string, error) {
	for i := range p.operands {
		if w := p.operand(i); !strings.HasPrefix(w.Text, "+") || w.IsGlob() {
			return nil, verdict.Refuse(verdict.BadOptionValue, "date must not set the clock: write a format such as +%%F")
		}
	}
	if len(p.operands) > 1 {
		return nil, verdict.Refuse(verdict.BadOptionValue, "only one format is allowed: leave the others out")
	}
	return nil, nil
}

func checkDate(_ *guard, value string) error {
	if strings.Contains(strings.ToUpper(value), "TZ") {
		return verdict.Refuse(verdict.BadOptionValue, "a time zone in the date would name a file: use -u")
	}
	return nil
}

// dfPlaces are mount points whose sizes may be read in addition to the read
// roots.
var dfPlaces = map[string]bool{"/": true, "/home": true, "/tmp": true, "/var": true, "/boot": true, "/mnt": true}

func dfOperands(g *guard, p *parsed) (map[int][]string, error) {
	return g.paths(p, 0, func(name string) error {
		if dfPlaces[name] {
			return nil
		}
		return g.listable(name)
	})
}

// checkDiff adds --no-dereference when folders are compared, recursively or not:
// diff would otherwise follow links out of the tree.
func checkDiff(g *guard, args []Word) ([]string, error) {
	p, err := diffSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	accept, folders := g.readable, p.has("-r", "--recursive")
	for i := range p.operands {
		folders = folders || g.isFolder(p.operand(i).Text)
	}
	if folders {
		accept = g.readableTree
	}
	replaced, err := g.paths(p, 0, accept)
	if err != nil {
		return nil, err
	}
	argv := p.build(replaced)
	if folders && !p.has("--no-dereference") {
		argv = append(append([]string{"--no-dereference"}, excluded("--exclude=")...), argv...)
	}
	return argv, nil
}

// isFolder reports whether a name leads to an existing folder.
func (g *guard) isFolder(name string) bool {
	if !paths.IsAbs(name) {
		name = paths.Join(g.dir, name)
	}
	actual, err := paths.Resolve(g.world.FS, name)
	if err != nil {
		return false
	}
	info, err := g.world.FS.Lstat(actual)
	return err == nil && info.IsDir()
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
			return nil, verdict.Refuse(verdict.BadOperand, "pwd takes no such argument: use only -L or -P")
		}
	}
	return plain(args), nil
}

// checkEnv allows env to print the environment, but not to run a program or set a
// variable.
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
