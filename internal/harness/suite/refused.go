package suite

// refused are the keys that other tools know, and what to do instead. They are errors:
// a setting that has no effect would look like one that has.
var refused = map[string]string{
	"monitoring.prometheus":                          "Prometheus asks the service: deploy/prometheus has the settings for it",
	"monitoring.alerts":                              "the limits stand in the rules: change deploy/prometheus/harness.rules.yml",
	"performance.enable_trend_analysis":              "compare two programs with `bridge harness bench --against`, or with a baseline",
	"performance.retention_days":                     "a baseline is kept until it is measured again",
	"performance.baseline_updates":                   "a baseline is measured again by `bridge harness baseline update`, when you say so",
	"security.audit_log_path":                        "actions go into the audit log of bridge, which cannot be changed unnoticed: `bridge audit` shows it",
	"security.data_protection":                       "take secrets from the environment with ${VAR}; reports are redacted, and can be read by their owner only",
	"reporting.distribution.email.daily_summary":     "mail is sent when a run has findings; the figures of `bridge harness serve` tell the rest",
	"reporting.distribution.slack.weekly_summary":    "a post is sent when a run has findings; the figures of `bridge harness serve` tell the rest",
	"global.log_level":                               "use the flag --log-level",
	"global.max_network_connections":                 "connections of a server cannot be counted portably",
	"global.resource_limits.max_cpu_seconds":         "processor time is not limited; global_timeout_seconds bounds each request",
	"global.resource_limits.max_disk_usage_mb":       "disk usage of a server cannot be told from that of others",
	"global.resource_limits.max_network_connections": "connections of a server cannot be counted portably",
	"server.health_check":                            "each run starts its servers; a server that does not answer is a finding",
	"server.connection_pool":                         "each concurrent case has one connection; see global.max_global_concurrency",
	"server.websocket":                               "MCP has no websocket transport: use stdio or http",
	"server.auth":                                    "put the header into server.headers, with ${VAR} for its secret",
}
