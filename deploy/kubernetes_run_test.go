package deploy_test

import (
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"example.org/bridge/internal/postgres/postgrestest"
)

// pod runs the containers of a deployment as the kubelet would: as their user, with their
// volumes as the kubelet prepares them, and with the environment of the image and the
// manifest.
type pod struct {
	containers
	*cluster
	user int
	env  map[string]string
}

func newPod(t *testing.T, variant string) *pod {
	t.Helper()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("MISSING: -root on Linux, who can start a program as another user")
	}
	c := readCluster(t, variant)
	program, err := built()
	must(t, err)
	must(t, os.Chmod(filepath.Dir(program), 0o755))
	state, err := os.MkdirTemp("", "bridge-pod-") //nolint:usetesting // that is closed to the pod's user
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(state) })
	must(t, os.Chmod(state, 0o755))
	p := &pod{containers{program: program, state: filepath.Join(state, "state")}, c, c.deployment.Spec.Template.Spec.SecurityContext.RunAsUser, map[string]string{"NAMESPACE": "agents"}}
	must(t, os.Mkdir(p.state, 0o755))
	p.as = p.user
	return p
}

// volume gives a folder the owner and mode of a volume with the pod's fsGroup.
func (p *pod) volume(t *testing.T, folder string) {
	t.Helper()
	must(t, os.Chown(folder, 0, p.user))
	must(t, os.Chmod(folder, 0o775|fs.ModeSetgid))
}

// secret mounts a secret as the kubelet does: files owned by root behind two links,
// in a folder with the sticky bit.
func (p *pod) secret(t *testing.T, folder string, mode fs.FileMode, files map[string]string) {
	t.Helper()
	data := filepath.Join(folder, "..2026_11_29")
	must(t, os.MkdirAll(data, 0o755))
	must(t, os.Symlink(filepath.Base(data), filepath.Join(folder, "..data")))
	for name, content := range files {
		path := filepath.Join(data, name)
		must(t, os.WriteFile(path, []byte(content), 0o600))
		must(t, os.Chown(path, 0, p.user))
		must(t, os.Chmod(path, mode))
		must(t, os.Symlink(filepath.Join("..data", name), filepath.Join(folder, name)))
	}
	for _, dir := range []string{data, folder} {
		must(t, os.Chown(dir, 0, p.user))
	}
	must(t, os.Chmod(data, 0o755|fs.ModeSetgid))
	must(t, os.Chmod(folder, 0o777|fs.ModeSetgid|fs.ModeSticky))
}

// args returns a container's arguments, with variables expanded as in
// Kubernetes.
func (p *pod) arguments(c container) []string {
	var args []string
	for _, arg := range c.Args {
		args = append(args, regexp.MustCompile(`\$\((\w+)\)`).ReplaceAllStringFunc(arg, func(name string) string { return p.env[name[2:len(name)-1]] }))
	}
	return args
}

// probed sends the gateway's probes, by an address of this machine (the kubelet uses the
// pod's address) and by the service's name.
func (p *pod) probed(t *testing.T, r *running) {
	t.Helper()
	g := p.deployment.Spec.Template.Spec.Containers[0]
	for _, probe := range []probe{g.StartupProbe, g.LivenessProbe, g.ReadinessProbe} {
		for _, host := range []string{ownAddress(t), p.service.Metadata.Name + "." + p.env["NAMESPACE"] + ".svc", "bridge.example:8443"} {
			if status := r.get(t, host, probe.HTTPGet.Path); status != http.StatusOK {
				t.Errorf("%s at %s: status %d", probe.HTTPGet.Path, host, status)
			}
		}
	}
	if status := r.get(t, "other.example", "/ready"); status == http.StatusOK {
		t.Error("the gateway answers to a name that the manifest does not give it")
	}
}

// ownAddress returns an address of this machine other than the loopback address, if
// it has one.
func ownAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	must(t, err)
	address := "127.0.0.1"
	for _, each := range all {
		if network, ok := each.(*net.IPNet); ok && network.IP.To4() != nil && !network.IP.IsLoopback() {
			address = network.IP.String()
		}
	}
	return address + ":8443"
}

// TestKubernetesFile runs the deployment with a store in a file, twice, on a volume
// prepared as for fsGroup. It also checks that the store is refused once its files were
// given to the group, which is why the manifest prevents that.
func TestKubernetesFile(t *testing.T) {
	t.Parallel()
	p := newPod(t, "kubernetes/file")
	p.volume(t, p.state)
	spec := p.deployment.Spec.Template.Spec
	for range 2 {
		p.toItsEnd(t, p.arguments(spec.InitContainers[0]))
		r := p.start(t, p.arguments(spec.Containers[0]))
		p.probed(t, r)
		r.end(t)
	}
	folder := filepath.Join(p.state, "bridge")
	info, err := os.Stat(folder)
	must(t, err)
	if info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("the folder of the store has mode %v", info.Mode())
	}
	must(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		must(t, err)
		if entry.IsDir() {
			return os.Chmod(path, 0o770|fs.ModeSetgid)
		}
		return os.Chmod(path, 0o660)
	}))
	out, err := p.command(p.arguments(spec.InitContainers[0])).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "chmod") {
		t.Errorf("files that a group may change: %v\n%s", err, out)
	}
}

