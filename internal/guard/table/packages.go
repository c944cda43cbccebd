package table

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// npx runs programs that are installed in the project. --no-install is added, so
// that it never downloads anything. Not allowed are -p, --package, -c, --call,
// -y, --yes and --registry.
var npxSpec = table([]row{
	{names: "--no-install --no -q --quiet", why: "fetches nothing, prints less"},
	{names: "--version", why: "prints about itself"},
}, withWholeTokens, stopAtOperand)

func checkNpx(g *guard, args []Word) ([]string, error) {
	if len(args) > 0 && args[0].Text == "--" {
		args = args[1:]
	}
	p, err := npxSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if len(p.operands) == 0 {
		if p.has("--version") {
			return []string{"--version"}, nil
		}
		return nil, verdict.Refuse(verdict.BadOperand, "no program is named: write npx NAME for one that is installed in the project")
	}
	rest, err := g.installedProgram(args[p.operands[0]:])
	if err != nil {
		return nil, err
	}
	return append([]string{"--no-install"}, rest...), nil
}

// runsAnything are programs in package folders that run any command they are
// given, so that no table can check what they start.
var runsAnything = strings.Fields("npm npx pnpm yarn bun node sh bash env cross-env cross-env-shell concurrently npm-run-all run-s run-p nodemon dotenv dotenvx env-cmd shx rimraf del-cli cpx degit create-react-app http-server serve ts-node tsx zx execa wait-on start-server-and-test chokidar onchange husky lint-staged curl wget git ssh rm cp mv chmod sudo python python3 perl ruby php deno bash zsh docker make")

// installedProgram checks NAME ARG..., where NAME is a program of the project's
// packages. Its arguments are data for that program.
func (g *guard) installedProgram(args []Word) ([]string, error) {
	for _, w := range args {
		if w.IsGlob() {
			return nil, verdict.Refuse(verdict.ShellGlob, "%s is an unquoted glob: quote it with '...'", verdict.Short(w.Text))
		}
	}
	name := args[0].Text
	bare := name
	if strings.HasPrefix(name, "@") {
		scope, rest, ok := strings.Cut(name[1:], "/")
		if !ok || !isPackageName(scope) {
			return nil, verdict.Refuse(verdict.PackageSource, "%s is not the name of an installed program", verdict.Short(name))
		}
		bare = rest
	}
	if !isPackageName(bare) {
		return nil, verdict.Refuse(verdict.PackageSource, "%s is not the name of an installed program: leave the version out, since nothing is downloaded", verdict.Short(name))
	}
	if slices.Contains(runsAnything, bare) {
		return nil, verdict.Refuse(verdict.UnknownProgram, "%s runs other commands: name the program itself", verdict.Short(name))
	}
	for i, w := range args[1:] {
		if err := g.programArgument(w.Text, i); err != nil {
			return nil, err
		}
	}
	return plain(args), nil
}

// argumentsThatRun are options of common programs that load or run other code, or
// write to a given path.
var argumentsThatRun = strings.Fields("-r --require --import --loader --plugin --resolvePluginsRelativeTo --resolve-plugins-relative-to --rulesdir --parser --config -c --globalSetup --global-setup --setupFiles --testRunner --runner --environment --exec -e --eval --call --shell --script-shell --node-options --inspect --inspect-brk --open --reporter-path --outDir --outFile --output-file --output --out-dir -o --build-path --cacheDirectory --cache-location")

// programArgument checks an argument of a project's own program. It refuses
// secret paths, addresses, paths outside the workspace, and the options above.
func (g *guard) programArgument(text string, _ int) error {
	name, value, attached := strings.Cut(text, "=")
	if slices.Contains(argumentsThatRun, name) {
		if !attached || g.inWorkspace(value) != nil || strings.Contains(name, "exec") || strings.Contains(name, "eval") || strings.Contains(name, "shell") {
			return verdict.Refuse(verdict.UnknownOption, "option %s may load or run other code: put it into the project's own configuration", verdict.Short(name))
		}
		return g.writable(value)
	}
	if strings.Contains(text, "://") && !strings.Contains(text, "localhost") {
		return verdict.Refuse(verdict.BadOperand, "%s is an address: leave it out", verdict.Short(text))
	}
	if strings.HasPrefix(text, "/") || strings.HasPrefix(text, "..") || strings.HasPrefix(text, "~") {
		return g.inWorkspace(text)
	}
	if attached && (strings.HasPrefix(value, "/") || strings.HasPrefix(value, "..") || strings.HasPrefix(value, "~")) {
		return g.inWorkspace(value)
	}
	return g.checkData(text)
}

