package sandbox_test

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/sandbox"
)

// The small internet of TestDomains: a network namespace in which a public
// address leads to this machine without being the address of an interface, and a
// hosts file that names it.
const (
	publicAddress = "203.0.113.7"
	smallInternet = "BRIDGE_TEST_SMALL_INTERNET"
	hosts         = publicAddress + " good.example.org\n127.0.0.1 loop.example.org\n" + publicAddress + " other.example.com\n"
)

// TestDomains runs TestDomainsInside in a network namespace with a public
// address, as root and as nobody.
func TestDomains(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	if os.Geteuid() != 0 {
		t.Skip("MISSING: making a network with a public address needs root; internal/sandbox/egress tests the proxy itself")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestSmallInternet$", "-test.v")
	cmd.Env = append(os.Environ(), smallInternet+"=make")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "--- PASS: TestDomainsInside"); n != 2 {
		t.Errorf("%d of 2 runs:\n%s", n, out)
	}
}

func TestSmallInternet(t *testing.T) {
	if os.Getenv(smallInternet) != "make" {
		t.Skip("a part of TestDomains, which starts it in a network of its own")
	}
	file := filepath.Join(t.TempDir(), "hosts")
	write(t, file, hosts)
	if err := errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount(file, "/etc/hosts", "", unix.MS_BIND, ""),
	); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"route", "add", "local", publicAddress + "/32", "dev", "lo"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Skipf("MISSING: ip (iproute2) is needed to make a network: %v %s", err, out)
		}
	}
	for _, address := range []string{publicAddress + ":443", "127.0.0.1:443", publicAddress + ":22"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return // closed at the end of the test
				}
				_, _ = io.WriteString(c, "reached "+address+"\n")
				_ = c.Close()
			}
		}()
	}
	dir, self := userCopy(t)
	for _, user := range []string{"root", "nobody"} {
		cmd := exec.Command(self, "-test.run=^TestDomainsInside$", "-test.v")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), smallInternet+"=inside", "TMPDIR="+dir, "HOME="+dir)
		if user == "nobody" {
			asNobody(cmd)
		}
		out, err := cmd.CombinedOutput()
		t.Logf("as %s:\n%s", user, out)
		if err != nil {
			t.Errorf("as %s: %v", user, err)
		}
	}
}

// connectScript connects to some addresses through the proxy, and prints the
// status and the last line of each response.
const connectScript = `ask() {
	exec 3<>/dev/tcp/127.0.0.1/3128 || { echo "$1 no proxy"; return; }
	printf 'CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n' "$1" >&3
	answer=$(tr -d '\r' <&3); exec 3>&-
	echo "$1 $(head -1 <<<"$answer" | cut -d' ' -f2) $(tail -1 <<<"$answer")"
}
direct() { if (exec 3<>"$1") 2>/dev/null; then echo "$1 OPEN"; else echo "$1 closed"; fi; }
`

func TestDomainsInside(t *testing.T) {
	if os.Getenv(smallInternet) != "inside" {
		t.Skip("a part of TestDomains, which starts it in a network of its own")
	}
	opts := sandbox.Options{Workspace: t.TempDir(), Backend: sandbox.Bubblewrap, Domains: []string{"*.example.org"}}
	res := run(t, bash(connectScript+`
		ask good.example.org:443; ask good.example.org:22; ask other.example.com:443; ask loop.example.org:443; ask 203.0.113.7:443
		direct /dev/tcp/203.0.113.7/443; direct /dev/tcp/127.0.0.1/443
		echo "$https_proxy"; echo -n x >/dev/udp/203.0.113.7/53 2>/dev/null || echo "udp closed"`), opts)
	want := `good.example.org:443 200 reached 203.0.113.7:443
good.example.org:22 403 bridge: it is not in the list of domains that the operator allowed
other.example.com:443 403 bridge: it is not in the list of domains that the operator allowed
loop.example.org:443 403 bridge: its name has no public address (private, loopback and this machine's own addresses are refused)
203.0.113.7:443 403 bridge: it must be a name, not an address
/dev/tcp/203.0.113.7/443 closed
/dev/tcp/127.0.0.1/443 closed
http://127.0.0.1:3128
udp closed
`
	if got := string(res.Stdout); got != want {
		t.Errorf("got\n%s\nwant\n%s\nstderr %s", got, want, res.Stderr)
	}
	seen := strings.Join(res.Contacted, "\n")
	for _, line := range []string{"good.example.org:443: connected", "other.example.com:443: refused: ", "loop.example.org:443: refused: ", "203.0.113.7:443: refused: "} {
		if !strings.Contains(seen, line) {
			t.Errorf("not logged: %q in\n%s", line, seen)
		}
	}
	opts.Domains = nil
	if res := run(t, bash(connectScript+"ask good.example.org:443; direct /dev/tcp/203.0.113.7/443"), opts); string(res.Stdout) != "good.example.org:443 no proxy\n/dev/tcp/203.0.113.7/443 closed\n" {
		t.Errorf("without domains: %q", res.Stdout)
	}
}

// TestDomainsEnd checks that a tunnel which is open when the command ends is
// closed, and that a process which was left behind does not keep the proxy
// running.
func TestDomainsEnd(t *testing.T) {
	need(t, sandbox.Bubblewrap)
	res := run(t, bash("exec 3<>/dev/tcp/127.0.0.1/3128; (exec 4<>/dev/tcp/127.0.0.1/3128; setsid sleep 1000) & sleep 0.1; echo ended"),
		sandbox.Options{Backend: sandbox.Bubblewrap, Domains: []string{"example.org"}})
	if string(res.Stdout) != "ended\n" || res.ExitCode != 0 {
		t.Errorf("status %d, %q %q", res.ExitCode, res.Stdout, res.Stderr)
	}
}

// TestDomainsNeedBubblewrap checks that nothing is run with a backend that cannot
// keep the command from the rest of the network.
func TestDomainsNeedBubblewrap(t *testing.T) {
	for _, b := range []sandbox.Backend{sandbox.Landlock, sandbox.Docker, sandbox.Podman, sandbox.None} {
		_, err := sandbox.Run(t.Context(), bash("true"), sandbox.Options{Workspace: t.TempDir(), Backend: b, Image: "image", Domains: []string{"example.org"}})
		if !errors.Is(err, sandbox.ErrUnavailable) || !strings.Contains(err.Error(), "needs bubblewrap") {
			t.Errorf("%s: %v", b, err)
		}
	}
	_, err := sandbox.Run(t.Context(), bash("true"), sandbox.Options{Workspace: t.TempDir(), Backend: sandbox.Bubblewrap, Network: true, Domains: []string{"example.org"}})
	if !errors.Is(err, sandbox.ErrSetup) {
		t.Errorf("with the network: %v", err)
	}
}
