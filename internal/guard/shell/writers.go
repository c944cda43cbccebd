package shell

import (
	"strings"
	"sync"

	"example.org/bridge/internal/guard/verdict"
)

// writer describes what a program writes: which operands, and the files that are
// the values of which options. Programs with a rule of their own are not listed.
type writer struct {
	operands string // "all", "last", "first", "second" or "tail" (all but the first)
	options  string // short options whose value, attached or the next word, is written
	longs    string // long options in addition to those that outputOption recognises
	verb     string // only after this first word, or these first words
}

var writersTable = []struct {
	names string
	writer
}{
	{"uniq lz4 xxd objcopy iconv-file optipng", writer{operands: "second"}},
	{"split", writer{operands: "second"}},
	{"csplit", writer{options: "-f", longs: "--prefix"}},
	{"gzip gunzip bzip2 bunzip2 xz unxz zstd lzma compress strip script mktemp mogrify rename.ul", writer{operands: "all"}},
	{"rename prename mmv file-rename", writer{operands: "tail"}},
	{"convert magick ffmpeg sox sphinx-build xz-out avconv pdftotext sass", writer{operands: "last"}},
	{"zip 7z 7za 7zr rar ar", writer{operands: "first"}},
	{"7z 7za 7zr rar ar", writer{operands: "second", options: "-o"}},
	{"hg svn", writer{operands: "last", verb: "clone checkout co export"}},
	{"rclone", writer{operands: "last", verb: "copy copyto sync move moveto"}},
	{"gsutil mc s3cmd", writer{operands: "last", verb: "cp rsync sync get mirror"}},
	{"aws gcloud", writer{operands: "last"}},
	{"docker podman kubectl nerdctl", writer{operands: "last", verb: "cp"}},
	{"docker podman", writer{options: "-o", verb: "save build export buildx"}},
	{"gh glab", writer{options: "-O -D", longs: "--dir", verb: "release run"}},
	{"gh glab", writer{operands: "last", verb: "repo"}},
	{"gdbserver", writer{}},
	{"strace ltrace", writer{options: "-o"}},
	{"time", writer{options: "-o"}},
	{"perf valgrind", writer{options: "-o"}},
	{"sort shuf pandoc gpg gpg2 age openssl iconv wasm-ld ld as gcc g++ cc c++ clang clang++ rustc go strip rollup terser eslint coverage webpack zstd tsc esbuild javac protoc nasm ldc2 ghc", writer{options: "-o -out -keyout"}},
	{"unzip jekyll hugo mkdocs rollup coverage make-dist black-out sass", writer{options: "-d"}},
	{"pg_dump pg_dumpall ssh-keygen", writer{options: "-f", longs: "--file"}},
	{"mysqldump", writer{options: "-r"}},
	{"tcpdump dumpcap tshark", writer{options: "-w"}},
	{"nmap", writer{options: "-oN -oA -oX -oG -oS"}},
	{"patch", writer{options: "-o -d -r", operands: "first"}},
	{"cmake", writer{options: "-B"}},
	{"cpio", writer{options: "-D"}},
	{"install cp mv ln", writer{options: "-t"}},
	{"make ninja gmake", writer{options: "-C"}},
	{"pip pip3", writer{options: "-t", longs: "--root --target --prefix"}},
	{"flock", writer{operands: "first"}},
	{"mktemp", writer{options: "-p", longs: "--tmpdir"}},
	{"gem", writer{options: "-i"}},
	{"cargo meson", writer{longs: "--root --destdir"}},
	{"gofmt goimports prettier rustfmt clang-format black ruff isort yapf autopep8 shfmt", writer{operands: "all"}},
	{"git", writer{operands: "last", options: "-o", verb: "clone", longs: "--separate-git-dir"}},
	{"git", writer{options: "-o", longs: "--separate-git-dir --prefix --index-output --directory --export-marks", verb: "format-patch archive init checkout-index read-tree apply am fast-export fast-import mailsplit index-pack diagnose bugreport"}},
	{"git", writer{operands: "all", verb: "mailinfo pack-objects"}},
	{"git", writer{operands: "tail", verb: "bundle"}},
	{"git", writer{operands: "last", verb: "submodule"}},
	{"git", writer{options: "-f", longs: "--file", verb: "config"}},
	{"screen", writer{options: "-Logfile"}},
	{"tmux", writer{operands: "last", verb: "save-buffer saveb"}},
	{"gzip xz", writer{}},
	{"sqlite3", writer{operands: "first"}},
	{"wget curl", writer{longs: "--save-cookies --rejected-log --warc-file --hsts --alt-svc --etag-save --libcurl --trace --trace-ascii --dump-header --cookie-jar --stderr --append-output --directory-prefix"}},
	{"rsync", writer{longs: "--log-file --backup-dir --temp-dir --partial-dir"}},
	{"sftp", writer{operands: "second"}},
	{"clang-tidy", writer{longs: "--export-fixes"}},
	{"setterm", writer{longs: "--file"}},
	{"pytest", writer{longs: "--basetemp --junitxml --junit-xml"}},
	{"eslint", writer{longs: "--output-file"}},
}