// managerRows are options of yarn and pnpm that change only how much is installed
// and printed.
var managerRows = []row{
	{names: "-s --silent --verbose --json --offline --prefer-offline --frozen-lockfile --no-frozen-lockfile --immutable --immutable-cache --check-cache --inline-builds --ignore-scripts --non-interactive --no-progress --production --pure-lockfile --lockfile-only --no-lockfile --no-optional --prod --dev -P -D --save-dev -E --save-exact --save-prod -O --save-optional --exact -W -w --workspace-root --ignore-workspace-root-check -r --recursive --if-present --parallel --stream --no-bail --version -v --help -h", why: "what is installed and printed"},
	{names: "--filter -F --workspace", value: keyword, why: "packages of this project"},
}

var managerSpec = table(managerRows, withWholeTokens)

// managerCommands are subcommands, and what may follow them.
var managerCommands = map[string]string{
	"install": "nothing", "i": "packages", "ci": "nothing", "add": "packages", "remove": "packages", "rm": "packages", "up": "packages", "update": "packages", "upgrade": "packages",
	"run": "script", "run-script": "script", "test": "script", "t": "script", "start": "script", "build": "script", "exec": "program",
	"list": "packages", "ls": "packages", "why": "packages", "outdated": "packages", "audit": "nothing", "dedupe": "nothing", "prune": "nothing", "fetch": "nothing",
}

// managerRefused are subcommands that download and run code, change settings, or
// publish.
var managerRefused = strings.Fields("dlx create init x config set get global link unlink publish plugin node npm login logout cache unplug import patch patch-commit env setup store server deploy pack rebuild root bin dir prefix version versions policies tag owner team info workspaces workspace constraints")

// checkManager checks yarn and pnpm.
func checkManager(g *guard, args []Word) ([]string, error) {
	at := 0
	for at < len(args) && strings.HasPrefix(args[at].Text, "-") && !args[at].IsGlob() {
		used, err := managerSpec.option(g, &parsed{argv: args}, at)
		if err != nil {
			return nil, err
		}
		at += 1 + used
	}
	if at >= len(args) {
		return plain(args), nil
	}
	name := args[at].Text
	kind := managerCommands[name]
	switch {
	case args[at].IsGlob() || slices.Contains(managerRefused, name) || (kind == "" && !isScriptName(name)):
		return nil, unknownSubcommand(name, "install add run test build exec list, or a script of package.json")
	case kind == "program":
		return g.managerProgram(args, at)
	case kind == "" || kind == "script":
		return g.managerScript(args, at, kind == "")
	}
	p, err := managerSpec.read(g, args[at+1:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if kind == "nothing" && len(p.operands) > 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "%s takes no package: use add", name)
	}
	if _, err := npmPackages(g, p); err != nil {
		return nil, err
	}
	return plain(args), p.noGlobs(len(p.operands))
}

// managerProgram checks exec [--] NAME ARG...
func (g *guard) managerProgram(args []Word, at int) ([]string, error) {
	rest := args[at+1:]
	if len(rest) > 0 && rest[0].Text == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 || strings.HasPrefix(rest[0].Text, "-") {
		return nil, verdict.Refuse(verdict.BadOperand, "no program is named: write exec NAME for one that is installed in the project")
	}
	if _, err := g.installedProgram(rest); err != nil {
		return nil, err
	}
	return plain(args), nil
}

// managerScript checks run NAME ARG..., test ARG... and NAME ARG...
func (g *guard) managerScript(args []Word, at int, bare bool) ([]string, error) {
	rest := args[at+1:]
	if args[at].Text == "run" || args[at].Text == "run-script" {
		if len(rest) > 0 && !isScriptName(rest[0].Text) {
			return nil, verdict.Refuse(verdict.BadOperand, "%s is not the name of a script: use a name of package.json's scripts", verdict.Short(rest[0].Text))
		}
		bare = true
		if len(rest) > 0 && slices.Contains(runsAnything, rest[0].Text) {
			return nil, verdict.Refuse(verdict.UnknownProgram, "%s runs other commands: name a script", verdict.Short(rest[0].Text))
		}
	}
	if bare && (slices.Contains(runsAnything, args[at].Text) || slices.Contains(strings.Fields("rm sudo curl wget dd chmod chown mv cp"), args[at].Text)) {
		return nil, verdict.Refuse(verdict.UnknownProgram, "%s is not a script: use a name of package.json's scripts", verdict.Short(args[at].Text))
	}
	for i, w := range rest {
		if w.IsGlob() {
			return nil, verdict.Refuse(verdict.ShellGlob, "%s is an unquoted glob: quote it with '...'", verdict.Short(w.Text))
		}
		if err := g.programArgument(w.Text, i); err != nil {
			return nil, err
		}
	}
	return plain(args), nil
}
