package gateway

import (
	"context"
	"net/http"
	"time"
)

// health reports that the process answers. The answer contains nothing confidential.
func (g *Gateway) health(w http.ResponseWriter, r *http.Request) {
	if !reads(w, r) {
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"status": "healthy", "version": g.o.Version, "uptime_seconds": int(time.Since(g.begun).Seconds()),
	})
}

// readyWithin is how long the store may take to answer.
const readyWithin = 2 * time.Second

// ready reports whether calls should be sent to this gateway.
func (g *Gateway) ready(w http.ResponseWriter, r *http.Request) {
	if !reads(w, r) {
		return
	}
	if g.isDraining() {
		answer(w, http.StatusServiceUnavailable, map[string]any{"status": "draining"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	if err := g.o.Ready(ctx); err != nil {
		g.o.Log.Warn("not ready: the store does not answer", "error", err.Error())
		answer(w, http.StatusServiceUnavailable, map[string]any{"status": "unavailable"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"status": "ready"})
}

func reads(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", "only GET is supported here")
	return false
}
