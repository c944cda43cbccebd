package notify_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/harness/notify"
)

// post is a mail as received by the server.
type post struct {
	login    string // as AUTH PLAIN sends it
	from     string
	to       []string
	data     string
	withTLS  bool
	finished bool
}

// mailServer accepts one mail on a free port of this machine.
type mailServer struct {
	address string
	done    chan post
}

func newMailServer(t *testing.T, certificate *tls.Certificate) mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := mailServer{address: l.Addr().String(), done: make(chan post, 1)}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		var got post
		take(conn, certificate, &got)
		s.done <- got
	}()
	return s
}

// take conducts one SMTP dialogue (RFC 5321).
func take(conn net.Conn, certificate *tls.Certificate, got *post) {
	lines := bufio.NewScanner(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	if !got.withTLS {
		say("220 mail.test ready")
	}
	for lines.Scan() {
		line := lines.Text()
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if certificate != nil && !got.withTLS {
				say("250-mail.test\r\n250 STARTTLS")
			} else {
				say("250-mail.test\r\n250 AUTH PLAIN")
			}
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
			got.withTLS = true
			take(secure, certificate, got)
			return
		case "AUTH":
			got.login = strings.TrimPrefix(rest, "PLAIN ")
			say("235 welcome")
		case "MAIL":
			got.from = rest
			say("250 ok")
		case "RCPT":
			got.to = append(got.to, rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			for lines.Scan() && lines.Text() != "." {
				got.data += lines.Text() + "\n"
			}
			say("250 kept")
		case "QUIT":
			got.finished = true
			say("221 bye")
			return
		}
	}
}

func (s mailServer) got(t *testing.T) post {
	t.Helper()
	select {
	case p := <-s.done:
		return p
	case <-time.After(time.Minute):
		t.Fatal("the mail server received nothing")
		return post{}
	}
}

var failure = notify.Message{
	Subject: "2 findings\r\nBcc: everybody@example.org in suite ünï",
	Text:    "crash: ended\n.\nforms-disagree: ünï\n" + strings.Repeat("long ", 60),
}

func TestMail(t *testing.T) {
	s := newMailServer(t, nil)
	m := notify.Mail{
		Server: s.address, Username: "harness", Password: "a password", From: "Harness <harness@example.org>",
		To: []string{"team@example.org", "Another One <another@example.org>"},
	}
	if err := m.Send(t.Context(), failure); err != nil {
		t.Fatal(err)
	}
	got := s.got(t)
	login, _ := base64.StdEncoding.DecodeString(got.login)
	if string(login) != "\x00harness\x00a password" || got.from != "FROM:<harness@example.org>" ||
		strings.Join(got.to, " ") != "TO:<team@example.org> TO:<another@example.org>" || !got.finished {
		t.Errorf("the server got %+v", got)
	}
	read, err := mail.ReadMessage(strings.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
	if subject != "2 findings Bcc: everybody@example.org in suite ünï" || read.Header.Get("Bcc") != "" {
		t.Errorf("the subject is %q, headers %v", subject, read.Header)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(read.Body))
	// A line that consists of a dot is sent as two dots (RFC 5321, section 4.5.2).
	if text := strings.ReplaceAll(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n..\n", "\n.\n"); err != nil || strings.TrimSpace(text) != strings.TrimSpace(failure.Text) {
		t.Errorf("the text is %q, %v", text, err)
	}
}

// TestMailIsEncrypted checks that a server on another machine gets the mail only after
// STARTTLS, and only with a certificate for its name.
func TestMailIsEncrypted(t *testing.T) {
	certificate, roots := certificateFor(t, "mail.invalid")
	for _, tt := range []struct {
		name        string
		certificate *tls.Certificate
		server      string
		want        string // expected in the error
	}{
		{"encrypted", certificate, "mail.invalid:25", ""},
		{"in the clear", nil, "mail.invalid:25", "offers no encryption"},
		{"under another name", certificate, "other.invalid:25", "certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newMailServer(t, tt.certificate)
			m := notify.Mail{Server: tt.server, From: "a@example.org", To: []string{"b@example.org"}, Roots: roots}
			m.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, s.address)
			}
			err := m.Send(t.Context(), failure)
			got := s.got(t)
			switch {
			case tt.want == "" && (err != nil || !got.withTLS || got.data == ""):
				t.Errorf("%v; the server got %+v", err, got)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || got.data != ""):
				t.Errorf("%v, want %q; the server got %+v", err, tt.want, got)
			}
			if tt.certificate == nil && !errors.Is(err, notify.ErrNotEncrypted) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestMailCheck(t *testing.T) {
	for want, m := range map[string]notify.Mail{
		"HOST or HOST:PORT":  {From: "a@example.org", To: []string{"a@example.org"}},
		"no recipients":      {Server: "mail.invalid", From: "a@example.org"},
		"not a mail address": {Server: "mail.invalid", From: "a@example.org", To: []string{"x@example.org\r\nDATA"}},
	} {
		if err := m.Send(t.Context(), failure); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func certificateFor(t *testing.T, name string) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
