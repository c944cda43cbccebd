package suite

import "path/filepath"

// Monitoring configures how `bridge harness serve` runs a suite and provides information
// about it. A manual run ignores it.
type Monitoring struct {
	Enabled *bool `yaml:"enabled,omitempty"` // true if omitted
	// IntervalSeconds is the time from the start of one run to the start of the next.
	IntervalSeconds float64 `yaml:"interval_seconds,omitempty"`
	Listen          string  `yaml:"listen,omitempty"` // an IP address of this machine; 127.0.0.1 if omitted
	// Ports; 0 means a free one.
	MetricsPort *int `yaml:"metrics_port,omitempty"`
	HealthPort  *int `yaml:"health_check_port,omitempty"`
}

// Security configures who may use the service, and what it records.
type Security struct {
	Audit bool       `yaml:"enable_audit_logging,omitempty"`
	RBAC  Protection `yaml:"rbac,omitempty"`
	TLS   Protection `yaml:"tls,omitempty"`
}

// Protection is a separate file, relative to the suite's folder.
type Protection struct {
	Enabled    bool   `yaml:"enabled,omitempty"`
	ConfigFile string `yaml:"config_file,omitempty"`
}

// Defaults of the service.
const (
	DefaultInterval    = 15 * 60.0 // seconds
	MinInterval        = 1.0
	DefaultMetricsPort = 9090
	DefaultHealthPort  = 8080
)

func (c *checker) service() {
	m := &c.suite.Monitoring
	if m.IntervalSeconds == 0 {
		m.IntervalSeconds = DefaultInterval
	}
	if m.IntervalSeconds < MinInterval || m.IntervalSeconds > maxTimeout {
		c.complain("monitoring.interval_seconds", "interval_seconds must be from %g to %.0f", MinInterval, maxTimeout)
	}
	if m.Listen == "" {
		m.Listen = "127.0.0.1"
	}
	m.MetricsPort = c.port("metrics_port", m.MetricsPort, DefaultMetricsPort)
	m.HealthPort = c.port("health_check_port", m.HealthPort, DefaultHealthPort)
	for key, p := range map[string]Protection{"rbac": c.suite.Security.RBAC, "tls": c.suite.Security.TLS} {
		if p.Enabled && p.ConfigFile == "" {
			c.complain("security."+key, "enabled needs config_file: docs/harness.md shows one")
		}
	}
}

func (c *checker) port(key string, value *int, usual int) *int {
	if value == nil {
		return &usual
	}
	if *value < 0 || *value > 65535 {
		c.complain("monitoring."+key, "a port must be from 0 (a free one) to 65535")
	}
	return value
}

// Beside returns a path named by a suite, which is relative to the suite's folder.
func (s *Suite) Beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.Path), path)
}
