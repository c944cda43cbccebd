package suite

// refused are keys of other tools, with advice on what to do instead. They are errors,
// because otherwise a setting would silently have no effect.
var refused = map[string]string{
	"monitoring.prometheus":                          "Prometheus reads from the service: deploy/prometheus has its configuration",
	"monitoring.alerts":                              "the limits are in the rules: change deploy/prometheus/harness.rules.yml",
	"performance.enable_trend_analysis":              "compare two programs with `bridge harness bench --against`, or with a baseline",
	"performance.retention_days":                     "a baseline is kept until it is measured again",
	"performance.baseline_updates":                   "run `bridge harness baseline update` to measure a baseline again",
	"security.audit_log_path":                        "actions go into the audit log of bridge, which cannot be changed unnoticed: `bridge audit` shows it",
	"security.data_protection":                       "take secrets from the environment with ${VAR}; reports are redacted, and can be read by their owner only",
	"reporting.distribution.email.daily_summary":     "mail is sent when a run has findings; the metrics of `bridge harness serve` show the rest",
	"reporting.distribution.slack.weekly_summary":    "a post is sent when a run has findings; the metrics of `bridge harness serve` show the rest",
	"global.log_level":                               "use the flag --log-level",
	"global.max_network_connections":                 "connections of a server cannot be counted portably",
	"global.resource_limits.max_cpu_seconds":         "processor time is not limited; global_timeout_seconds limits each request",
	"global.resource_limits.max_disk_usage_mb":       "disk usage of a server cannot be distinguished from that of other processes",
	"global.resource_limits.max_network_connections": "connections of a server cannot be counted portably",
	"server.health_check":                            "each run starts its servers; a server that does not answer is a finding",
	"server.connection_pool":                         "each concurrent case has one connection; see global.max_global_concurrency",
	"server.websocket":                               "MCP has no websocket transport: use stdio or http",
	"server.auth":                                    "put the header into server.headers, with ${VAR} for its secret",
}
