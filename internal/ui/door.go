package ui

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
)

// cookieName is the name of the session cookie. Its path is the server's random folder, so
// that a browser does not send it to servers on other ports of this machine: cookies do not
// distinguish ports (RFC 6265, section 8.5).
const cookieName = "bridge_ui"

// policy lets the page load its own style, script and images, connect to itself, and
// nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// door admits the operator's browser and rejects all other requests.
type door struct {
	hosts  []string // accepted values of Host
	folder string   // the path prefix of all pages, "/…/"
	cookie string
	form   string // the secret value sent with every form of the page

	turn sync.Mutex
	code string // login code; empty once it has been used
}

// newDoor returns a door for a listener on the loopback interface.
func newDoor(l net.Listener) *door {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	d := &door{folder: "/" + secret(8) + "/", cookie: secret(32), form: secret(32), code: secret(32)}
	for _, name := range []string{"127.0.0.1", "localhost", "[::1]"} {
		d.hosts = append(d.hosts, name+":"+port)
	}
	return d
}

// secret returns n random bytes as hexadecimal digits.
func secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// guard applies the checks of the door before pages.
func (d *door) guard(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		inner, inside := strings.CutPrefix(r.URL.Path, d.folder)
		switch {
		case !d.servesHost(r.Host):
			refuse(w, http.StatusMisdirectedRequest, "This server does not answer for this host name.")
		case r.URL.Path == "/favicon.ico": // requested by the browser itself during login
			w.WriteHeader(http.StatusNoContent)
		case !inside, path.Clean("/"+inner) != "/"+inner:
			refuse(w, http.StatusNotFound, "Not found. Open the page with the link that bridge ui prints at its start.")
		case inner == "login" && r.Method == http.MethodPost:
			d.login(w, r)
		case !ownRequest(r):
			refuse(w, http.StatusForbidden, "This request did not come from the page itself. Nothing was changed.")
		case !d.admits(r):
			refuse(w, http.StatusUnauthorized, "This browser is not logged in. Restart bridge ui to get a new link.")
		case r.Method != http.MethodGet && r.Method != http.MethodHead && !d.ownForm(w, r):
			refuse(w, http.StatusForbidden, "This request did not come from the page itself. Nothing was changed.")
		default:
			http.StripPrefix(strings.TrimSuffix(d.folder, "/"), pages).ServeHTTP(w, r)
		}
	})
}

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// With no-referrer, a browser would send "Origin: null" with the page's own forms.
	h.Set("Referrer-Policy", "same-origin")
}

func refuse(w http.ResponseWriter, status int, text string) { http.Error(w, text, status) }

// servesHost reports whether the Host of the request is this server, and not another name that
// resolves to its address (DNS rebinding).
func (d *door) servesHost(host string) bool {
	for _, h := range d.hosts {
		if strings.EqualFold(h, host) {
			return true
		}
	}
	return false
}

func (d *door) admits(r *http.Request) bool {
	for _, c := range r.CookiesNamed(cookieName) {
		if same(c.Value, d.cookie) {
			return true
		}
	}
	return false
}

// ownRequest reports whether a request comes from the page or directly from the person,
// according to the browser's headers. A server on another port of this machine counts as
// the same site, so that requests from its pages carry a SameSite=Strict cookie as well.
func ownRequest(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none":
		return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Header.Get("Sec-Fetch-Site") == ""
	case "same-origin":
		return true
	}
	return false
}

// maxForm is the maximum size of a form, in bytes.
const maxForm = 4 << 10

// ownForm reports whether a form came from the page: its origin is right, if the browser
// sends one, and it has the secret value that only the page contains.
func (d *door) ownForm(w http.ResponseWriter, r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	return r.ParseForm() == nil && same(r.PostForm.Get("form"), d.form)
}

// login sets the cookie in exchange for the code, which works once. The answer continues to
// the page by itself instead of redirecting: in a redirect chain that starts from a file, a
// browser does not send a SameSite=Strict cookie.
func (d *door) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || !d.redeem(r.PostForm.Get("code")) {
		refuse(w, http.StatusUnauthorized, "This link is not valid, or was used before. Restart bridge ui to get a new one.")
		return
	}
	//nolint:gosec // G124: there is no TLS on the loopback interface, so that it is not Secure
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: d.cookie, Path: d.folder, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Refresh", "0; url="+d.folder)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>bridge</title><p><a href="` + d.folder + `">Continue to the page</a></p></html>`))
}

func (d *door) redeem(code string) bool {
	d.turn.Lock()
	defer d.turn.Unlock()
	if d.code == "" || !same(code, d.code) {
		return false
	}
	d.code = ""
	return true
}
