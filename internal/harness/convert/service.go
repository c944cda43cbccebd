package convert

// service converts who is notified of a failure, and how a service runs the suite.
func (c *converter) service(top, reporting node) {
	sent := reporting.below("distribution")
	d := &c.suite.Reporting.Distribution
	email := sent.below("email")
	d.Email.Enabled, d.Email.SMTPServer, d.Email.Recipients = email.truth("enabled"), email.text("smtp_server"), email.texts("recipients")
	d.Email.From, d.Email.Username, d.Email.Password = email.text("from"), email.text("username"), email.text("password")
	d.Email.OnFailure = email.maybe("on_failure")
	email.rest()
	slack := sent.below("slack")
	d.Slack.Enabled, d.Slack.WebhookURL, d.Slack.Channel = slack.truth("enabled"), slack.text("webhook_url"), slack.text("channel")
	d.Slack.OnFailure = slack.maybe("on_failure")
	slack.rest()
	sent.rest()

	monitoring := top.below("monitoring")
	m := &c.suite.Monitoring
	m.Enabled = monitoring.maybe("enabled")
	for key, into := range map[string]**int{"metrics_port": &m.MetricsPort, "health_check_port": &m.HealthPort} {
		if v := monitoring.number(key); v != nil {
			port := int(*v)
			*into = &port
		}
	}
	if v := monitoring.number("interval_seconds"); v != nil {
		m.IntervalSeconds = *v
	}
	m.Listen = monitoring.text("listen")
	monitoring.rest()

	security := top.below("security")
	c.suite.Security.Audit = security.truth("enable_audit_logging")
	rbac := security.below("rbac")
	c.suite.Security.RBAC.Enabled, c.suite.Security.RBAC.ConfigFile = rbac.truth("enabled"), rbac.text("config_file")
	rbac.rest()
	tls := security.below("tls")
	c.suite.Security.TLS.Enabled, c.suite.Security.TLS.ConfigFile = tls.truth("enabled"), tls.text("config_file")
	tls.rest()
	security.rest()
}

// maybe takes a boolean; nil if there is none.
func (n node) maybe(key string) *bool {
	v, said := n.take(key).(bool)
	if !said {
		return nil
	}
	return &v
}
