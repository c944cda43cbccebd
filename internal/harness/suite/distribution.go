package suite

import (
	"example.org/bridge/internal/harness/notify"
)

// Distribution says who is notified of a run with findings.
type Distribution struct {
	Email Email `yaml:"email,omitempty"`
	Slack Slack `yaml:"slack,omitempty"`
}

// Email is a mail server and its recipients. If OnFailure is omitted, it is true.
type Email struct {
	Enabled    bool     `yaml:"enabled,omitempty"`
	SMTPServer string   `yaml:"smtp_server,omitempty"` // HOST or HOST:PORT
	From       string   `yaml:"from,omitempty"`        // the first recipient if omitted
	Username   string   `yaml:"username,omitempty"`
	Password   string   `yaml:"password,omitempty"`
	Recipients []string `yaml:"recipients,omitempty"`
	OnFailure  *bool    `yaml:"on_failure,omitempty"`
}

// Slack is a Slack-compatible webhook.
type Slack struct {
	Enabled    bool   `yaml:"enabled,omitempty"`
	WebhookURL string `yaml:"webhook_url,omitempty"`
	Channel    string `yaml:"channel,omitempty"`
	OnFailure  *bool  `yaml:"on_failure,omitempty"`
}

// Mail returns where a mail about a failure goes, and whether one is to be sent.
func (d Distribution) Mail() (notify.Mail, bool) {
	e := d.Email
	m := notify.Mail{Server: e.SMTPServer, Username: e.Username, Password: e.Password, From: e.From, To: e.Recipients}
	if m.From == "" && len(m.To) > 0 {
		m.From = m.To[0]
	}
	return m, e.Enabled && (e.OnFailure == nil || *e.OnFailure)
}

// Webhook returns where a post about a failure goes, and whether one is to be sent.
func (d Distribution) Webhook() (notify.Webhook, bool) {
	s := d.Slack
	return notify.Webhook{URL: s.WebhookURL, Channel: s.Channel}, s.Enabled && (s.OnFailure == nil || *s.OnFailure)
}

func (c *checker) distribution() {
	d := c.suite.Reporting.Distribution
	if mail, on := d.Mail(); on {
		if err := mail.Check(); err != nil {
			c.complain("reporting.distribution.email", "%v", err)
		}
	}
	if hook, on := d.Webhook(); on {
		if err := notify.CheckURL(hook.URL); err != nil {
			c.complain("reporting.distribution.slack.webhook_url", "%v", err)
		}
	}
}
