package table

import (
	"slices"
	"strconv"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// RunBuiltin does the work of a builtin stage. It returns what the program would
// print, and its exit status. env is the environment that programs get in the
// sandbox, and dir is the workspace as they see it. The stage must come from a
// plan; for any other program the status is 127.
func RunBuiltin(stage verdict.Stage, dir string, env []string, lookPath func(string) (string, error)) (string, int) {
	if !stage.Builtin || len(stage.Argv) == 0 {
		return "", 127
	}
	args := stage.Argv[1:]
	switch stage.Argv[0] {
	case "echo":
		return echo(args), 0
	case "pwd":
		if stage.Dir != "" {
			dir = stage.Dir
		}
		return dir + "\n", 0
	case "cd", "true":
		return "", 0
	case "false":
		return "", 1
	case "env":
		end := "\n"
		if len(args) > 0 {
			end = "\x00"
		}
		return strings.Join(append(slices.Concat(env, stage.Env), ""), end), 0
	case "which", "type":
		return lookUp(stage.Argv[0], args, lookPath)
	case "command":
		return lookUp("which", args, lookPath)
	}
	return "", 127
}

func lookUp(name string, args []string, lookPath func(string) (string, error)) (string, int) {
	var out strings.Builder
	status, kind, onlyPath := 0, false, name == "which"
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") {
			kind = kind || arg == "-t"
			onlyPath = onlyPath || arg == "-p" || arg == "-P"
			continue
		}
		found, err := lookPath(arg)
		switch {
		case err != nil:
			status = 1
		case kind:
			out.WriteString("file\n")
		case onlyPath:
			out.WriteString(found + "\n")
		default:
			out.WriteString(arg + " is " + found + "\n")
		}
	}
	return out.String(), status
}

// echo prints its arguments as bash's echo does, with -n, -e and -E.
func echo(args []string) string {
	newline, escapes := "\n", false
	for len(args) > 0 && isEchoOption(args[0]) {
		for _, c := range args[0][1:] {
			switch c {
			case 'n':
				newline = ""
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	out := strings.Join(args, " ")
	if !escapes {
		return out + newline
	}
	out, stop := unescape(out)
	if stop {
		newline = ""
	}
	return out + newline
}

func isEchoOption(arg string) bool {
	return len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], "neE") == ""
}

var escapeLetters = map[byte]string{
	'a': "\a", 'b': "\b", 'e': "\x1b", 'E': "\x1b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '\\': "\\",
}

// unescape decodes the escapes of echo -e. \c ends the output.
func unescape(s string) (out string, stop bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c == 'c':
			return b.String(), true
		case escapeLetters[c] != "":
			b.WriteString(escapeLetters[c])
		case c == '0':
			i += writeCode(&b, s[i+1:], 3, 8)
		case c == 'x':
			n := writeCode(&b, s[i+1:], 2, 16)
			if i += n; n == 0 {
				b.WriteString(`\x`)
			}
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), false
}

// writeCode writes the byte whose number is at the start of s, in the given base
// and with at most the given number of digits. It returns how many digits it
// read.
func writeCode(b *strings.Builder, s string, digits, base int) int {
	n := 0
	for n < digits && n < len(s) {
		if _, err := strconv.ParseUint(s[n:n+1], base, 8); err != nil {
			break
		}
		n++
	}
	if n == 0 && base == 16 {
		return 0
	}
	code, _ := strconv.ParseUint("0"+s[:n], base, 16)
	b.WriteByte(byte(code & 0xff))
	return n
}
