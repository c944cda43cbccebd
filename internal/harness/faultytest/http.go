package faultytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// serveHTTP serves POST /mcp until the process is killed. It prints its address.
func (s *server) serveHTTP(address string) int {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stderr, "listening on", listener.Addr())
	server := &http.Server{Handler: http.HandlerFunc(s.post), ReadHeaderTimeout: time.Second}
	_ = server.Serve(listener)
	return 0
}

// foreign reports whether a request comes from a web page of another site.
func (s *server) foreign(hr *http.Request) bool {
	host, _, err := net.SplitHostPort(hr.Host)
	if err != nil {
		host = hr.Host
	}
	return !s.faults["any-origin"] && (hr.Header.Get("Origin") != "" || net.ParseIP(host) == nil)
}

func (s *server) post(w http.ResponseWriter, hr *http.Request) {
	if hr.Method != http.MethodPost || hr.URL.Path != "/mcp" {
		http.NotFound(w, hr)
		return
	}
	if s.foreign(hr) {
		http.Error(w, "this page may not talk to this server", http.StatusForbidden)
		return
	}
	var r request
	body, err := io.ReadAll(io.LimitReader(hr.Body, 1<<20))
	if err != nil || json.Unmarshal(body, &r) != nil {
		http.Error(w, "this is not JSON", http.StatusBadRequest)
		return
	}
	if r.ID == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	frames := s.frames(r)
	if s.faults["silent-start"] || len(frames) == 0 {
		<-hr.Context().Done()
		return
	}
	// Calls are answered with a stream, everything else with one object.
	if r.Method != "tools/call" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(frames[0])
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, frame := range frames {
		_, _ = fmt.Fprintf(w, "event: message\ndata: %s\n\n", frame)
	}
	for s.faults["flood"] {
		if _, err := io.WriteString(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}\n\n"); err != nil {
			return
		}
	}
}
