package table

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// psRows are the long options of procps. Each takes its value after = or as the
// next word, as usual for GNU programs.
var psRows = []row{
	{names: "--forest --no-headers --no-heading --headers --help --version", why: "layout"},
	{names: "--sort", value: custom, check: checkColumns, why: "order"},
	{names: "--format", value: custom, check: checkColumns, why: "columns; none of them holds an environment"},
	{names: "--pid --ppid --sid --tty", value: keyword, why: "which processes"},
	{names: "--user --User --group --Group", value: keyword, why: "which processes"},
	{names: "--cols --columns --width --rows --lines", value: number, why: "layout"},
}

// Short options: letters without a value, and letters with one.
const (
	psDash      = "AaNdefFjlLHMwyTcVZPm"
	psDashValue = "opuUCgGstq"
	psBSD       = "auxfjlvwScrhTm"
)

var psSpec = table(psRows)

// checkPs refuses every form that prints environments: the BSD letter e, the
// columns, and forms that ps parses again as BSD letters when its first attempt
// fails.
func checkPs(g *guard, args []Word) ([]string, error) {
	for i := 0; i < len(args); i++ {
		w := args[i]
		if w.IsGlob() || w.Text == "" || w.Text == "-" || w.Text == "--" {
			return nil, verdict.Refuse(verdict.BadOperand, "%s is not allowed", verdict.Short(w.Text))
		}
		used, err := psArgument(g, args, i)
		if err != nil {
			return nil, err
		}
		i += used
	}
	return plain(args), nil
}

func psArgument(g *guard, args []Word, i int) (int, error) {
	arg := args[i].Text
	switch {
	case strings.HasPrefix(arg, "--"):
		p := &parsed{argv: args}
		return psSpec.option(g, p, i)
	case slices.Contains([]string{"-aux", "-auxw", "-auxww", "-ax", "-axu", "-axuw", "-axww", "-axl", "-axj"}, arg):
		return 0, nil // parsed again as BSD letters, which do no harm here
	case arg[0] == '-':
		return psCluster(args, i)
	case verdict.IsDigits(strings.ReplaceAll(arg, ",", "")):
		return 0, nil
	}
	return psLetters(args, i)
}

func psCluster(args []Word, i int) (int, error) {
	arg := args[i].Text
	withX := strings.ContainsRune(arg, 'x')
	for at := 1; at < len(arg); at++ {
		switch c := arg[at]; {
		case c == 'e' && withX:
			return 0, verdict.Refuse(verdict.BadOptionValue, "e together with x may print environments: write -ef")
		case c == 'x':
		case strings.IndexByte(psDash, c) >= 0:
		case strings.IndexByte(psDashValue, c) >= 0:
			if at != len(arg)-1 {
				return 0, verdict.Refuse(verdict.BadOptionValue, "write the value of -%c as a separate word", c)
			}
			return psValue(args, i, c)
		default:
			return 0, unknownOption("-" + string(rune(c)))
		}
	}
	return 0, nil
}

func psLetters(args []Word, i int) (int, error) {
	arg := args[i].Text
	for at := range len(arg) {
		switch c := arg[at]; {
		case strings.IndexByte(psBSD, c) >= 0:
		case c == 'o' && at == len(arg)-1:
			return psValue(args, i, c)
		case c == 'e':
			return 0, verdict.Refuse(verdict.BadOptionValue, "the letter e without a dash prints environments: use -e")
		default:
			return 0, unknownOption(arg)
		}
	}
	return 0, nil
}

func psValue(args []Word, i int, option byte) (int, error) {
	if i+1 >= len(args) || args[i+1].IsGlob() {
		return 0, verdict.Refuse(verdict.BadOptionValue, "option %c needs a value", option)
	}
	value := args[i+1].Text
	if option == 'o' {
		return 1, checkColumns(nil, value)
	}
	if !verdict.IsKeyword(value) {
		return 0, verdict.Refuse(verdict.BadOptionValue, "the value of %c must be a plain word or list", option)
	}
	return 1, nil
}

// checkColumns accepts names of columns, with signs, widths and headings.
func checkColumns(_ *guard, value string) error {
	for _, column := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		name, _, _ := strings.Cut(strings.TrimLeft(column, "+-"), "=")
		name, _, _ = strings.Cut(name, ":")
		if !psColumns[name] {
			return verdict.Refuse(verdict.BadOptionValue, "column %s is not allowed", verdict.Short(name))
		}
	}
	return nil
}

var psColumns = columns(`%cpu %mem args blocked bsdstart bsdtime c caught cgroup class cls cmd comm command cp cputime cputimes
	cpuid drs egid egroup eip esp etime etimes euid euser exe f fgid fgroup flag flags fname fsgid fsgroup fsuid fsuser fuid fuser gid
	group ignored ipcns label lastcpu lsession lstart luid lwp machine maj_flt majflt min_flt minflt mntns netns ni nice nlwp nwchan
	ouid pcpu pending pgid pgrp pid pidns pmem policy ppid pri psr pss rbytes rgid rgroup rops rss rssize rsz rtprio ruid ruser s sched
	seat sess session sgi_p sgid sgroup sid sig sigcatch sigignore sigmask size slice spid stackp start start_time stat state stime suid
	suser svgid svuid sz tgid thcount tid time times tname tpgid trs tt tty ucmd ucomm uid uname unit user userns uss utsns uunit vsize
	vsz wbytes wchan wcbytes wops`)

func columns(names string) map[string]bool {
	out := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		out[name] = true
	}
	return out
}
