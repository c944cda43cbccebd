package ui_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/internal/ui"
)

// TestDoor sends requests without authorization, each with exactly one thing wrong.
func TestDoor(t *testing.T) {
	w := newWorld(t)
	w.login(t)
	address, err := url.Parse(w.page.Address())
	if err != nil {
		t.Fatal(err)
	}
	pause := "conversations/" + w.pair.A.Conversation + "/pause"
	form := url.Values{"form": {strings.Repeat("0", 64)}}.Encode()
	tests := []struct {
		name, method, path, body string
		host                     string
		header                   [2]string
		stranger                 bool
		want                     int
	}{
		{name: "all is right", want: http.StatusOK},
		{name: "another name of this machine, which has no cookie", host: "localhost:" + address.Port(), want: http.StatusUnauthorized},
		{name: "a foreign name that resolves to this machine", host: "evil.example:" + address.Port(), want: http.StatusMisdirectedRequest},
		{name: "another port's name", host: "127.0.0.1:1", want: http.StatusMisdirectedRequest},
		{name: "the server's own name and no cookie", host: "evil.example", stranger: true, want: http.StatusMisdirectedRequest},
		{name: "no cookie", stranger: true, want: http.StatusUnauthorized},
		{name: "no cookie, to a file of the page", stranger: true, path: "static/style.css", want: http.StatusUnauthorized},
		{name: "no cookie, to the stream", stranger: true, path: "events", want: http.StatusUnauthorized},
		{name: "another cookie", stranger: true, header: [2]string{"Cookie", "bridge_ui=" + strings.Repeat("0", 64)}, want: http.StatusUnauthorized},
		{name: "an empty cookie", stranger: true, header: [2]string{"Cookie", "bridge_ui="}, want: http.StatusUnauthorized},
		{name: "another folder", path: "../", want: http.StatusNotFound},
		{name: "a form without its value", method: http.MethodPost, path: pause, want: http.StatusForbidden},
		{name: "a form with another value", method: http.MethodPost, path: pause, body: form, want: http.StatusForbidden},
		{name: "a form of another origin", method: http.MethodPost, path: pause, body: form, header: [2]string{"Origin", "https://evil.example"}, want: http.StatusForbidden},
		{name: "a form of no origin", method: http.MethodPost, path: pause, body: form, header: [2]string{"Origin", "null"}, want: http.StatusForbidden},
		{name: "a form of another site", method: http.MethodPost, path: pause, body: form, header: [2]string{"Sec-Fetch-Site", "same-site"}, want: http.StatusForbidden},
		{name: "a form that is too long", method: http.MethodPost, path: pause, body: "form=" + strings.Repeat("0", 1<<20), want: http.StatusForbidden},
		{name: "a login with another code", method: http.MethodPost, path: "login", body: "code=" + strings.Repeat("0", 64), stranger: true, want: http.StatusUnauthorized},
		{name: "a login without a code", method: http.MethodPost, path: "login", stranger: true, want: http.StatusUnauthorized},
		{name: "looking at what changes", path: pause, want: http.StatusMethodNotAllowed},
		{name: "deleting", method: http.MethodDelete, path: "conversations", want: http.StatusForbidden},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), test.method, w.page.Address()+strings.TrimPrefix(test.path, "../"), strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(test.path, "../") {
				r.URL.Path = "/0000000000000000/"
			}
			r.Host = test.host
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if test.header[0] != "" {
				r.Header.Set(test.header[0], test.header[1])
			}
			client := w.browser
			if test.stranger {
				client = &http.Client{}
			}
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			text := body(t, answer)
			if answer.StatusCode != test.want {
				t.Errorf("answered with %s: %.200s", answer.Status, text)
			}
			checkHeaders(t, answer.Header)
			if test.want != http.StatusOK && strings.Contains(text, w.pair.A.Conversation) {
				t.Errorf("a refusal contains data of the store: %s", text)
			}
		})
	}
	if n := count(w.actions(t), "operator pause ok"); n != 0 {
		t.Errorf("paused %d times", n)
	}
}

func checkHeaders(t *testing.T, h http.Header) {
	t.Helper()
	policy := h.Get("Content-Security-Policy")
	contains(t, policy, "default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'")
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("the policy is %s", policy)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestLoginOnce checks that only the operator can read the login file, that its code is
// stored nowhere else, and that it works once.
func TestLoginOnce(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]os.FileMode{w.link: 0o600, filepath.Dir(w.link): 0o700 | os.ModeDir} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
	}
	action, code := w.readLink(t)
	if strings.Contains(w.page.Address()+action, code) {
		t.Error("the code is in an address")
	}
	w.login(t)
	again, err := new(http.Client).PostForm(action, url.Values{"code": {code}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Body.Close() }()
	if text := body(t, again); again.StatusCode != http.StatusUnauthorized || len(again.Cookies()) != 0 {
		t.Errorf("the second login is answered with %s, %v: %s", again.Status, again.Cookies(), text)
	}
}

func TestCookie(t *testing.T) {
	w := newWorld(t)
	action, code := w.readLink(t)
	answer, err := w.browser.PostForm(action, url.Values{"code": {code}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if len(answer.Cookies()) != 1 {
		t.Fatalf("cookies %v", answer.Cookies())
	}
	c := answer.Cookies()[0]
	address, _ := url.Parse(w.page.Address())
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != address.Path || len(c.Path) < 18 || len(c.Value) != 64 {
		t.Errorf("the cookie is %v", c)
	}
}

func TestListensHereOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0", "example.org:0", "127.0.0.1"} {
		if l, err := ui.Listen(t.Context(), address); err == nil {
			t.Errorf("listens on %s for %q", l.Addr(), address)
			_ = l.Close()
		}
	}
}
