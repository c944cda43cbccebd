package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/postgres/postgrestest"
)

// BenchmarkWaiting measures the cost of sessions that wait for messages over TLS, each on
// its own connection. It reports the memory of the gateway (this process) and of the
// clients (another process), and the transactions per second and processor time of gateway
// and database server: first while nothing happens (omitted if it takes long until all
// sessions wait), then for a minute in which every session calls again because its wait of
// 50 seconds has ended.
//
//	go test ./internal/gateway -run '^$' -bench Waiting/server -benchtime 10000x
//
// Each of the two processes needs one file descriptor per session.
func BenchmarkWaiting(b *testing.B) {
	b.Run("file", func(b *testing.B) { waitAll(b, newPlace(b, takeAll(b.N)), nil) })
	b.Run("server", func(b *testing.B) {
		postgrestest.Need(b, server)
		dsn := server.Schema()
		db := must(pgx.Connect(b.Context(), dsn))(b)
		b.Cleanup(func() { _ = db.Close(context.Background()) })
		waitAll(b, placeOnServer(b, dsn, bridgetest.NewEnv(b).Key, takeAll(b.N)), db)
	})
}

// takeAll returns an option that lets a gateway accept slightly more than n connections.
func takeAll(n int) func(*gateway.Options) {
	return func(o *gateway.Options) { o.MaxClients = n + 100 }
}

// The idle phase is measured after earlier transactions have certainly been counted: a
// database connection reports its statistics up to ten seconds after it becomes idle, and
// some sessions start waiting a little later than most.
const (
	settled  = 15 * time.Second
	idle     = 8 * time.Second
	renewing = 60 * time.Second
)

// perKey is the maximum number of calls in flight per key.
const perKey = 500

// crowd is the input of the client process. The process exits when its standard input is
// closed.
type crowd struct {
	Address  string
	Roots    []byte
	Keys     []string
	Sessions []bridge.Credentials

	again atomic.Int64 // number of calls that were told to try again
}

// isCrowd is the environment variable that makes the test binary the client process.
const isCrowd = "GATEWAY_TEST_CROWD"

// crowdMain waits with each session, again and again.
func crowdMain() int {
	var c crowd
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	web := c.web()
	failed := make(chan error)
	for n := range c.Sessions {
		go func() {
			for {
				if err := c.wait(web, n); err != nil {
					failed <- fmt.Errorf("session %d: %w", n, err)
				}
			}
		}()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	select {
	case err := <-failed:
		fmt.Fprintln(os.Stderr, err)
		return 1
	case <-ended:
		fmt.Fprintln(os.Stderr, c.again.Load(), "calls were told to try again")
		return 0
	}
}

// web is one HTTP client for all sessions, with a connection for each call in flight. The
// number of concurrent handshakes is limited, because the gateway ends handshakes that take
// long.
func (c *crowd) web() *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.Roots)
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	handshakes := make(chan struct{}, 64)
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: len(c.Sessions),
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			handshakes <- struct{}{}
			defer func() { <-handshakes }()
			return dialer.DialContext(ctx, network, address)
		},
	}}
}

