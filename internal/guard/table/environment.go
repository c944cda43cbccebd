package table

import (
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// settable are the variables that may be set before a command, with the narrowest
// mode that allows it. They choose how a program prints, or what a project's own
// code does. None names code to load, except where check restricts the value.
var settable = []struct {
	mode  verdict.Mode
	names string
	why   string
	check func(g *guard, value string) error
}{
	{verdict.ModeSafe, "LC_ALL LC_COLLATE LC_CTYPE LC_MESSAGES LC_NUMERIC LC_TIME LANG LANGUAGE", "language and order", plainValue},
	{verdict.ModeSafe, "NO_COLOR CLICOLOR CLICOLOR_FORCE FORCE_COLOR COLUMNS LINES TERM", "decoration", plainValue},
	{verdict.ModeSafe, "TZ", "time zone; a name, never a file", zoneValue},
	{verdict.ModeRestricted, "CI NODE_ENV APP_ENV ENVIRONMENT RAILS_ENV RACK_ENV FLASK_ENV MIX_ENV TEST_ENV BABEL_ENV DEBUG VERBOSE V LOG_LEVEL PORT HOST DJANGO_SETTINGS_MODULE FLASK_APP FLASK_DEBUG", "read by the project's own code", plainValue},
	{verdict.ModeRestricted, "RUST_BACKTRACE RUST_LOG RUST_MIN_STACK RUST_TEST_THREADS CARGO_TERM_COLOR CARGO_INCREMENTAL CARGO_NET_OFFLINE CARGO_BUILD_JOBS ", "how cargo and its programs behave", plainValue},
	{verdict.ModeRestricted, "GOOS GOARCH GOARM GOAMD64 CGO_ENABLED GOMAXPROCS GOTRACEBACK GORACE GODEBUG GO111MODULE", "how go and its programs behave", plainValue},
	{verdict.ModeRestricted, "PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONHASHSEED PYTHONUTF8 PYTHONIOENCODING PYTHONFAULTHANDLER PYTHONDEVMODE", "how python behaves", plainValue},
	{verdict.ModeRestricted, "PYTHONPATH NODE_PATH", "folders of the workspace", foldersOfWorkspace},
	{verdict.ModeRestricted, "VITEST JEST_WORKERS UPDATE_SNAPSHOTS UPDATE_GOLDEN SNAPSHOT_UPDATE HUSKY HUSKY_SKIP_HOOKS SKIP_PREFLIGHT_CHECK DISABLE_ESLINT_PLUGIN TS_NODE_TRANSPILE_ONLY NEXT_TELEMETRY_DISABLED DO_NOT_TRACK ADBLOCK DISABLE_OPENCOLLECTIVE PUPPETEER_SKIP_DOWNLOAD PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "how tests and builds behave", plainValue},
	{verdict.ModeRestricted, "GIT_PAGER PAGER", "how output is shown", func(_ *guard, value string) error { return oneOf("cat")(nil, value) }},
}

// environment checks the assignments before a command.
func (g *guard) environment(assigns []Assignment) ([]string, error) {
	var out []string
	for _, a := range assigns {
		if err := g.oneSetting(a); err != nil {
			return nil, err
		}
		out = append(out, a.Name+"="+a.Value)
	}
	return out, nil
}

func (g *guard) oneSetting(a Assignment) error {
	for _, row := range settable {
		for name := range strings.FieldsSeq(row.names) {
			if name != a.Name {
				continue
			}
			if !row.mode.Within(g.mode) {
				return verdict.Refuse(verdict.NeedsRestricted, "setting %s needs restricted mode: leave the assignment out", a.Name)
			}
			if err := row.check(g, a.Value); err != nil {
				return err
			}
			return nil
		}
	}
	return verdict.Refuse(verdict.ShellAssignment, "variable %s may not be set before a command: leave the assignment out", verdict.Short(a.Name))
}

// plainValue accepts letters, digits and a few signs, and neither paths nor
// expansions.
func plainValue(_ *guard, value string) error {
	for i := range len(value) {
		c := value[i]
		alnum := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		if !alnum && strings.IndexByte("_.,:@%+=*- ", c) < 0 {
			return verdict.Refuse(verdict.ShellAssignment, "this value may not be set before a command: write a plain word or number")
		}
	}
	if len(value) > 200 {
		return verdict.Refuse(verdict.ShellAssignment, "this value is too long: write a plain word or number")
	}
	return nil
}

func zoneValue(_ *guard, value string) error {
	if strings.HasPrefix(value, "/") || strings.HasPrefix(value, ":") || strings.Contains(value, "..") {
		return verdict.Refuse(verdict.ShellAssignment, "a time zone must not name a file: write a name such as UTC or Europe/Berlin")
	}
	return plainValue(nil, strings.ReplaceAll(value, "/", "_"))
}

func foldersOfWorkspace(g *guard, value string) error {
	for dir := range strings.SplitSeq(value, ":") {
		if dir == "" {
			continue
		}
		if err := g.inWorkspace(dir); err != nil {
			return err
		}
		if paths.HasGlob(dir) {
			return verdict.Refuse(verdict.ShellAssignment, "a folder must be written literally")
		}
	}
	return nil
}
