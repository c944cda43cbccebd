package commands_test

import (
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"example.org/bridge/internal/sandbox"
)

// listener listens where random commands could send something: TCP and UDP on the
// loopback interface, and a Unix socket in the workspace.
type listener struct {
	port, socket string
	heard        atomic.Int64
	calls        int64 // calls made by the test itself
}

func listen(t *testing.T, socket string) *listener {
	t.Helper()
	e := &listener{socket: socket}
	tcp := e.accept(t, "tcp", "127.0.0.1:0")
	e.port = strconv.Itoa(tcp.(*net.TCPAddr).Port)
	e.accept(t, "unix", socket)
	udp, err := net.ListenPacket("udp", e.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	go func() {
		for buffer := make([]byte, 1); ; {
			_, from, err := udp.ReadFrom(buffer)
			if err != nil {
				return // ends when the test ends
			}
			e.heard.Add(1)
			_, _ = udp.WriteTo(buffer, from)
		}
	}()
	return e
}

func (e *listener) accept(t *testing.T, network, address string) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // ends when the test ends
			}
			e.heard.Add(1)
			_, _ = c.Write([]byte("x"))
			_ = c.Close()
		}
	}()
	return l.Addr()
}

func (e *listener) address() string { return "127.0.0.1:" + e.port }

// others returns how many calls did not come from the test itself. It calls each
// listener and waits for the answer, so that earlier calls have been counted by then.
func (e *listener) others(t *testing.T) int64 {
	t.Helper()
	for _, to := range [][2]string{{"tcp", e.address()}, {"udp", e.address()}, {"unix", e.socket}} {
		c, err := net.Dial(to[0], to[1])
		if err != nil {
			t.Fatal(err)
		}
		if to[0] == "udp" {
			_, _ = c.Write([]byte("x"))
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		e.calls++
	}
	return e.heard.Load() - e.calls
}

// trafficStatus is the exit code of showTraffic if something was sent.
const trafficStatus = 77

// showTraffic reads the packet counters of its own network namespace (RFC 2011 and
// others, in /proc/net/snmp and snmp6). It exits with trafficStatus if anything was
// sent since the namespace was made, or could not be sent for lack of a route.
func showTraffic(t *testing.T) sandbox.List {
	t.Helper()
	awk, err := exec.LookPath("awk")
	if err == nil {
		awk, err = filepath.EvalSymlinks(awk)
	}
	if err != nil {
		t.Skipf("MISSING: awk, which reads the network's counters: %v", err)
	}
	const program = `
		$1 == kind { for (i = 2; i <= NF; i++) value[kind name[i]] = $i; kind = ""; next }
		NF > 2     { kind = $1; for (i = 2; i <= NF; i++) name[i] = $i; next }
		           { value[$1] = $2 }
		END {
			n = split("Ip:OutRequests Ip:OutNoRoutes Tcp:ActiveOpens Udp:OutDatagrams Icmp:OutMsgs Ip6OutNoRoutes Udp6OutDatagrams", names, " ")
			for (i = 1; i <= n; i++)
				if (value[names[i]] != "0")
					{ print names[i], value[names[i]] > "/dev/stderr"; status = 77 }
			exit status
		}`
	return sandbox.Program(awk, program, "/proc/net/snmp", "/proc/net/snmp6")
}
