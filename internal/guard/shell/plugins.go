package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// codeOptions load or run other code. They are refused if the value lies in a
// shared folder; options that have no other use are refused whatever the value.
var codeOptions = map[string]string{
	"gcc": "-fplugin -wrapper -B", "g++": "-fplugin -wrapper -B", "cc": "-fplugin -wrapper -B", "c++": "-fplugin -wrapper -B", "clang": "-fplugin -B", "clang++": "-fplugin -B",
	"go": "-vettool -toolexec -exec", "java": "-javaagent -agentlib -agentpath -XX:OnError -XX:OnOutOfMemoryError", "nmap": "--interactive", "cargo": "--config", "mpv": "--script", "pandoc": "-F --filter --lua-filter -L",
	"rustc": "-C", "hg": "--config", "tcpdump": "-z", "gdb": "-x --command", "ssh": "-F", "aria2c": "--on-download-complete --on-download-error", "sqlite3": "-init", "dotnet": "exec", "xdg-open": "", "gio": "launch",
}

// alwaysRunsCode are the options that are refused whatever their value.
const alwaysRunsCode = "-fplugin -wrapper -vettool -javaagent -agentlib -agentpath -XX:OnError -XX:OnOutOfMemoryError --interactive"

// fedInterpreters run commands from their input. They are everyday programs for
// data, so that only a download is refused as their input.
var fedInterpreters = expandNames([]struct{ names, why string }{
	{"m4 R octave gnuplot deno bun make gmake tclsh psql mysql mariadb sqlite3 duckdb redis-cli lftp ftp sftp dc bc sbcl clisp swipl ghci ocaml scheme racket nu ansible-playbook ansible maxima gp sage", "it can run commands"},
})

// loadsCode refuses options that load plugins or other code.
func (w *walker) loadsCode(inv invocation) error {
	options, ok := codeOptions[inv.name]
	if (loaders()[inv.name] != "" || inv.name == "make") && !w.namedFile(inv) {
		return verdict.Refuse(verdict.PipedCode, "%s must not read its code from a pipe or a substitution: put the code into a file", verdict.Short(inv.name))
	}
	if inv.in.fetched && fedInterpreters()[inv.name] != "" {
		return errDownloaded
	}
	if inv.name == "deno" || inv.name == "bun" {
		for _, a := range inv.args {
			if strings.HasPrefix(a.text, "http://") || strings.HasPrefix(a.text, "https://") {
				return errDownloaded
			}
		}
	}
	if !ok {
		return nil
	}
	for i, a := range inv.args {
		name, value, _ := strings.Cut(a.text, "=")
		for o := range strings.FieldsSeq(options) {
			if name != o && !strings.HasPrefix(a.text, o+":") && (len(o) != 2 || !strings.HasPrefix(a.text, o) || len(a.text) == 2) {
				continue
			}
			if value == "" && i+1 < len(inv.args) {
				value = inv.args[i+1].text
			}
			if inv.name == "rustc" && !strings.HasPrefix(value, "linker") && !strings.Contains(a.text, "linker=") {
				continue
			}
			if has(alwaysRunsCode, o) || inv.name == "rustc" || isSharedPlace(value) || isSharedPlace(strings.TrimPrefix(a.text, o)) || (inv.name == "cargo" && (strings.Contains(value, "runner") || strings.Contains(value, "wrapper") || strings.Contains(value, "linker"))) {
				return verdict.Refuse(verdict.UnknownCode, "option %s of %s runs or loads other code: leave it out", o, inv.name)
			}
		}
	}
	if inv.name == "xdg-open" && len(inv.args) > 0 && (isSharedPlace(inv.args[0].text) || strings.HasSuffix(inv.args[0].text, ".desktop")) {
		return verdict.Refuse(verdict.UnknownCode, "opening this file may start a program: name the program")
	}
	return nil
}

// namedFile reports whether make and similar programs read their rules from a
// real file, not from a pipe or a substitution.
func (w *walker) namedFile(inv invocation) bool {
	for i, a := range inv.args {
		if inv.name == "ant" && a.text == "/dev/stdin" {
			return false
		}
		if a.process || readsInput(inv, i) {
			return false
		}
		if name, setting, ok := strings.Cut(a.text, "="); ok && name == "SHELL" && !has("/bin/bash /bin/sh bash sh /usr/bin/bash /usr/bin/env", setting) {
			return false
		}
	}
	return true
}

// readsInput reports whether an argument makes a program read its rules from its
// standard input: -f -, -f-, --file=-. Such a makefile is never inspected.
func readsInput(inv invocation, i int) bool {
	const files = "- /dev/stdin /dev/fd/0 /proc/self/fd/0"
	arg := inv.args[i].text
	named := i > 0 && has(files, arg) && (has("--file --makefile -t -P", inv.args[i-1].text) || endsCluster(inv.args[i-1].text))
	for _, option := range []string{"--file=", "--makefile="} {
		name, ok := strings.CutPrefix(arg, option)
		named = named || ok && has(files, name)
	}
	if option, name, ok := strings.Cut(arg, "f"); ok && endsCluster(option+"f") {
		named = named || has(files, name)
	}
	return named && (inv.in.kind == inputPipe || has("make gmake ninja just cmake", inv.name))
}

// endsCluster reports whether a cluster of short options ends in f: -f, -nf.
func endsCluster(arg string) bool {
	letters, ok := strings.CutSuffix(arg, "f")
	return ok && strings.HasPrefix(letters, "-") && !strings.HasPrefix(letters, "--") && !strings.ContainsAny(letters[1:], "-=/.")
}

// dotCommands checks the files that sqlite3's dot commands read and write.
func (w *walker) dotCommands(inv invocation, s *state) error {
	if inv.name != "sqlite3" {
		return nil
	}
	for _, a := range inv.args {
		words := strings.Fields(a.text)
		if len(words) < 2 || !strings.HasPrefix(words[0], ".") {
			continue
		}
		for _, word := range words[1:] {
			v := literal(w.world.Untilde(strings.Trim(word, `'"`)))
			if err := w.checkSecret(v, s); err != nil {
				return err
			}
			if has(".output .once .backup .save .clone .log .excel .open .dump", words[0]) {
				if err := w.checkOutput(v, s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
