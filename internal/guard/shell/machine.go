package shell

import (
	"slices"
	"strings"
)

// machine judges programs that may look at the machine, not change it.
func (w *walker) machine(inv invocation) string {
	options, operands := looseOperands(inv.args)
	verb := ""
	if len(operands) > 0 {
		verb = operands[0].text
	}
	switch inv.name {
	case "systemctl", "rc-service", "initctl", "loginctl", "sv", "s6-svc":
		if !has("status is-active is-enabled is-failed show cat list-units list-unit-files list-timers list-sockets list-dependencies get-default list-sessions show-environment list-jobs", verb) && verb != "" {
			return "services are only looked at"
		}
	case "service":
		if len(operands) > 1 && operands[1].text != "status" {
			return "services are only looked at"
		}
	case "sysctl":
		for _, a := range inv.args {
			if strings.Contains(a.text, "=") || a.text == "-w" || a.text == "-p" || a.text == "--system" || a.text == "--write" || a.text == "--load" {
				return "it changes the kernel"
			}
		}
	case "ip":
		for _, a := range operands {
			if has("add del delete set flush replace change append up down exec", a.text) {
				return "it changes the network"
			}
		}
	case "ifconfig", "route", "iwconfig", "nmcli", "networksetup", "scutil", "resolvectl":
		for _, a := range operands {
			if has("up down add del delete modify connect disconnect off on", a.text) {
				return "it changes the network"
			}
		}
	case "date":
		if hasFlag(options, "s", "--set") {
			return "it sets the clock"
		}
	case "hostnamectl", "timedatectl", "localectl":
		if strings.HasPrefix(verb, "set") {
			return "it changes the machine"
		}
	case "journalctl":
		for _, a := range inv.args {
			if strings.HasPrefix(a.text, "--vacuum") || a.text == "--rotate" || a.text == "--flush" {
				return "it removes logs"
			}
		}
	case "dmesg":
		if hasFlag(options, "cCnDE", "--clear", "--read-clear") {
			return "it removes logs"
		}
	case "swift", "security", "defaults", "csrutil", "spctl", "tccutil", "nvram", "pmset":
		if inv.name != "swift" && verb != "" && verb != "read" {
			return "it changes the machine"
		}
	case "dbus-send", "gdbus":
		if inv.name == "dbus-send" || verb == "call" || slices.ContainsFunc(inv.args, func(a value) bool { return a.text == "--system" }) {
			return "it has services outside of the sandbox act"
		}
	case "qdbus", "qdbus6", "qdbus-qt5":
		if len(operands) > 2 {
			return "it has services outside of the sandbox act"
		}
	case "gsettings", "dconf", "xdg-settings", "xdg-mime":
		if has("set write reset load default install", verb) {
			return "it changes your human's desktop"
		}
	case "git-maintenance", "write":
		return "it reaches other users or runs later"
	case "npm", "pip", "pip3", "yarn", "pnpm", "go", "bundle", "gem", "composer", "dotnet":
		if changesToolSettings(inv.name, options, operands) {
			return "it changes settings for every project"
		}
	case "firejail", "flatpak", "snap":
		for _, a := range inv.args {
			if has("--noprofile --filesystem=host --filesystem=home --command=sh --command=bash --shell", a.text) {
				return "it leaves the sandbox"
			}
		}
	case "run-parts", "gtk-launch", "dex":
		return "it runs programs that the command does not name"
	case "logrotate", "utmpdump", "lastlog":
		return "it changes logs"
	}
	return ""
}

// changesToolSettings reports whether a tool writes its settings, which hold for
// every project of the user.
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
