package gateway

import (
	"net"
	"net/http"

	"example.org/bridge/internal/access"
)

const (
	actionMetrics = "gateway_metrics"
	// metricsType is that of Prometheus's text format 0.0.4.
	metricsType = "text/plain; version=0.0.4; charset=utf-8"
)

// metrics answers with the store's figures, to who may watch.
func (g *Gateway) metrics(w http.ResponseWriter, r *http.Request) {
	if g.o.Figures == nil {
		refuse(w, http.StatusNotFound, "not_found", "this gateway has no figures of its store")
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
		refuse(w, http.StatusServiceUnavailable, "unavailable", "the figures could not be gathered; the log says why")
		return
	}
	p := &paced{ResponseWriter: w, control: http.NewResponseController(w), within: g.o.Deadlines.Answer}
	w.Header().Set("Content-Type", metricsType)
	_, _ = p.Write(text)
	p.send()
}

// mayWatch reports whether a request may see figures: one from this machine, or one with a
// key whose role watches. Where it reports false it has answered.
func (g *Gateway) mayWatch(w http.ResponseWriter, r *http.Request) bool {
	if len(r.Header.Values("Authorization")) == 0 && g.fromHere(r) {
		return true
	}
	_, ok := g.authenticate(w, r, actionMetrics, access.Role.Watches)
	return ok
}

// fromHere reports whether a request was made on this machine. Behind a proxy every
// request comes from where that is: so none counts that came without TLS, says that it
// was forwarded, or does not name this machine as only it can.
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