func (c *crowd) wait(web *http.Client, n int) error {
	s := c.Sessions[n]
	body := callOf("check_messages", map[string]any{"conversation_id": s.Conversation, "session_id": s.Session, "token": s.Token, "wait_seconds": 50})
	r, err := http.NewRequest(http.MethodPost, "https://"+c.Address+"/mcp", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.Keys[n/perKey])
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := web.Do(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if after, no := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && no == nil {
		time.Sleep(time.Duration(after) * time.Second) // as long as the gateway asks for
		c.again.Add(1)
		return nil
	}
	if err == nil && (resp.StatusCode != http.StatusOK || strings.Contains(string(text), `"isError":true`)) {
		err = fmt.Errorf("status %d: %.200s", resp.StatusCode, text)
	}
	return err
}

// start starts the client process, which ends with the benchmark.
func (c *crowd) start(b *testing.B) (pid int, ended <-chan struct{}) {
	b.Helper()
	// The process ends when its input is closed rather than with the benchmark's context,
	// because it prints results before it exits.
	self := exec.CommandContext(context.WithoutCancel(b.Context()), os.Args[0], "-test.run=^$")
	self.Env = append(os.Environ(), isCrowd+"=1")
	self.Stderr = os.Stderr
	in := must(self.StdinPipe())(b)
	if err := self.Start(); err != nil {
		b.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = self.Wait() // it has reported the reason on standard error
	}()
	b.Cleanup(func() {
		_ = in.Close()
		<-gone
	})
	if err := json.NewEncoder(in).Encode(c); err != nil {
		b.Fatal(err)
	}
	return self.Process.Pid, gone
}

func waitAll(b *testing.B, p *place, db *pgx.Conn) {
	c := &crowd{Address: p.address, Roots: p.authority.PEM()}
	for n := range b.N/perKey + 1 {
		c.Keys = append(c.Keys, p.key(b, fmt.Sprintf("waiting %d", n), access.Agent))
	}
	c.Sessions = sessions(b, p, b.N)
	debug.FreeOSMemory()
	before := resident(b, os.Getpid())
	began := time.Now()
	clients, ended := c.start(b)
	// Some are between two waits.
	for p.gateway.AllCalls() < b.N-b.N/50 {
		select {
		case <-ended:
			b.Fatal("the process of the clients has ended")
		case <-time.After(10 * time.Millisecond):
		}
	}
	took := time.Since(began)
	b.ReportMetric(took.Seconds(), "s-until-all-wait")
	if b.N == 1 {
		return // the framework first tries N = 1
	}
	use := usage{b, db}
	if took+settled+idle < bridge.MaxWait { // no wait ends in the meantime
		time.Sleep(settled)
		use.during(idle, "idle")
	}
	debug.FreeOSMemory()
	b.ReportMetric((resident(b, os.Getpid())-before)/float64(b.N), "gateway-KiB/session")
	b.ReportMetric(resident(b, os.Getpid())/1024, "gateway-MiB")
	b.ReportMetric(resident(b, clients)/1024, "clients-MiB")
	use.during(renewing, "renewing")
}

// sessions creates n sessions, in conversations of two.
func sessions(b *testing.B, p *place, count int) []bridge.Credentials {
	b.Helper()
	all := make([]bridge.Credentials, count+1)
	var making sync.WaitGroup
	for part := range 8 {
		making.Go(func() {
			for n := 2 * part; n < count; n += 16 {
				c, err := p.served.Create(context.Background(), bridge.CreateRequest{MyRole: "one", PartnerRole: "two"})
				if err != nil {
					b.Error(err)
					return
				}
				all[n] = bridge.Credentials{Conversation: c.ID, Session: bridge.SessionA, Token: c.TokenA}
				all[n+1] = bridge.Credentials{Conversation: c.ID, Session: bridge.SessionB, Token: c.TokenB}
			}
		})
	}
	making.Wait()
	return all[:count]
}

// usage measures the resources used by gateway and server.
type usage struct {
	b  *testing.B
	db *pgx.Conn // nil without a server
}

func (u usage) during(d time.Duration, what string) {
	u.b.Helper()
	asked, gateway, server := u.now()
	time.Sleep(d)
	askedThen, gatewayThen, serverThen := u.now()
	u.b.ReportMetric(100*(gatewayThen-gateway)/d.Seconds(), "gateway-%-"+what)
	if u.db != nil {
		u.b.ReportMetric((askedThen-asked)/d.Seconds(), "transactions/s-"+what)
		u.b.ReportMetric(100*(serverThen-server)/d.Seconds(), "server-%-"+what)
	}
}

// now returns how many transactions the server has completed, and the processor time in
// seconds of this process and of the server's processes.
func (u usage) now() (asked, gateway, server float64) {
	u.b.Helper()
	gateway = processor(u.b, os.Getpid())
	if u.db == nil {
		return 0, gateway, 0
	}
	err := u.db.QueryRow(u.b.Context(), "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()").Scan(&asked)
	if err != nil {
		u.b.Fatal(err)
	}
	rows, err := u.db.Query(u.b.Context(), "SELECT pid::bigint FROM pg_stat_activity")
	if err != nil {
		u.b.Fatal(err)
	}
	for _, pid := range must(pgx.CollectRows(rows, pgx.RowTo[int64]))(u.b) {
		server += processor(u.b, int(pid))
	}
	return asked, gateway, server
}

// resident returns the resident memory of a process in KiB (proc_pid_status(5)).
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	_, behind, _ := strings.Cut(string(proc(b, pid, "status")), "VmRSS:")
	fields := strings.Fields(behind)
	if len(fields) == 0 {
		b.Fatal("no VmRSS")
	}
	return must(strconv.ParseFloat(fields[0], 64))(b)
}

// processor returns the processor time of a process in seconds (proc_pid_stat(5), utime and
// stime in hundredths), or 0 if it has ended.
func processor(b *testing.B, pid int) (seconds float64) {
	b.Helper()
	_, behind, _ := strings.Cut(string(proc(b, pid, "stat")), ") ")
	fields := strings.Fields(behind)
	if len(fields) < 13 {
		return 0
	}
	for _, field := range fields[11:13] {
		seconds += must(strconv.ParseFloat(field, 64))(b) / 100
	}
	return seconds
}

func proc(b *testing.B, pid int, name string) []byte {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if errors.Is(err, os.ErrNotExist) && pid == os.Getpid() {
		b.Skip("MISSING: /proc")
	}
	return text
}
