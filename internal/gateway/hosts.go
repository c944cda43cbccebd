package gateway

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// canonical returns the form in which host names are compared: without brackets around an
// IPv6 address, without a trailing dot, in lower case.
func canonical(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip := net.ParseIP(host); ip != nil {
		return ip.String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// hostOf returns the name in a Host header, without the port.
func hostOf(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return canonical(host)
	}
	return canonical(header)
}

// admitHost rejects requests for other host names, which reach a gateway through DNS
// rebinding, and cross-site requests sent by a browser.
func (g *Gateway) admitHost(r *http.Request) (status int, problem string) {
	if !g.names[hostOf(r.Host)] {
		return http.StatusMisdirectedRequest, "this gateway does not answer for that host name: see --host"
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return http.StatusForbidden, "requests of other sites are refused"
	}
	for _, origin := range r.Header.Values("Origin") {
		from, err := url.Parse(origin)
		if err != nil || from.Host == "" || !strings.EqualFold(from.Host, r.Host) || (from.Scheme == "https") != (r.TLS != nil) {
			return http.StatusForbidden, "requests of other sites are refused"
		}
	}
	return 0, ""
}
