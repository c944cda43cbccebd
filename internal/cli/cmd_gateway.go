package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/figures"
	"example.org/bridge/internal/gateway"
	"example.org/bridge/internal/gateway/operation"
	"example.org/bridge/internal/mcpserver"
)

type gatewayOptions struct {
	listen            string
	hosts             []string
	certFile, keyFile string
	plain             bool
	maxConnections    int
	tools             []mcpserver.Group
}

// gatewayOperations are the operations that bridge on other machines may call.
type gatewayOperations interface {
	mcpserver.Bridge
	operation.Beside
}

func newGatewayCmd(a *app) *cobra.Command {
	o := gatewayOptions{listen: "127.0.0.1:8443", maxConnections: gateway.DefaultMaxClients}
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Let agents on other machines use this store",
		Long: `Serve agents on other machines over HTTPS until you press Ctrl-C: MCP clients at /mcp,
with "Authorization: Bearer" and a key of "bridge access add". /health and /ready are
for monitoring. /metrics has the figures of "bridge metrics" and this gateway's response
times, for this machine and for keys of the roles viewer and operator. Any number of
gateways can serve one store in PostgreSQL.

Connections are always encrypted. Without --tls-cert and --tls-key the certificate is
issued by this store's own authority, whose certificate "bridge access authority" prints
for clients to trust. Certificate files are read again when they change. With --plain,
which is allowed on loopback addresses only, the gateway serves HTTP without TLS, for a
proxy on this machine that has a certificate.

Requests must name the gateway by an address that it listens on, by a name in its
certificate, or by a --host. Requests from web pages of other sites are refused. The
gateway never runs commands for agents on other machines: it does not offer the two
tools for commands. When told to end, it completes requests in progress and answers
others with 503.`,
		Example: `  bridge gateway --listen 0.0.0.0:8443 --host bridge.example
  bridge gateway --listen 10.0.0.5:8443 --tls-cert cert.pem --tls-key key.pem
  bridge gateway --listen 127.0.0.1:8080 --plain`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runGateway(cmd.Context(), a, o) },
	}
	flags := cmd.Flags()
	textFlag(flags, &o.listen, "address", "listen", "the address and port to listen on")
	listFlag(flags, &o.hosts, kindText, "host", "a name or address by which clients reach the gateway; may be given several times")
	textFlag(flags, &o.certFile, kindPath, "tls-cert", "a certificate and its chain, in PEM")
	textFlag(flags, &o.keyFile, kindPath, "tls-key", "the certificate's key, in PEM")
	boolFlag(flags, &o.plain, "plain", "serve without TLS, on a loopback address")
	numberFlag(flags, &o.maxConnections, "max-connections", "the maximum number of open connections; further ones are closed")
	toolsFlag(flags, &o.tools, "tools", "the groups of tools to offer: "+bridge.JoinWords(mcpserver.Groups()))
	settings(cmd, "listen", "host", "tls-cert", "tls-key", "plain", "max-connections", "tools")
	return cmd
}

func runGateway(ctx context.Context, a *app, o gatewayOptions) error {
	if (o.certFile == "") != (o.keyFile == "") {
		return usagef("--tls-cert and --tls-key go together: give both, or neither to use the store's own authority")
	}
	if o.plain && o.certFile != "" {
		return usagef("--plain means without TLS: leave --tls-cert and --tls-key out")
	}
	if o.maxConnections == 0 {
		return usagef("--max-connections must be at least 1")
	}
	path, err := a.storePath()
	if err != nil {
		return err
	}
	ctx, stop := daemon(ctx)
	defer stop()
	return a.withServices(ctx, false, func(s services) error {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
		if err != nil {
			return usagef("--listen: %s", reason(err))
		}
		options, err := a.gatewayOptions(s, path, o, l.Addr())
		if err != nil {
			return errors.Join(err, l.Close())
		}
		if a.announce("the gateway listens on %s", l.Addr()); !a.attended() {
			a.log().Info("the gateway listens", "address", l.Addr().String(), "tls", !o.plain)
		}
		err = gateway.New(options).Serve(ctx, l)
		if errors.Is(err, gateway.ErrPlain) {
			return usagef("--plain: %v: use one such as 127.0.0.1, or leave --plain out", err)
		}
		return a.ended(ctx, err)
	})
}

