package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// container refuses what hands the host to a container.
func (w *walker) container(inv invocation, s *state) error {
	if last := len(inv.args) - 1; inv.in.fetched && last >= 0 && shells[baseName(inv.args[last].text)] != "" {
		return verdict.Refuse(verdict.DownloadedCode, "a download must not be fed to a shell in a container")
	}
	if strings.Contains(inv.in.text, "hostPath") || strings.Contains(inv.in.text, "hostPID") || strings.Contains(inv.in.text, "privileged: true") {
		return verdict.Refuse(verdict.HostContainer, "a pod with the host's files or processes is refused")
	}
	for i, a := range inv.args {
		arg := a.text
		name, value, attached := strings.Cut(arg, "=")
		if !attached && i+1 < len(inv.args) {
			value = inv.args[i+1].text
		}
		switch name {
		case "--privileged", "--device", "--cap-add", "--device-cgroup-rule":
			return verdict.Refuse(verdict.HostContainer, "%s hands the host to the container", name)
		case "--pid", "--userns", "--ipc", "--uts", "--cgroupns":
			if value == "host" {
				return verdict.Refuse(verdict.HostContainer, "%s=host hands the host to the container", name)
			}
		case "--security-opt":
			if strings.Contains(value, "unconfined") || strings.Contains(value, "disable") {
				return verdict.Refuse(verdict.HostContainer, "switching off the container's confinement is refused")
			}
		case "--volume", "--mount", "--volumes", "--bind":
			if err := w.mountOf(value, s); err != nil {
				return err
			}
		case "--volumes-from", "--rootfs", "--cgroup-parent", "--runtime", "--host", "--ssh", "-H", "--allow", "--profile":
			if name != "--profile" || value == "sysadmin" {
				return verdict.Refuse(verdict.HostContainer, "%s hands the host to the container, or the container to another host", name)
			}
		}
		if source, ok := mountInCluster(inv, i); ok {
			if err := w.mountOf(source, s); err != nil {
				return err
			}
		}
		if strings.HasPrefix(arg, "device=") || strings.HasPrefix(arg, "source=") || (i > 0 && inv.name == "minikube" && inv.args[0].text == "mount") {
			_, source, _ := strings.Cut("="+strings.TrimPrefix(strings.TrimPrefix(arg, "device="), "source="), "=")
			if err := w.mountOf(source, s); err != nil {
				return err
			}
		}
		if arg == "security.privileged=true" || (i < 3 && has("swarm plugin unshare machine system-service", arg) && inv.name != "kubectl") || (arg == "node" && i < 3) {
			return verdict.Refuse(verdict.HostContainer, "%s hands the host to the container", verdict.Short(arg))
		}
		if strings.HasPrefix(arg, "node/") && verbIndex(inv.args, "debug") >= 0 {
			return verdict.Refuse(verdict.HostContainer, "a debug pod on a node hands the node to the pod")
		}
		if strings.Contains(arg, "hostPath") || strings.Contains(arg, `"privileged"`) || strings.Contains(arg, "hostPID") {
			return verdict.Refuse(verdict.HostContainer, "a pod with the host's files or processes is refused")
		}
	}
	return nil
}
