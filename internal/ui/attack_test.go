package ui_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// cookies holds the browser's cookies and the address they are for.
func (w *world) cookies(t testing.TB) (*url.URL, []*http.Cookie) {
	t.Helper()
	address, err := url.Parse(w.page.Address())
	if err != nil {
		t.Fatal(err)
	}
	return address, w.browser.Jar.Cookies(address)
}

// exchange sends raw bytes, which an HTTP client would refuse to send, and returns the
// status of the answer.
func (w *world) exchange(t *testing.T, request string) (status int, text string) {
	t.Helper()
	address, _ := w.cookies(t)
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode, body(t, answer)
}

// TestRawRequests sends malformed requests that another process on this machine could send.
// None of them may reach the store, and none may be echoed.
func TestRawRequests(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.send(t, w.pair.A, "said in confidence")
	address, cookies := w.cookies(t)
	host, folder, cookie := address.Host, address.Path, cookies[0].String()
	page := folder + "conversations/" + w.pair.A.Conversation
	for name, tt := range map[string]struct {
		request string
		want    int
	}{
		"all is right":                        {"GET " + page + " HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\n\r\n", 200},
		"no host":                             {"GET " + page + " HTTP/1.0\r\nCookie: " + cookie + "\r\n\r\n", 421},
		"an address for a path":               {"GET http://evil.example" + page + " HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\n\r\n", 421},
		"a host with a trailing dot":          {"GET " + page + " HTTP/1.1\r\nHost: localhost.:" + address.Port() + "\r\nCookie: " + cookie + "\r\n\r\n", 421},
		"a host without the port":             {"GET " + page + " HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: " + cookie + "\r\n\r\n", 421},
		"two hosts":                           {"GET " + page + " HTTP/1.1\r\nHost: " + host + "\r\nHost: evil.example\r\nCookie: " + cookie + "\r\n\r\n", 400},
		"another host in a forwarding header": {"GET " + page + " HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: " + host + "\r\nCookie: " + cookie + "\r\n\r\n", 421},
		"the folder in capitals":              {"GET " + strings.ToUpper(folder) + "X HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\n\r\n", 404},
		"dots before the folder":              {"GET /x/.." + page + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 404},
		"dots behind the folder":              {"GET " + folder + "static/../../../etc/passwd HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\n\r\n", 404},
		"dots, escaped":                       {"GET " + folder + "static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\n\r\n", 404},
		"a slash, escaped":                    {"GET " + folder + "static/..%2f..%2fserver.go HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\n\r\n", 404},
		"the folder of static files":          {"GET " + folder + "static/ HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\n\r\n", 404},
		"another method":                      {"TRACE " + page + " HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\n\r\n", 403},
		"a preflight":                         {"OPTIONS " + page + " HTTP/1.1\r\nHost: " + host + "\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n", 401},
		"a long header":                       {"GET " + page + " HTTP/1.1\r\nHost: " + host + "\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", 431},
		"a long query":                        {"GET " + folder + "search?q=" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 431},
		"a length and chunks":                 {"POST " + page + "/pause HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 403},
		"another site's frame":                {"GET " + page + " HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: iframe\r\n\r\n", 403},
		"another site's script":               {"GET " + page + " HTTP/1.1\r\nHost: " + host + "\r\nCookie: " + cookie + "\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Dest: script\r\n\r\n", 403},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := w.exchange(t, tt.request)
			if status != tt.want {
				t.Errorf("answered with %d, want %d: %.200s", status, tt.want, text)
			}
			if leaked := strings.Contains(text, "said in confidence") || strings.Contains(text, "root:"); leaked != (tt.want == 200) {
				t.Errorf("shown: %t: %.300s", leaked, text)
			}
			if strings.Contains(text, strings.Repeat("x", 100)) {
				t.Error("the request is sent back")
			}
		})
	}
	if n := count(w.actions(t), "operator pause ok"); n != 0 {
		t.Errorf("paused %d times", n)
	}
}

