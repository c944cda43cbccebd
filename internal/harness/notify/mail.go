package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"strings"
	"time"

	"example.org/bridge/internal/harness/local"
)

// Mail is a mail server, the sender and the recipients.
type Mail struct {
	Server             string // HOST or HOST:PORT; port 465 uses TLS immediately, others STARTTLS
	Username, Password string // "" for no login
	From               string
	To                 []string
	// Roots are the authorities that may have signed the server's certificate; nil means
	// those of the system.
	Roots *x509.CertPool
	// Dial opens a connection; nil means the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const (
	submission  = "587" // RFC 6409
	submissions = "465" // RFC 8314
)

// Check returns an error if the settings cannot work.
func (m Mail) Check() error {
	if host, port := m.address(); host == "" || port == "" {
		return errors.New("the mail server must be HOST or HOST:PORT")
	}
	if len(m.To) == 0 {
		return errors.New("there are no recipients")
	}
	for _, one := range append([]string{m.From}, m.To...) {
		if _, err := mail.ParseAddress(one); err != nil {
			return errors.New("a sender or recipient is not a mail address such as team@example.org")
		}
	}
	return nil
}

func (m Mail) address() (host, port string) {
	host, port, err := net.SplitHostPort(m.Server)
	if err != nil {
		return strings.Trim(m.Server, "[]"), submission
	}
	return host, port
}

// Send sends one mail to all recipients.
func (m Mail) Send(ctx context.Context, message Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	client, err := m.connect(ctx)
	if err != nil {
		return fmt.Errorf("the mail server: %w", err)
	}
	defer func() { _ = client.Close() }()
	if err := m.deliver(client, message); err != nil {
		return fmt.Errorf("the mail server: %w", err)
	}
	return nil
}

// connect connects to the server and enables encryption.
func (m Mail) connect(ctx context.Context) (*smtp.Client, error) {
	host, port := m.address()
	dial := m.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	settings := &tls.Config{ServerName: host, RootCAs: m.Roots, MinVersion: tls.VersionTLS12}
	if port == submissions {
		conn = tls.Client(conn, settings)
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	if port != submissions {
		err = encrypt(client, settings)
	}
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	return client, nil
}

// encrypt enables TLS, which is optional only for a server on this machine.
func encrypt(client *smtp.Client, settings *tls.Config) error {
	if offered, _ := client.Extension("STARTTLS"); offered {
		return client.StartTLS(settings)
	}
	if !local.Host(settings.ServerName) {
		return ErrNotEncrypted
	}
	return nil
}

func (m Mail) deliver(client *smtp.Client, message Message) error {
	if m.Username != "" {
		host, _ := m.address()
		if err := client.Auth(smtp.PlainAuth("", m.Username, m.Password, host)); err != nil {
			return errors.New("it does not accept the user name and password")
		}
	}
	sender, recipients := bare(m.From), m.To
	if err := client.Mail(sender); err != nil {
		return err
	}
	for _, to := range recipients {
		if err := client.Rcpt(bare(to)); err != nil {
			return err
		}
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := body.Write(m.text(message, time.Now())); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	return client.Quit()
}

// bare returns an address without the display name. The address has been checked.
func bare(address string) string {
	parsed, err := mail.ParseAddress(address)
	if err != nil {
		return ""
	}
	return parsed.Address
}

// text returns the message in the form that is sent (RFC 5322). No text can add or alter
// headers.
func (m Mail) text(message Message, now time.Time) []byte {
	var out bytes.Buffer
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	var to []string
	for _, one := range m.To {
		to = append(to, "<"+bare(one)+">")
	}
	for _, header := range [][2]string{
		{"From", "<" + bare(m.From) + ">"},
		{"To", strings.Join(to, ", ")},
		{"Subject", mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(message.Subject), " "))},
		{"Date", now.Format(time.RFC1123Z)},
		{"Message-ID", "<" + hex.EncodeToString(id) + "@bridge-harness.invalid>"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: no automatic replies
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		_, _ = fmt.Fprintf(&out, "%s: %s\r\n", header[0], header[1])
	}
	out.WriteString("\r\n")
	encoder := quotedprintable.NewWriter(&out)
	_, _ = encoder.Write([]byte(strings.ReplaceAll(message.Text, "\n", "\r\n")))
	_ = encoder.Close() // writing to a buffer cannot fail
	return out.Bytes()
}
