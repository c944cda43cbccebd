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

// gatewayOperations are what bridge on other machines may ask for.
type gatewayOperations interface {
	mcpserver.Bridge
	operation.Beside
}

func newGatewayCmd(a *app) *cobra.Command {
	o := gatewayOptions{listen: "127.0.0.1:8443", maxConnections: gateway.DefaultMaxClients}
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Let agents of other machines use this store",
		Long: `Answer agents of other machines over HTTPS until you press Ctrl-C: MCP clients at /mcp,
with "Authorization: Bearer" and a key of "bridge access add". /health and /ready are for
monitors, and so is /metrics, for this machine and for keys of the roles viewer and
operator: the figures of "bridge metrics", and how long this gateway took to answer. Any number of gateways may serve one store in PostgreSQL.

Connections are always encrypted. Without --tls-cert and --tls-key the certificate is of
an authority of this store's own: "bridge access authority" prints what clients have to
trust. Files are read again when they change. Only on a loopback address --plain serves
HTTP without TLS, for a proxy on this machine that has a certificate.

Requests must name the gateway by an address that it listens on, by a name in its
certificate, or by a --host; requests that pages of other sites make are refused. No
command ever runs on this machine for an agent elsewhere: the two tools for commands are
not offered. When told to end, the gateway answers what has begun, and the rest with 503.`,
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
	boolFlag(flags, &o.plain, "plain", "no TLS, on a loopback address")
	numberFlag(flags, &o.maxConnections, "max-connections", "how many connections there may be at once; further ones are closed")
	toolsFlag(flags, &o.tools, "tools", "groups of tools to offer: "+bridge.JoinWords(mcpserver.Groups()))
	settings(cmd, "listen", "host", "tls-cert", "tls-key", "plain", "max-connections", "tools")
	return cmd
}

func runGateway(ctx context.Context, a *app, o gatewayOptions) error {
	if (o.certFile == "") != (o.keyFile == "") {
		return usagef("--tls-cert and --tls-key go together: give both, or none for an authority of the store's own")
	}
	if o.plain && o.certFile != "" {
		return usagef("--plain is without TLS: leave --tls-cert and --tls-key out")
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
			return usagef("--plain: %v: name one such as 127.0.0.1, or leave --plain out", err)
		}
		return a.ended(ctx, err)
	})
}

// gatewayOptions are what a gateway on this store is made of.
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
		// A server's store may have other gateways, and what they remember is not here: an
		// agent whose next request may reach one of them gets its tokens.
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

// certify gives a gateway its certificates: those of files where they are named.
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

// gatewayFigures gives the figures of the store, by one caller at a time.
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

// bindingsOf is where the sessions of the holder of a key are kept, apart from those of
// every other. Its folder is in the one that is hidden from commands.
func bindingsOf(store string, k access.Key) binding.Folder {
	dir := filepath.Join(binding.Beside(store).Path(), "access", k.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return binding.Folder{} // nothing is kept, and agents go on with their tokens
	}
	return binding.Beside(filepath.Join(dir, filepath.Base(store)))
}

// namesOf are the names by which a listener is reached: its address, or every address of
// this machine where it listens on all.
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
		Short: "Print the certificate that a gateway's clients trust",
		Long: `Print the certificate of the authority of this store, in PEM, for clients that call the
gateway themselves. It is not a secret, and the same for all gateways of the store.`,
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
