package ui

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/commands"
	"example.org/bridge/internal/connlimit"
	"example.org/bridge/internal/files"
	"example.org/bridge/internal/steps"
	"example.org/bridge/internal/summary"
	"example.org/bridge/internal/tasks"
)

// Config configures a Server. All fields but Runs are required.
type Config struct {
	Bridge   *bridge.Service
	Commands *commands.Service
	Tasks    *tasks.Service
	Claims   *claims.Service
	Files    *files.Service
	Steps    *steps.Service
	// Runs returns the runs of `bridge harness`, newest first. If nil, no runs are shown.
	Runs func() ([]Run, error)
	Now  func() time.Time
	Log  *slog.Logger
	// Store is the name of the store as shown to the operator.
	Store string
	// Verify verifies the whole audit log, like bridge.Service does. It runs in the
	// background and should not block the pages: give it its own store.
	Verify func(context.Context) (audit.Head, error)
	// VerifyEvery is the time between two verifications.
	VerifyEvery time.Duration
}

// Server serves the page of one store to one operator.
type Server struct {
	Config
	door     *door
	listener net.Listener
	streams  chan struct{} // holds one value per open stream
	looks    chan struct{} // holds a value if somebody viewed the counts

	turn     sync.Mutex
	verified verdict
	counts   counted
	looked   map[string]time.Time // when the operator last viewed a conversation since the server started

	log *summary.Log // read only while counting
}

// ErrNotLoopback reports an address that other machines could reach.
var ErrNotLoopback = errors.New("the page is for this machine only: listen on 127.0.0.1 or [::1], and reach it from another machine through ssh -L")

// Listen opens a listener on a loopback address, HOST:PORT. Port 0 means a free port.
// The error may be ErrNotLoopback.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, ErrNotLoopback
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

const (
	// maxStreams is the maximum number of open event streams.
	maxStreams = 32
	// maxConnections is the maximum number of open connections: a browser uses six, plus
	// one for each stream. Further connections are closed.
	maxConnections = 256
	// readLimit is the time limit for reading a request, writeLimit for writing an answer.
	readLimit  = 10 * time.Second
	writeLimit = time.Minute
	idleLimit  = 2 * time.Minute
)

// New returns a server for l. It answers when Serve is called.
func New(c Config, l net.Listener) *Server {
	return &Server{
		Config: c, door: newDoor(l), listener: l, streams: make(chan struct{}, maxStreams), looks: make(chan struct{}, 1),
		looked: map[string]time.Time{}, log: &summary.Log{Entries: c.Bridge.AuditEntries, Keep: periods[1]},
	}
}

// Address returns the URL of the page, which is not enough to log in.
func (s *Server) Address() string { return "http://" + s.door.hosts[0] + s.door.folder }

// Serve answers requests until ctx ends.
func (s *Server) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: readLimit, ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: idleLimit,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ctx, end := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	var beside sync.WaitGroup
	beside.Go(func() { s.keepVerified(ctx) })
	beside.Go(func() { s.keepCounted(ctx) })
	defer beside.Wait()
	defer end()
	if err := server.Serve(connlimit.Listener(s.listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

//go:embed static
var static embed.FS

// Handler returns the handler for all requests, including all checks.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	assets, _ := fs.Sub(static, "static") // the folder is embedded, so this cannot fail
	mux.Handle("GET /static/{file}", http.StripPrefix("/static/", http.FileServerFS(assets)))
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /conversations/{id}/export", s.export)
	for pattern, show := range map[string]page{
		"GET /{$}":                s.overview,
		"GET /conversations":      s.conversations,
		"GET /conversations/{id}": s.transcript,
		"GET /messages/{id}":      s.message,

		"GET /conversations/{id}/steps": s.conversationSteps,
		"GET /agents":                   s.agents,
		"GET /tasks":                    s.tasks,
		"GET /tasks/{id}":               s.task,
		"GET /claims":                   s.claims,
		"GET /files":                    s.files,
		"GET /steps":                    s.steps,
		"GET /runs":                     s.runs,
		"GET /runs/report":              s.run,
		"GET /files/text":               s.file,
		"GET /commands":                 s.commands,
		"GET /audit":                    s.audit,
		"GET /limits":                   s.limits,
		"GET /figures":                  s.figures,
		"GET /search":                   s.search,
	} {
		mux.HandleFunc(pattern, s.shows(show))
	}
	for pattern, do := range map[string]action{
		"POST /commands/{id}/deny":        s.deny,
		"POST /conversations/{id}/pause":  s.pause,
		"POST /conversations/{id}/resume": s.resume,
		"POST /audit/verify":              s.verifyNow,
	} {
		mux.HandleFunc(pattern, s.does(do))
	}
	return s.door.guard(mux)
}