// writers finds the rows of writersTable by a program's name.
var writers = sync.OnceValue(func() map[string][]*writer {
	out := map[string][]*writer{}
	for i := range writersTable {
		for name := range strings.FieldsSeq(writersTable[i].names) {
			out[name] = append(out[name], &writersTable[i].writer)
		}
	}
	return out
})

// outputOption reports whether the value of a long option is written, judging by
// the option's name.
func outputOption(name string) bool {
	name = strings.ToLower(strings.TrimLeft(name, "-"))
	for _, part := range []string{"output", "outfile", "outdir", "out-dir", "_out", "-out", "log-file", "logfile", "xml-file", "result-file", "destination", "dest", "destdir", "target-dir", "target-directory", "install-dir", "coverprofile", "cpuprofile", "memprofile", "blockprofile", "mutexprofile"} {
		if strings.HasSuffix(name, part) || strings.HasPrefix(name, part) {
			return true
		}
	}
	return name == "out"
}

// checkWriter checks the files that a program writes, in operands and in values
// of options, also if the program starts another one.
func (w *walker) checkWriter(inv invocation, s *state) error {
	if dataCommands()[inv.name] != "" {
		return nil
	}
	args := inv.args
	if wrappers[inv.name] != nil && inv.name != "script" {
		args = ownArguments(args)
	}
	for i, a := range args {
		name, attached, ok := strings.Cut(a.text, "=")
		if ok && has("DESTDIR prefix PREFIX INSTALL_ROOT bindir BINDIR", name) && has("make gmake ninja meson", inv.name) {
			if err := w.checkOutput(literal(attached), s); err != nil {
				return err
			}
		}
		if !strings.HasPrefix(name, "-") || len(name) < 3 {
			continue
		}
		v := literal(attached)
		if !ok && i+1 < len(args) {
			v = args[i+1]
		}
		if outputOption(name) && v.text != "" && !strings.HasPrefix(v.text, "-") {
			if err := w.checkOutput(v, s); err != nil {
				return err
			}
		}
	}
	for _, wr := range writers()[inv.name] {
		if err := w.checkWriterRow(wr, args, s); err != nil {
			return err
		}
	}
	return nil
}

// ownArguments returns a wrapper's arguments before the program that it starts.
func ownArguments(args []value) []value {
	for i, a := range args {
		if !strings.HasPrefix(a.text, "-") && (i == 0 || !strings.HasPrefix(args[i-1].text, "-")) {
			return args[:i]
		}
	}
	return args
}

func (w *walker) checkWriterRow(wr *writer, args []value, s *state) error {
	if wr.verb != "" {
		at := verbIndex(args, wr.verb)
		if at < 0 {
			return nil
		}
		args = args[at+1:]
	}
	for i, a := range args {
		if v, ok := optionValue(wr, args, i, a); ok {
			if err := w.checkOutput(v, s); err != nil {
				return err
			}
		}
	}
	_, operands := looseOperands(args)
	for i, v := range operands {
		written := false
		switch wr.operands {
		case "all":
			written = true
		case "tail":
			written = i > 0
		case "first":
			written = i == 0
		case "second":
			written = i == 1
		case "last":
			written = i > 0 && i == len(operands)-1
		}
		if written {
			if err := w.checkOutput(v, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// verbIndex finds a subcommand among the first words.
func verbIndex(args []value, verbs string) int {
	for i, a := range args {
		if i > 3 {
			break
		}
		if has(verbs, a.text) {
			return i
		}
	}
	return -1
}

// optionValue returns the value of a writing option at args[i]: -o FILE, -oFILE,
// -fo FILE, --long FILE or --long=FILE.
func optionValue(wr *writer, args []value, i int, a value) (value, bool) {
	next := func() (value, bool) {
		if i+1 < len(args) {
			return args[i+1], true
		}
		return value{}, false
	}
	name, attached, ok := strings.Cut(a.text, "=")
	if has(wr.longs, name) {
		if ok {
			return literal(attached), true
		}
		return next()
	}
	for o := range strings.FieldsSeq(wr.options) {
		switch {
		case a.text == o:
			return next()
		case len(o) == 2 && strings.HasPrefix(a.text, o):
			return literal(a.text[2:]), true
		case len(o) == 2 && len(a.text) > 2 && a.text[0] == '-' && a.text[1] != '-' && len(a.text) < 6 && strings.HasSuffix(a.text, o[1:]):
			return next()
		}
	}
	return value{}, false
}

// checkOutput is checkWrite for a value that may also be a remote place or a
// plain word.
func (w *walker) checkOutput(v value, s *state) error {
	if strings.HasPrefix(v.text, "|") || strings.HasPrefix(v.text, "!") {
		return verdict.Refuse(verdict.EvaluatedText, "an output that is a command is refused: name a file")
	}
	if v.text == "-" || v.text == "" || strings.Contains(v.text, "://") || isRemote(v.text) || strings.ContainsAny(v.text, " \n") {
		return nil
	}
	v.text, v.pattern = w.world.Untilde(v.text), w.world.Untilde(v.pattern)
	return w.checkWrite(v, s)
}
