package egress_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"example.org/bridge/internal/sandbox/egress"
)

func TestParseDomains(t *testing.T) {
	tests := []struct {
		name    string
		entries []string
		want    string // "" if the request must be refused
	}{
		{"names", []string{"Registry.npmjs.org", "pypi.org.", "pypi.org"}, "pypi.org registry.npmjs.org"},
		{"ports", []string{"example.org:443", "example.org:8443"}, "example.org example.org:8443"},
		{"all below", []string{"*.example.org"}, "*.example.org"},
		{"one label", []string{"localhost"}, ""},
		{"all of a top level", []string{"*.org"}, ""},
		{"everything", []string{"*"}, ""},
		{"a star within", []string{"a.*.example.org"}, ""},
		{"address", []string{"127.0.0.1"}, ""},
		{"address in a hexadecimal form", []string{"127.0x1"}, ""},
		{"address of version 6", []string{"[::1]:443"}, ""},
		{"empty", []string{""}, ""},
		{"a URL", []string{"https://example.org/"}, ""},
		{"not ASCII", []string{"exämple.org"}, ""},
		{"port 0", []string{"example.org:0"}, ""},
		{"too many", make([]string, egress.MaxDomains+1), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := egress.ParseDomains(tt.entries)
			if joined := strings.Join(got, " "); joined != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v; want %q", joined, err, tt.want)
			}
		})
	}
}

// world resolves a few names and accepts connections to every address.
var world = map[string][]netip.Addr{
	"good.example.org":    {netip.MustParseAddr("203.0.113.7")},
	"mixed.example.org":   {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("203.0.113.7")},
	"private.example.org": {netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("fd00::1")},
	"loop.example.org":    {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")},
	"mapped.example.org":  {netip.MustParseAddr("::ffff:127.0.0.1")},
	"link.example.org":    {netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("fe80::1")},
	"nat64.example.org":   {netip.MustParseAddr("64:ff9b::7f00:1")},
	"zero.example.org":    {netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("::")},
	"shared.example.org":  {netip.MustParseAddr("100.100.100.200")},
}

func startProxy(t *testing.T, domains ...string) (*egress.Proxy, string) {
	t.Helper()
	list, err := egress.ParseDomains(domains)
	if err != nil {
		t.Fatal(err)
	}
	p := &egress.Proxy{
		Domains: list,
		Resolve: func(_ context.Context, name string) ([]netip.Addr, error) {
			if found, ok := world[name]; ok {
				return found, nil
			}
			return nil, errors.New("no such name")
		},
		Dial: func(_ context.Context, address netip.AddrPort) (net.Conn, error) {
			here, there := net.Pipe()
			go func() { // sends its address, and echoes a line
				defer func() { _ = there.Close() }()
				line, _ := bufio.NewReader(there).ReadString('\n')
				_, _ = io.WriteString(there, address.String()+" "+line)
			}()
			return here, nil
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.Serve(ctx, l); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return p, l.Addr().String()
}

// ask sends a request and, in the same write, a line for the server that it
// connects to.
func ask(t *testing.T, proxy, request string) (status int, rest string) {
	t.Helper()
	conn, err := net.Dial("tcp", proxy)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request+"hello\n"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, &http.Request{Method: http.MethodConnect})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(io.MultiReader(response.Body, reader))
	return response.StatusCode, string(body)
}

func TestProxy(t *testing.T) {
	const header = " HTTP/1.1\r\nHost: x\r\n\r\n"
	tests := []struct {
		name, request string
		status        int
		body          string // part of it
		seen          string
	}{
		{"allowed", "CONNECT good.example.org:443" + header, 200, "203.0.113.7:443 hello", "good.example.org:443: connected"},
		{"allowed in capitals, with a dot", "CONNECT GOOD.example.org.:443" + header, 200, "203.0.113.7:443 hello", "GOOD.example.org.:443: connected"},
		{"only the public address", "CONNECT mixed.example.org:443" + header, 200, "203.0.113.7:443 hello", "mixed.example.org:443: connected"},
		{"another port", "CONNECT good.example.org:22" + header, 403, "not in the list", "good.example.org:22: refused: it is not in the list of domains that the operator allowed"},
		{"another domain", "CONNECT good.example.com:443" + header, 403, "not in the list", ""},
		{"a name that ends alike", "CONNECT evilexample.org:443" + header, 403, "not in the list", ""},
		{"the domain above", "CONNECT example.org:443" + header, 403, "not in the list", ""},
		{"private", "CONNECT private.example.org:443" + header, 403, "no public address", ""},
		{"loopback", "CONNECT loop.example.org:443" + header, 403, "no public address", ""},
		{"loopback, mapped", "CONNECT mapped.example.org:443" + header, 403, "no public address", ""},
		{"link-local", "CONNECT link.example.org:443" + header, 403, "no public address", ""},
		{"NAT64", "CONNECT nat64.example.org:443" + header, 403, "no public address", ""},
		{"unspecified", "CONNECT zero.example.org:443" + header, 403, "no public address", ""},
		{"carrier-grade NAT", "CONNECT shared.example.org:443" + header, 403, "no public address", ""},
		{"unknown name", "CONNECT unknown.example.org:443" + header, 403, "cannot be resolved", ""},
		{"literal address", "CONNECT 203.0.113.7:443" + header, 403, "not an address", ""},
		{"literal loopback", "CONNECT 127.0.0.1:443" + header, 403, "not an address", ""},
		{"literal address of version 6", "CONNECT [::1]:443" + header, 403, "a name with a dot", ""},
		{"a number for an address", "CONNECT 2130706433:443" + header, 403, "a name with a dot", ""},
		{"plain HTTP", "GET http://good.example.org/" + header, 405, "only CONNECT", "good.example.org: refused: only CONNECT is served, use https"},
		{"no HTTP", "SSH-2.0\r\n\r\n", 400, "cannot be read", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, address := startProxy(t, "*.example.org")
			status, body := ask(t, address, tt.request)
			if status != tt.status || !strings.Contains(body, tt.body) {
				t.Errorf("got %d %q, want %d %q", status, body, tt.status, tt.body)
			}
			seen := strings.Join(p.Seen(), "|")
			if tt.seen != "" && seen != tt.seen {
				t.Errorf("seen %q, want %q", seen, tt.seen)
			}
			if tt.status == 403 && !strings.Contains(seen, "refused") {
				t.Errorf("a refusal was not noted: %q", seen)
			}
		})
	}
}

func TestSeenIsBounded(t *testing.T) {
	p, address := startProxy(t, "example.org")
	for i := range 45 {
		ask(t, address, "CONNECT "+strings.Repeat("x", i%43+1)+".example.com:443 HTTP/1.1\r\n\r\n")
	}
	seen := p.Seen()
	if len(seen) != 41 || !strings.HasSuffix(seen[0], "(2 times)") || seen[40] != "3 more requests" {
		t.Errorf("%d lines: %q", len(seen), seen)
	}
}

func FuzzParseDomains(f *testing.F) {
	for _, seed := range []string{"example.org", "*.example.org:8443", "127.0.0.1", "a..b", "::1", "*.*", "0x7f.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		list, err := egress.ParseDomains([]string{entry})
		if err != nil {
			return
		}
		again, err := egress.ParseDomains(list)
		if err != nil || len(again) != 1 || again[0] != list[0] {
			t.Errorf("%q became %q, and that %q, %v", entry, list, again, err)
		}
		if host, _, _ := strings.Cut(strings.TrimPrefix(list[0], "*."), ":"); net.ParseIP(host) != nil {
			t.Errorf("%q is an address", host)
		}
	})
}
