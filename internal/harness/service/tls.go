package service

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// tlsFile is the format of the file with TLS settings.
type tlsFile struct {
	TLS struct {
		Enabled      *bool    `yaml:"enabled"`
		CertFile     string   `yaml:"cert_file"`
		KeyFile      string   `yaml:"key_file"`
		CAFile       string   `yaml:"ca_file"`
		ClientAuth   string   `yaml:"client_auth"`
		ClientCAFile string   `yaml:"client_ca_file"`
		MinVersion   string   `yaml:"min_version"`
		CipherSuites []string `yaml:"cipher_suites"`
	} `yaml:"tls"`
}

// LoadTLS reads TLS settings. Paths are relative to the file. It returns nil if the file
// disables TLS. The certificate is read again when its file has changed.
func LoadTLS(path string) (*tls.Config, error) {
	var f tlsFile
	if err := readYAML(path, &f); err != nil {
		return nil, err
	}
	if f.TLS.Enabled != nil && !*f.TLS.Enabled {
		return nil, nil //nolint:nilnil // it is switched off
	}
	config, err := f.config(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

func (f tlsFile) config(folder string) (*tls.Config, error) {
	t := f.TLS
	beside := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(folder, path)
	}
	if t.CertFile == "" || t.KeyFile == "" {
		return nil, errors.New("tls needs cert_file and key_file")
	}
	if t.CAFile != "" {
		return nil, errors.New("ca_file is not supported: put the whole chain into cert_file, and the authority of clients into client_ca_file")
	}
	pair := &certificate{cert: beside(t.CertFile), key: beside(t.KeyFile)}
	if _, err := pair.get(nil); err != nil {
		return nil, err
	}
	c := &tls.Config{GetCertificate: pair.get, NextProtos: []string{"h2", "http/1.1"}}
	var known bool
	if c.MinVersion, known = map[string]uint16{"": tls.VersionTLS12, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[t.MinVersion]; !known {
		return nil, errors.New(`min_version must be "1.2" or "1.3"`)
	}
	for _, name := range t.CipherSuites {
		id, err := cipher(name)
		if err != nil {
			return nil, err
		}
		c.CipherSuites = append(c.CipherSuites, id)
	}
	return c, f.clients(c, beside)
}

// cipher returns the number of a cipher suite of TLS 1.2; those of TLS 1.3 cannot be
// chosen.
func cipher(name string) (uint16, error) {
	for _, s := range tls.CipherSuites() {
		if s.Name == name {
			return s.ID, nil
		}
	}
	return 0, fmt.Errorf("there is no secure cipher suite %q: use names such as TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, or omit cipher_suites", name)
}

// clients configures which client certificates are required.
func (f tlsFile) clients(c *tls.Config, beside func(string) string) error {
	switch f.TLS.ClientAuth {
	case "", "none":
		return nil
	case "require":
		c.ClientAuth = tls.RequireAndVerifyClientCert
	case "request":
		c.ClientAuth = tls.VerifyClientCertIfGiven
	default:
		return errors.New("client_auth must be none, request or require")
	}
	pem, err := os.ReadFile(beside(f.TLS.ClientCAFile))
	if err != nil {
		return fmt.Errorf("client_auth needs client_ca_file: %w", err)
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return errors.New("client_ca_file holds no certificate")
	}
	return nil
}

// certificate is a pair of files that may be replaced while the service runs.
type certificate struct {
	cert, key string

	mu     sync.Mutex
	loaded *tls.Certificate
	from   time.Time // modification time of the file
}

// get returns the certificate, reading it again if its file has changed. While the pair
// does not match, because it is being replaced, the old one is used.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.cert)
	if err == nil && c.loaded != nil && info.ModTime().Equal(c.from) {
		return c.loaded, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(c.cert, c.key)
	}
	switch {
	case err == nil:
		c.loaded, c.from = &pair, info.ModTime()
	case c.loaded == nil:
		return nil, err
	}
	return c.loaded, nil
}