// TestForms checks that a change is only made by a form of the page, posted as a form, even
// if the sender knows the form's secret value.
func TestForms(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	address, cookies := w.cookies(t)
	page := address.Path + "conversations/" + w.pair.A.Conversation
	value := regexp.MustCompile(`name="form" value="([0-9a-f]{64})"`).FindStringSubmatch(w.get(t, "conversations/"+w.pair.A.Conversation))[1]
	_, code := w.readLink(t)
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, method, path, kind, body, header string
		want                                   int
	}{
		{"its value in the address", "POST", page + "/pause?form=" + value, form, "", "", 403},
		{"its value as JSON", "POST", page + "/pause", "application/json", `{"form":"` + value + `"}`, "", 403},
		{"its value as plain text", "POST", page + "/pause", "text/plain", "form=" + value, "", 403},
		{"in parts", "POST", page + "/pause", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n" + value + "\r\n--x--\r\n", "", 403},
		{"another method that says it is this one", "GET", page + "/pause", form, "", "X-HTTP-Method-Override: POST\r\n", 405},
		{"another method with the form", "PUT", page + "/pause", form, "form=" + value, "", 405},
		{"to a page that changes nothing", "POST", page, form, "form=" + value, "", 405},
		{"from no origin", "POST", page + "/pause", form, "form=" + value, "Origin: null\r\n", 403},
		{"from this host by TLS", "POST", page + "/pause", form, "form=" + value, "Origin: https://" + address.Host + "\r\n", 403},
		{"from another name of this machine", "POST", page + "/pause", form, "form=" + value, "Origin: http://localhost:" + address.Port() + "\r\n", 403},
		{"from another port, as the browser says", "POST", page + "/pause", form, "form=" + value, "Sec-Fetch-Site: same-site\r\n", 403},
		{"from a person, as no form is", "POST", page + "/pause", form, "form=" + value, "Sec-Fetch-Site: none\r\n", 403},
		{"a login by an address", "POST", address.Path + "login?code=" + code, form, "", "", 401},
		{"a login by a link", "GET", address.Path + "login?code=" + code, form, "", "", 404},
		{"all is right", "POST", page + "/pause", form, "form=" + value, "Origin: http://" + address.Host + "\r\nSec-Fetch-Site: same-origin\r\n", 303},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, text := w.exchange(t, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nCookie: bridge_ui=other; %s\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				tt.method, tt.path, address.Host, cookies[0], tt.header, tt.kind, len(tt.body), tt.body))
			if status != tt.want {
				t.Errorf("answered with %d, want %d: %.200s", status, tt.want, text)
			}
			if n, right := count(w.actions(t), "operator pause ok"), tt.want == 303; n > 0 != right {
				t.Errorf("paused %d times", n)
			}
		})
	}
}

