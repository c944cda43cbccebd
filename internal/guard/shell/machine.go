package shell

import (
	"slices"
	"strings"
)

// machine returns why the use of a program changes the machine, or "" if it only
// inspects it.
func (w *walker) machine(inv invocation) string {
	options, operands := looseOperands(inv.args)
	verb := firstWord(operands)
	for _, why := range []string{
		changesServices(inv, verb, operands), changesKernel(inv), changesNetwork(inv, operands), changesClock(inv, verb, options),
		removesLogs(inv, options), changesDesktop(inv, verb, operands), startsUnnamed(inv),
	} {
		if why != "" {
			return why
		}
	}
	if has("npm pip pip3 yarn pnpm go bundle gem composer dotnet", inv.name) && changesToolSettings(inv.name, options, operands) {
		return "it changes settings for every project"
	}
	return ""
}

// serviceQueries are the subcommands that only inspect services.
const serviceQueries = "status is-active is-enabled is-failed show cat list-units list-unit-files list-timers list-sockets list-dependencies get-default list-sessions show-environment list-jobs"

func changesServices(inv invocation, verb string, operands []value) string {
	changes := false
	switch inv.name {
	case "systemctl", "rc-service", "initctl", "loginctl", "sv", "s6-svc":
		changes = verb != "" && !has(serviceQueries, verb)
	case "service":
		changes = len(operands) > 1 && operands[1].text != "status"
	}
	if changes {
		return "services may only be inspected"
	}
	return ""
}

func changesKernel(inv invocation) string {
	if inv.name != "sysctl" {
		return ""
	}
	for _, a := range inv.args {
		if strings.Contains(a.text, "=") || has("-w -p --system --write --load", a.text) {
			return "it changes the kernel"
		}
	}
	return ""
}

func changesNetwork(inv invocation, operands []value) string {
	words := ""
	switch inv.name {
	case "ip":
		words = "add del delete set flush replace change append up down exec"
	case "ifconfig", "route", "iwconfig", "nmcli", "networksetup", "scutil", "resolvectl":
		words = "up down add del delete modify connect disconnect off on"
	}
	if slices.ContainsFunc(operands, func(a value) bool { return has(words, a.text) }) {
		return "it changes the network"
	}
	return ""
}

func changesClock(inv invocation, verb string, options []value) string {
	switch {
	case inv.name == "date" && hasFlag(options, "s", "--set"):
		return "it sets the clock"
	case has("hostnamectl timedatectl localectl", inv.name) && strings.HasPrefix(verb, "set"),
		has("security defaults csrutil spctl tccutil nvram pmset", inv.name) && verb != "" && verb != "read":
		return "it changes the machine"
	}
	return ""
}

func removesLogs(inv invocation, options []value) string {
	switch inv.name {
	case "journalctl":
		for _, a := range inv.args {
			if strings.HasPrefix(a.text, "--vacuum") || has("--rotate --flush", a.text) {
				return "it removes logs"
			}
		}
	case "dmesg":
		if hasFlag(options, "cCnDE", "--clear", "--read-clear") {
			return "it removes logs"
		}
	case "logrotate", "utmpdump", "lastlog":
		return "it changes logs"
	}
	return ""
}

func changesDesktop(inv invocation, verb string, operands []value) string {
	switch inv.name {
	case "dbus-send", "gdbus":
		if inv.name == "dbus-send" || verb == "call" || slices.ContainsFunc(inv.args, func(a value) bool { return a.text == "--system" }) {
			return "it makes services outside the sandbox act"
		}
	case "qdbus", "qdbus6", "qdbus-qt5":
		if len(operands) > 2 {
			return "it makes services outside the sandbox act"
		}
	case "gsettings", "dconf", "xdg-settings", "xdg-mime":
		if has("set write reset load default install", verb) {
			return "it changes your human's desktop"
		}
	}
	return ""
}

// startsUnnamed returns why a program is refused that runs programs which the
// command does not name, or that acts beyond the end of the command.
func startsUnnamed(inv invocation) string {
	switch inv.name {
	case "git-maintenance", "write":
		return "it reaches other users or runs later"
	case "run-parts", "gtk-launch", "dex":
		return "it runs programs that the command does not name"
	case "firejail", "flatpak", "snap":
		for _, a := range inv.args {
			if has("--noprofile --filesystem=host --filesystem=home --command=sh --command=bash --shell", a.text) {
				return "it leaves the sandbox"
			}
		}
	}
	return ""
}

// changesToolSettings reports whether a tool changes its settings, which apply to
// all projects of the user.
func changesToolSettings(name string, options, operands []value) bool {
	word := func(i int) string {
		if i < len(operands) {
			return operands[i].text
		}
		return ""
	}
	switch name {
	case "go":
		return word(0) == "env" && hasFlag(options, "wu")
	case "bundle":
		return word(0) == "config" && hasFlag(options, "", "--global")
	case "gem":
		return word(0) == "sources" && hasFlag(options, "ar", "--add", "--remove")
	case "composer":
		return word(0) == "config" && hasFlag(options, "g", "--global")
	case "dotnet":
		return word(0) == "nuget" && has("add update enable", word(1)) && word(2) == "source"
	case "npm", "pnpm":
		if word(0) == "set" {
			return true
		}
	}
	return has("config c", word(0)) && word(1) == "set" && word(2) != ""
}
