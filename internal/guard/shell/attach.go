package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// attachers are programs whose only purpose is to inspect or change other
// processes.
var attachers = expandNames([]struct{ names, why string }{
	{"reptyr gcore pstack gstack eu-stack jmap jstack jcmd jinfo jattach jhsdb criu scanmem pyrasite pyrasite-shell injcode inject vgdb frida frida-trace", "it attaches to another process"},
	{"dtruss dtrace spindump vmmap leaks conspy cgdb systemtap stap", "it attaches to another process"},
})

// attachOptions are the options and verbs that make other programs attach to a
// process.
var attachOptions = map[string]struct{ short, long, verbs string }{
	"gdb":       {"p", "--pid -pid", "attach"},
	"gdbserver": {"", "--attach", ""},
	"lldb":      {"pn", "--attach-pid --attach-name --wait-for", "attach"},
	"strace":    {"p", "--attach", ""}, "ltrace": {"p", "--attach", ""},
	"perf": {"pa", "--pid --all-cpus --tid", "top"}, "py-spy": {"p", "--pid", ""}, "rbspy": {"p", "--pid", ""}, "austin": {"p", "--pid", ""},
	"radare2": {"d", "", ""}, "r2": {"d", "", ""}, "rizin": {"d", "", ""}, "uftrace": {"P", "--pid", ""}, "memray": {"", "", "attach"}, "dlv": {"", "", "attach"}, "rr": {"", "", "attach"}, "hotspot": {"", "--attach", ""},
	"node": {"", "--pid", ""}, "coredumpctl": {"", "", "debug gdb dump"}, "screen": {"xr", "", ""}, "tmux": {"", "", "attach attach-session a at"},
	"dtach": {"ap", "", ""}, "abduco": {"a", "", ""}, "bcc-trace": {"p", "--pid", ""}, "sample": {"", "", ""},
}

// remoteControls are the words that make a program type into, or control, another
// running instance of itself.
var remoteControls = map[string]string{
	"kitty": "send-text send-key launch", "kitten": "send-text send-key launch", "wezterm": "send-text spawn", "zellij": "write write-chars",
	"vim": "--remote-send --remote-expr", "gvim": "--remote-send --remote-expr", "mvim": "--remote-send --remote-expr",
	"nvim": "--remote-send --remote-expr --server", "nvr": "--remote-send --remote-expr -c", "emacsclient": "-e --eval",
	"i3-msg": "exec", "swaymsg": "exec", "hyprctl": "exec", "foot": "--server", "xdotool": "type key",
}

// checkAttach refuses attaching to a process that the command did not start: the
// command could read that process's memory or act in its place.
func (w *walker) checkAttach(inv invocation) error {
	refusal := verdict.Refuse(verdict.AttachesProcess, "%s would attach to another process", inv.name)
	if attachers()[inv.name] != "" && len(inv.args) > 0 && !isAbout(inv.args) {
		return refusal
	}
	if words := remoteControls[inv.name]; slices.ContainsFunc(inv.args, func(a value) bool { return has(words, a.text) }) {
		return verdict.Refuse(verdict.Keystrokes, "%s would type into another program: run the command directly", inv.name)
	}
	o, ok := attachOptions[inv.name]
	if !ok {
		return nil
	}
	for i, a := range inv.args {
		arg := a.text
		name, _, _ := strings.Cut(arg, "=")
		switch {
		case o.long != "" && strings.HasPrefix(arg, "-") && has(o.long, name):
			return refusal
		case strings.HasPrefix(arg, "--"):
		case strings.HasPrefix(arg, "-") && len(arg) > 1 && o.short != "" && attachCluster(arg, o.short):
			return refusal
		case inv.name == "node" && i > 0 && arg == "-p" && inv.args[0].text == "inspect":
			return refusal
		case (i == 0 || (inv.name == "tmux" && i == 2)) && o.verbs != "" && has(o.verbs, arg):
			return refusal
		case inv.name == "gdb" && i > 0 && verdict.IsDigits(arg) && !strings.HasPrefix(inv.args[i-1].text, "-"):
			return refusal // gdb PROGRAM PID
		case (inv.name == "gdb" || inv.name == "lldb") && i > 0 && strings.Contains(arg, "attach "):
			return refusal
		case !strings.HasPrefix(arg, "-") && wrappers[inv.name] != nil:
			return nil // the rest belongs to the traced program
		}
	}
	return nil
}

// attachCluster finds an attaching option in a cluster of short options such as
// -fp1234.
func attachCluster(arg, letters string) bool {
	for i := 1; i < len(arg) && i < 5; i++ {
		if strings.IndexByte(letters, arg[i]) >= 0 {
			return true
		}
		if arg[i] < 'a' || arg[i] > 'z' || strings.IndexByte("oesuiE", arg[i]) >= 0 {
			return false // the rest is this option's value
		}
	}
	return false
}
