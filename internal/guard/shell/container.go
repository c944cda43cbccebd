package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// container refuses options and subcommands that give a container control over
// the host.
func (w *walker) container(inv invocation, s *state) error {
	if err := containerInput(inv); err != nil {
		return err
	}
	if why := otherHost(inv); why != "" {
		return verdict.Refuse(verdict.HostContainer, "%s", why)
	}
	verbs := len(inv.args) - len(fromSubcommand(inv.name, inv.args)) + 3
	for i := range inv.args {
		if why := containerOption(inv, i); why != "" {
			return verdict.Refuse(verdict.HostContainer, "%s", why)
		}
		if why := containerWord(inv, i, verbs); why != "" {
			return verdict.Refuse(verdict.HostContainer, "%s", why)
		}
		if err := w.containerMounts(inv, i, s); err != nil {
			return err
		}
	}
	return nil
}

const hostPod = "a pod that uses the host's files or processes is refused"

// containerInput checks the standard input of a container program: a download
// that is piped into a shell in the container, or the description of a pod.
func containerInput(inv invocation) error {
	if last := len(inv.args) - 1; inv.in.fetched && last >= 0 && shells()[baseName(inv.args[last].text)] != "" {
		return verdict.Refuse(verdict.DownloadedCode, "a download must not be piped into a shell in a container")
	}
	if strings.Contains(inv.in.text, "privileged: true") || describesHostPod(inv.in.text) {
		return verdict.Refuse(verdict.HostContainer, "%s", hostPod)
	}
	return nil
}

func describesHostPod(text string) bool {
	for _, word := range []string{"hostPath", "hostPID", "hostNetwork", `"privileged"`} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// otherHost returns why an option before the subcommand is refused, or "". Such
// an option makes the client talk to another host: docker -c CONTEXT. After run,
// -c means CPU shares.
func otherHost(inv invocation) string {
	if !has("docker podman nerdctl", inv.name) {
		return ""
	}
	for _, a := range inv.args[:len(inv.args)-len(fromSubcommand(inv.name, inv.args))] {
		name, _, _ := strings.Cut(a.text, "=")
		if strings.HasPrefix(name, "-c") || strings.HasPrefix(name, "-H") || has("--context --connection --url --remote -r --host", name) {
			return verdict.Short(name) + " runs the container on another host"
		}
	}
	return ""
}

// containerOption returns why an option gives the container control over the
// host, or "".
func containerOption(inv invocation, i int) string {
	name, value, attached := strings.Cut(inv.args[i].text, "=")
	if !attached && i+1 < len(inv.args) {
		value = inv.args[i+1].text
	}
	switch name {
	case "--privileged", "--device", "--cap-add", "--device-cgroup-rule":
		return name + " gives the container control over the host"
	case "--pid", "--userns", "--ipc", "--uts", "--cgroupns":
		if value == "host" {
			return name + "=host gives the container access to the host"
		}
	case "--security-opt":
		if strings.Contains(value, "unconfined") || strings.Contains(value, "disable") {
			return "turning off the container's isolation is refused"
		}
	case "--volumes-from", "--rootfs", "--cgroup-parent", "--runtime", "--host", "--ssh", "-H", "--allow":
		return name + " gives the container control over the host, or uses another host"
	case "--context":
		if inv.name != "kubectl" && inv.name != "oc" {
			return name + " runs the container on another host"
		}
	case "--profile":
		if value == "sysadmin" {
			return name + " gives the container control over the host"
		}
	}
	return ""
}

// containerWord returns why a subcommand, a setting or a pod gives the container
// control over the host, or "". A word is a subcommand only if its index is less
// than verbs.
func containerWord(inv invocation, i, verbs int) string {
	arg := inv.args[i].text
	switch {
	case arg == "security.privileged=true",
		i < verbs && arg == "node",
		i < verbs && has("swarm plugin unshare machine system-service", arg) && inv.name != "kubectl":
		return verdict.Short(arg) + " gives the container control over the host"
	case strings.HasPrefix(arg, "node/") && verbIndex(inv.args, "debug") >= 0:
		return "a debug pod on a node gives the pod control over the node"
	case describesHostPod(arg):
		return hostPod
	}
	return ""
}

// containerMounts checks the host folders that an argument mounts.
func (w *walker) containerMounts(inv invocation, i int, s *state) error {
	arg := inv.args[i].text
	name, value, attached := strings.Cut(arg, "=")
	if !attached && i+1 < len(inv.args) {
		value = inv.args[i+1].text
	}
	var sources []string
	if has("--volume --mount --volumes --bind", name) {
		sources = append(sources, value)
	}
	if source, ok := mountInCluster(inv, i); ok {
		sources = append(sources, source)
	}
	switch {
	case has("device source", name) && attached:
		sources = append(sources, value, value[strings.IndexByte(value, '=')+1:])
	case inv.name == "minikube" && i > 0 && inv.args[0].text == "mount":
		sources = append(sources, arg, arg[strings.IndexByte(arg, '=')+1:])
	}
	for _, source := range sources {
		if err := w.mountOf(source, s); err != nil {
			return err
		}
	}
	return nil
}