// TestSecretsStayInside checks that no page contains the cookie or the login code, and that
// the form value appears only in forms, all of which use POST.
func TestSecretsStayInside(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.fill(t)
	_, code := w.readLink(t)
	_, cookies := w.cookies(t)
	hidden := regexp.MustCompile(`<form method="post"[^>]*>(?:<input type="hidden" name="form" value="[0-9a-f]{64}">)`)
	value := regexp.MustCompile(`[0-9a-f]{64}`)
	for _, path := range w.everyPage() {
		text := w.get(t, path)
		if strings.Contains(text, cookies[0].Value) || strings.Contains(text, code) {
			t.Errorf("/%s holds a secret", path)
		}
		form := hidden.FindString(w.get(t, "audit"))
		rest := strings.ReplaceAll(text, value.FindString(form), "")
		if got, want := len(value.FindAllString(text, -1))-len(value.FindAllString(rest, -1)), strings.Count(text, `<form method="post"`); got != want {
			t.Errorf("/%s has the value %d times in %d forms", path, got, want)
		}
		for _, address := range regexp.MustCompile(`(?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(address[1], "/") && !strings.HasPrefix(address[1], "#") || strings.HasPrefix(address[1], "//") {
				t.Errorf("/%s leads to %s", path, address[1])
			}
		}
	}
}

// TestHostileQueries checks that values from an address are shown as plain text only, and
// do not cause an error in the page itself.
func TestHostileQueries(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	w.fill(t)
	w.share(t)
	id := w.pair.A.Conversation
	for _, value := range []string{
		hostile, "../../bridge.key", "/etc/passwd", "..", "'; DROP TABLE messages; --", "\x00", "%00", "-1", "9223372036854775807", "99999999999999999999999",
		strings.Repeat("a", 8000), "javascript:alert(1)", "//evil.example", "\r\nSet-Cookie: a=b", "\u202eab",
	} {
		q := url.QueryEscape(value)
		for _, path := range []string{
			"conversations?q=" + q, "conversations?show=" + q, "conversations?from=" + q, "search?q=" + q, "audit?conversation=" + q, "audit?before=" + q,
			"files?in=" + q, "files/text?in=" + id + "&path=" + q, "files/text?in=" + q + "&path=api.md", "files/text?in=" + id + "&path=api.md&version=" + q,
			"messages/1?in=" + q, "tasks?show=" + q, "runs/report?name=" + q, "runs?from=" + q, "conversations/" + id + "/steps?task=" + q,
			"conversations/" + id + "/steps?before=" + q, "conversations/" + id + "?before=" + q, "conversations/" + url.PathEscape(value),
			"conversations/" + url.PathEscape(value) + "/steps", "tasks/" + url.PathEscape(value),
		} {
			answer, err := w.browser.Get(w.page.Address() + path)
			if err != nil {
				t.Fatalf("%.80s: %v", path, err)
			}
			text := body(t, answer)
			_ = answer.Body.Close()
			if answer.StatusCode >= 500 {
				t.Errorf("%.120s is answered with %s: %.300s", path, answer.Status, text)
			}
			if found := activeParts.FindString(text); found != "" || strings.ContainsAny(text, "\x00\x1b\u202e") || answer.Header.Get("Set-Cookie") != "" {
				t.Errorf("%.120s is returned as active content: %q", path, found)
			}
			checkHeaders(t, answer.Header)
		}
	}
	must(w.Send(t.Context(), w.pair.A, bridge.SendRequest{Text: "still here"}))(t)
}

// TestStreams checks that the number of open pages is limited, and that closing a page
// frees its place.
func TestStreams(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	// open opens another stream and returns the status and a function that closes it.
	open := func() (int, func() error) {
		r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, w.page.Address()+"events", nil))(t)
		answer, err := w.browser.Do(r) //nolint:bodyclose // the caller closes it
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, answer.Body.Close
	}
	var all []func() error
	for {
		status, end := open()
		if status == http.StatusServiceUnavailable {
			_ = end()
			break
		}
		all = append(all, end)
		if len(all) > 100 {
			t.Fatal("the number of open streams is not limited")
		}
	}
	contains(t, w.get(t, "conversations"), w.pair.A.Conversation) // pages are still shown
	for _, end := range all {
		_ = end()
	}
	again := func() bool { // the server notices the end a moment later
		status, end := open()
		_ = end()
		return status == http.StatusOK
	}
	if !bridgetest.Polled(again) {
		t.Error("streams that were closed still take a share")
	}
}

// TestConnections checks that a client that opens connections and sends incomplete requests
// does not lock out others.
func TestConnections(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	address, _ := w.cookies(t)
	for range 300 {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x"); err != nil {
			t.Fatal(err)
		}
	}
	contains(t, w.get(t, "conversations"), w.pair.A.Conversation)
}

// TestLinkIsRemoved checks that nothing left on the disk can be used to log in.
func TestLinkIsRemoved(t *testing.T) {
	w := newWorld(t)
	link := must(w.page.Link(t.TempDir()))(t)
	if err := link.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(link.Path()); !os.IsNotExist(err) {
		t.Errorf("the file still exists: %v", err)
	}
}