// TestKubernetesPostgres runs two gateways of the deployment on one database, with the key
// from a mounted secret, and with nothing that they can write to.
func TestKubernetesPostgres(t *testing.T) {
	t.Parallel()
	p := newPod(t, "kubernetes/postgres")
	server := postgrestest.ForTest(t)
	must(t, os.Chmod(filepath.Dir(server.Data()), 0o711)) // the pod's user needs to reach its socket too
	key := p.store(t, server.Schema())
	readOnly(t, p.state)
	g := p.deployment.Spec.Template.Spec.Containers[0]
	for _, e := range g.Env {
		switch from := e.ValueFrom.ConfigMapKeyRef; {
		case from.Name != "":
			p.env[e.Name] = p.settings[from.Name+" "+from.Key]
		case e.Value != "":
			p.env[e.Name] = e.Value
		}
	}
	if !strings.HasPrefix(p.env["BRIDGE_DB"], "postgres://") || p.env["BRIDGE_KEY_FILE"] == "" || p.env["PGPASSFILE"] == "" {
		t.Fatalf("the gateway gets %v", p.env)
	}
	p.secret(t, filepath.Join(filepath.Dir(p.state), "key"), 0o440, map[string]string{"bridge.key": key})
	p.secret(t, filepath.Join(filepath.Dir(p.state), "database"), 0o440, map[string]string{"pgpass": "*:*:*:*:password\n"})
	p.extra = []string{
		"BRIDGE_DB=" + server.DSN() + "&search_path=test_1",
		"BRIDGE_KEY_FILE=" + filepath.Join(filepath.Dir(p.state), p.env["BRIDGE_KEY_FILE"]),
		"PGPASSFILE=" + filepath.Join(filepath.Dir(p.state), p.env["PGPASSFILE"]),
	}
	one, two := p.start(t, p.arguments(g)), p.start(t, p.arguments(g))
	p.probed(t, one)
	p.probed(t, two)
	one.end(t)
	p.probed(t, two)
	two.end(t)
	p.refused(t, key)
}

// store creates the store, as its owner does elsewhere, and returns its key.
func (p *pod) store(t *testing.T, dsn string) string {
	t.Helper()
	if !strings.HasSuffix(dsn, "search_path=test_1") {
		t.Fatalf("the store is in %s", dsn)
	}
	home := t.TempDir()
	must(t, os.Chmod(home, 0o700))
	cmd := exec.Command(p.program, "store", "init")
	cmd.Env = []string{"HOME=" + home, "XDG_STATE_HOME=" + home, "BRIDGE_DB=" + dsn}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(home, "bridge", "*", "bridge.key"))
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("keys: %v", found)
	}
	key, err := os.ReadFile(found[0])
	must(t, err)
	return string(key)
}

// refused checks that a key that others could read, change or replace is not
// accepted.
func (p *pod) refused(t *testing.T, key string) {
	t.Helper()
	const stranger = 12345
	tests := map[string]struct {
		spoil func(folder string) error
		want  string
	}{
		"others may read it":    {func(f string) error { return os.Chmod(filepath.Join(f, "bridge.key"), 0o444) }, "others can read"},
		"another group may":     {func(f string) error { return os.Chown(filepath.Join(f, "bridge.key"), 0, stranger) }, "others can read"},
		"others may change it":  {func(f string) error { return os.Chmod(filepath.Join(f, "bridge.key"), 0o442) }, "others can change"},
		"another user owns it":  {func(f string) error { return os.Chown(filepath.Join(f, "bridge.key"), stranger, p.user) }, "belongs to user " + strconv.Itoa(stranger)},
		"the link is another's": {func(f string) error { return os.Lchown(filepath.Join(f, "bridge.key"), stranger, stranger) }, "belongs to user " + strconv.Itoa(stranger)},
		"others may replace it": {func(f string) error { return os.Chmod(f, 0o777) }, "others can change the folder"},
		"it is of another store": {func(f string) error {
			return os.WriteFile(filepath.Join(f, "bridge.key"), []byte(strings.Repeat("x", 32)), 0o440)
		}, "put back the"},
		"it is not there": {func(f string) error { return os.Remove(filepath.Join(f, "bridge.key")) }, "no key file"},
	}
	for name, tt := range tests {
		folder := filepath.Join(filepath.Dir(p.state), strings.ReplaceAll(name, " ", "-"))
		p.secret(t, folder, 0o440, map[string]string{"bridge.key": key})
		must(t, tt.spoil(folder))
		cmd := p.command([]string{"list"})
		cmd.Env = append(cmd.Env, "BRIDGE_KEY_FILE="+filepath.Join(folder, "bridge.key"))
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}
