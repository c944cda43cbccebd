package deploy_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"
)

// strictly decodes a manifest, and refuses unknown fields.
func strictly(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	must(t, err)
	if err := yaml.UnmarshalWithOptions(content, into, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// imageUser and imageFolder are those of the images made by deploy/image, which is a
// separate module.
func imageUser(t *testing.T) (user, place string) {
	t.Helper()
	content, err := os.ReadFile("image/image.go")
	must(t, err)
	number := regexp.MustCompile(`(?m)^const user = (\d+)$`).FindSubmatch(content)
	state := regexp.MustCompile(`(?m)^const stateFolder = "(\w+)"$`).FindSubmatch(content)
	if number == nil || state == nil {
		t.Fatal("image/image.go names no user or no folder")
	}
	return string(number[1]), "/" + string(state[1])
}

// TestCompose runs what the compose file describes: the first service creates the store,
// the second answers at the published port, and ends cleanly when told to. No container
// daemon is involved.
func TestCompose(t *testing.T) {
	t.Parallel()
	type service struct {
		Image, User, Restart string
		Command              []string
		DependsOn            map[string]struct{ Condition string } `yaml:"depends_on"`
		ReadOnly             bool                                  `yaml:"read_only"`
		CapDrop              []string                              `yaml:"cap_drop"`
		SecurityOpt          []string                              `yaml:"security_opt"`
		NetworkMode          string                                `yaml:"network_mode"`
		StopGracePeriod      string                                `yaml:"stop_grace_period"`
		Ports, Volumes       []string
	}
	var all struct {
		Name     string
		Services map[string]service
		Volumes  map[string]struct{}
	}
	strictly(t, "compose/compose.yaml", &all)
	store, gateway := all.Services["store"], all.Services["gateway"]
	if len(all.Services) != 2 || gateway.DependsOn["store"].Condition != "service_completed_successfully" {
		t.Fatal("the gateway must wait until the store is made")
	}
	user, place := imageUser(t)
	for name, s := range all.Services {
		if s.User != user+":"+user || !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s may do more than it must", name)
		}
		if len(s.Volumes) != 1 || s.Volumes[0] != "state:"+place {
			t.Errorf("%s has no volume at %s", name, place)
		}
	}
	if _, there := all.Volumes["state"]; !there {
		t.Error("there is no volume state")
	}
	if port := strconv.Itoa(listens(t, gateway.Command)); len(gateway.Ports) != 1 || !strings.HasSuffix(gateway.Ports[0], ":"+port) {
		t.Errorf("the gateway listens on %s, and %v is published", port, gateway.Ports)
	}
	run := newContainers(t)
	run.toItsEnd(t, store.Command)
	g := run.start(t, gateway.Command)
	host := gateway.Command[slices.Index(gateway.Command, "--host")+1]
	for path, want := range map[string]int{"/ready": http.StatusOK, "/health": http.StatusOK, "/none": http.StatusNotFound} {
		if status := g.get(t, host, path); status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	if status := g.get(t, "other.example", "/ready"); status == http.StatusOK {
		t.Error("the gateway answers to a name that the file does not give it")
	}
	g.end(t)
}

// anyPort is the address on which the manifests listen.
const anyPort = "0.0.0.0:8443"

// listens returns the port in the arguments.
func listens(t *testing.T, args []string) int {
	t.Helper()
	i := slices.Index(args, "--listen")
	if i < 0 || i+1 == len(args) || args[i+1] != anyPort {
		t.Fatalf("%v does not listen on %s", args, anyPort)
	}
	return 8443
}

// containers runs the program with the environment of its image, in a folder that
// replaces the volume.
type containers struct {
	program, state string
	as             int      // the user; 0 means the user of the tests
	extra          []string // environment in addition to the image's
}

// folder returns the folder of the program, which is built when a test first
// needs it.
var folder string

var built = sync.OnceValues(func() (program string, err error) {
	if folder, err = os.MkdirTemp("", "bridge-deploy-"); err != nil {
		return "", err
	}
	program = filepath.Join(folder, "bridge")
	cmd := exec.Command("go", "build", "-o", program, "../cmd/bridge")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return program, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

func newContainers(t *testing.T) containers {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: containers of this image are for Linux")
	}
	program, err := built()
	must(t, err)
	state := filepath.Join(t.TempDir(), "state")
	must(t, os.Mkdir(state, 0o700))
	return containers{program: program, state: state}
}

func (c containers) command(args []string) *exec.Cmd {
	cmd := exec.Command(c.program, args...)
	cmd.Dir = c.state
	cmd.Env = []string{"PATH=/", "HOME=" + c.state, "BRIDGE_DB=" + filepath.Join(c.state, "bridge", "bridge.db"), "XDG_STATE_HOME=" + c.state}
	cmd.Env = append(cmd.Env, c.extra...)
	if c.as != 0 {
		runAs(cmd, c.as)
	}
	return cmd
}

// toItsEnd runs a container that must succeed, and must not remove the store.
func (c containers) toItsEnd(t *testing.T, args []string) {
	t.Helper()
	if out, err := c.command(args).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	for _, name := range []string{"bridge.db", "bridge.key"} {
		if _, err := os.Stat(filepath.Join(c.state, "bridge", name)); err != nil {
			t.Fatal(err)
		}
	}
}

// running is a gateway.
type running struct {
	process *exec.Cmd
	address string
	rest    sync.WaitGroup
}

// start starts the gateway of a manifest, on a free port.
func (c containers) start(t *testing.T, args []string) *running {
	t.Helper()
	args = slices.Clone(args)
	args[slices.Index(args, anyPort)] = "0.0.0.0:0"
	r := &running{process: c.command(args)}
	out, err := r.process.StderrPipe()
	must(t, err)
	must(t, r.process.Start())
	t.Cleanup(func() { _ = r.process.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var entry struct{ Address string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Address != "" {
			_, port, err := net.SplitHostPort(entry.Address)
			must(t, err)
			r.address = net.JoinHostPort("127.0.0.1", port)
			break
		}
	}
	if r.address == "" {
		t.Fatalf("the gateway did not start: %v", r.process.Wait())
	}
	r.rest.Go(func() {
		for lines.Scan() { // otherwise it would wait for a reader
		}
	})
	return r
}

// get checks whether the gateway works. Its certificate does not matter here.
func (r *running) get(t *testing.T, host, path string) int {
	t.Helper()
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+r.address+path, http.NoBody)
	must(t, err)
	request.Host = host
	answer, err := web.Do(request)
	must(t, err)
	must(t, answer.Body.Close())
	return answer.StatusCode
}

// end tells the gateway to end, as a container runtime does. It must end cleanly.
func (r *running) end(t *testing.T) {
	t.Helper()
	must(t, r.process.Process.Signal(syscall.SIGTERM))
	r.rest.Wait()
	if err := r.process.Wait(); err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
}