// gatewayOptions returns the options of a gateway on this store.
func (a *app) gatewayOptions(s services, path string, o gatewayOptions, address net.Addr) (g gateway.Options, err error) {
	log := a.log()
	g = gateway.Options{
		Keys:       s.keys,
		Bridge:     s,
		Operations: reflect.TypeFor[gatewayOperations](),
		Ready: func(ctx context.Context) error {
			_, err := s.StoreTime(ctx)
			return err
		},
		Names:      slices.Concat(o.hosts, namesOf(address)),
		MaxClients: o.maxConnections,
		Version:    bridgeVersion(),
		Log:        log,
	}
	g.Endpoint = func(k access.Key) gateway.Endpoint {
		// A store on a server may have other gateways, and what they have told an agent
		// is not known here. An agent whose next request may reach another gateway is
		// therefore given its tokens.
		e := mcpserver.NewEndpoint(s, mcpserver.Options{
			Log: log, Version: bridgeVersion(), Tools: o.tools,
			Bindings: bindingsOf(path, k), Labels: []binding.Label{binding.OfSession("access", k.ID)}, Told: !a.onServer(),
		})
		return gateway.Endpoint{
			MCP: e.MCP, Expect: e.Expect, Settled: e.Settled, Forget: e.Forget, Drain: e.Drain, Close: e.Close,
		}
	}
	calls := new(figures.Calls)
	g.Observe, g.Figures = calls.Add, a.gatewayFigures(s, path, calls)
	if o.plain {
		return g, nil
	}
	err = certify(&g, s, o)
	return g, err
}

// certify sets a gateway's certificates: from files if they are named, otherwise issued
// by the store's authority.
func certify(g *gateway.Options, s services, o gatewayOptions) error {
	authority, err := gateway.NewAuthority(s.master)
	if err != nil {
		return err
	}
	g.Authority = authority.Issue([]string{operation.ServerName})
	if o.certFile != "" {
		files := &gateway.Files{CertPath: o.certFile, KeyPath: o.keyFile}
		names, err := files.Names()
		if err != nil {
			return usagef("--tls-cert and --tls-key: %v", err)
		}
		g.Certificates, g.Names = files, append(g.Names, names...)
		return nil
	}
	g.Certificates = authority.Issue(g.Names)
	return nil
}

// gatewayFigures returns a function that gathers the figures of the store. It serves
// one caller at a time.
func (a *app) gatewayFigures(s services, path string, calls *figures.Calls) func(context.Context) ([]byte, error) {
	c := a.collector(s, path)
	c.VerifyEvery, c.Calls = time.Hour, calls
	return func(ctx context.Context) ([]byte, error) {
		all, err := c.Gather(ctx, a.now())
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		err = figures.Write(&text, all)
		return text.Bytes(), err
	}
}

// bindingsOf returns the folder for the sessions of a key's holder, separate from those
// of all others. It is inside the folder that is hidden from commands.
func bindingsOf(store string, k access.Key) binding.Folder {
	dir := filepath.Join(binding.Beside(store).Path(), "access", k.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return binding.Folder{} // nothing is stored, and agents keep using their tokens
	}
	return binding.Beside(filepath.Join(dir, filepath.Base(store)))
}

// namesOf returns the names by which a listener can be reached: its address, or all
// addresses of this machine if it listens on all.
func namesOf(address net.Addr) (names []string) {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return nil
	}
	if !tcp.IP.IsUnspecified() {
		names = []string{tcp.IP.String()}
		if tcp.IP.IsLoopback() {
			names = append(names, "localhost")
		}
		return names
	}
	names = []string{"localhost"}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return names
	}
	for _, each := range all {
		if network, ok := each.(*net.IPNet); ok {
			names = append(names, network.IP.String())
		}
	}
	return names
}

func newAccessAuthorityCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "authority",
		Short: "Print the certificate that a gateway's clients must trust",
		Long: `Print the certificate of this store's authority, in PEM, for clients that connect to the
gateway directly. It is not secret, and is the same for all gateways of the store.`,
		Example: `  bridge access authority > bridge-ca.pem
  NODE_EXTRA_CA_CERTS=bridge-ca.pem claude`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAccessAuthority(cmd.Context(), a) },
	}
}

func runAccessAuthority(ctx context.Context, a *app) error {
	return a.withServices(ctx, false, func(s services) error {
		authority, err := gateway.NewAuthority(s.master)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(struct {
				PEM string `json:"pem"`
				Pin string `json:"pin"`
			}{string(authority.PEM()), authority.Pin()})
		}
		_, err = fmt.Fprint(a.stdout, string(authority.PEM()))
		return err
	})
}
