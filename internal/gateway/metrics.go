package gateway

import (
	"net"
	"net/http"

	"example.org/bridge/internal/access"
)

const (
	actionMetrics = "gateway_metrics"
	// metricsType is the content type of Prometheus's text format 0.0.4.
	metricsType = "text/plain; version=0.0.4; charset=utf-8"
)

// metrics answers with the store's figures, if the caller may see them.
func (g *Gateway) metrics(w http.ResponseWriter, r *http.Request) {
	if g.o.Figures == nil {
		refuse(w, http.StatusNotFound, "not_found", "this gateway does not provide figures")
		return
	}
	if !reads(w, r) || !g.mayWatch(w, r) {
		return
	}
	select {
	case g.gathering <- struct{}{}:
		defer func() { <-g.gathering }()
	case <-r.Context().Done():
		return
	}
	text, err := g.o.Figures(r.Context())
	if err != nil {
		g.o.Log.Warn("the figures could not be gathered", "error", err.Error())
		w.Header().Set("Retry-After", "15")
		refuse(w, http.StatusServiceUnavailable, "unavailable", "the figures could not be gathered; the log has the reason")
		return
	}
	p := &paced{ResponseWriter: w, control: http.NewResponseController(w), within: g.o.Deadlines.Answer}
	w.Header().Set("Content-Type", metricsType)
	_, _ = p.Write(text)
	p.send()
}

// mayWatch reports whether a request may see the figures: it comes from this machine, or
// has a key whose role may watch. If it returns false, it has answered the request.
func (g *Gateway) mayWatch(w http.ResponseWriter, r *http.Request) bool {
	if len(r.Header.Values("Authorization")) == 0 && g.fromHere(r) {
		return true
	}
	_, ok := g.authenticate(w, r, actionMetrics, access.Role.Watches)
	return ok
}

// fromHere reports whether a request was made on this machine. Requests through a proxy all
// come from the proxy's address. Therefore a request does not count as local if it came
// without TLS, has a forwarding header, or does not use a local name of this machine.
func (g *Gateway) fromHere(r *http.Request) bool {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if len(r.Header.Values(header)) > 0 {
			return false
		}
	}
	host := hostOf(r.Host)
	own := host == "localhost" || isLoopbackIP(host)
	return r.TLS != nil && own && isLoopbackIP(addressOf(r))
}

func isLoopbackIP(text string) bool {
	ip := net.ParseIP(text)
	return ip != nil && ip.IsLoopback()
}
