// Package suite reads the files that say what to test: one server, how it is started and
// cases with what they expect. docs/harness.md explains the format.
//
// A suite is checked whole before anything is started. Unknown keys, variables without a
// value, patterns that cannot be read and cases that depend on nobody are errors that
// name the line.
package suite

// Suite is one file.
type Suite struct {
	Path         string            `yaml:"-"`
	Global       Global            `yaml:"global,omitempty"`
	Server       Server            `yaml:"server,omitempty"`
	Groups       []Group           `yaml:"test_suites,omitempty"`
	Reporting    Reporting         `yaml:"reporting,omitempty"`
	Baselines    Baselines         `yaml:"performance,omitempty"`
	Security     Security          `yaml:"security,omitempty"`
	Monitoring   Monitoring        `yaml:"monitoring,omitempty"`
	Environments map[string]Change `yaml:"environments,omitempty"`
}

// Global is what holds for all cases.
type Global struct {
	Environment string `yaml:"environment,omitempty"` // of Environments, where the command line names none
	// MaxConcurrency is how many servers run cases at once.
	MaxConcurrency int `yaml:"max_global_concurrency,omitempty"`
	// TimeoutSeconds bounds each request, where a case says nothing else.
	TimeoutSeconds float64 `yaml:"global_timeout_seconds,omitempty"`
	FailFast       bool    `yaml:"fail_fast,omitempty"`
	Retry          Retry   `yaml:"retry,omitempty"`
	Limits         struct {
		MaxMemoryMB int `yaml:"max_memory_mb,omitempty"`
	} `yaml:"resource_limits,omitempty"`
}

// Change is what an environment changes in Global; nil leaves it.
type Change struct {
	MaxConcurrency *int     `yaml:"max_global_concurrency,omitempty"`
	TimeoutSeconds *float64 `yaml:"global_timeout_seconds,omitempty"`
	FailFast       *bool    `yaml:"fail_fast,omitempty"`
}

// Retry says how often a failed case is tried again. A case that passes then is flaky,
// which is a finding.
type Retry struct {
	Max         int      `yaml:"max_retries,omitempty"`
	DelayMS     int      `yaml:"retry_delay_ms,omitempty"`
	Exponential bool     `yaml:"exponential_backoff,omitempty"`
	Patterns    []string `yaml:"retry_on_patterns,omitempty"`
}

// Server says how to reach the server: a command over its standard streams, an address,
// or a command that listens at the address.
type Server struct {
	Command    string            `yaml:"command,omitempty"`
	Args       []string          `yaml:"args,omitempty"`
	WorkingDir string            `yaml:"working_dir,omitempty"` // relative to the suite's folder
	Env        map[string]string `yaml:"env,omitempty"`
	Transport  string            `yaml:"transport,omitempty"` // stdio or http
	URL        string            `yaml:"url,omitempty"`
	Headers    map[string]string `yaml:"headers,omitempty"`
	// Protocol is auto, or the revision that must be negotiated.
	Protocol            string  `yaml:"protocol,omitempty"`
	StartTimeoutSeconds float64 `yaml:"startup_timeout_seconds,omitempty"`
	// MaxListTokens bounds what the list of tools costs a model; 0 for no bound.
	MaxListTokens int `yaml:"max_list_tokens,omitempty"`
	// Contract is the file of a snapshot that the server must keep to, relative to the
	// suite's folder; empty for none.
	Contract string `yaml:"contract,omitempty"`
}

// Group is cases under one name.
type Group struct {
	Name        string   `yaml:"name,omitempty"`
	Description string   `yaml:"description,omitempty"`
	Tags        []string `yaml:"tags,omitempty"`
	Cases       []Case   `yaml:"test_cases,omitempty"`
}

// Case is one call with what it expects, or steps that share a server.
type Case struct {
	Name           string           `yaml:"name,omitempty"`
	Description    string           `yaml:"description,omitempty"`
	Enabled        *bool            `yaml:"enabled,omitempty"`
	Tags           []string         `yaml:"tags,omitempty"`
	DependsOn      []string         `yaml:"depends_on,omitempty"`
	Matrix         map[string][]any `yaml:"matrix,omitempty"`
	Retries        *int             `yaml:"retries,omitempty"`
	TimeoutSeconds float64          `yaml:"timeout_seconds,omitempty"`
	Step           `yaml:",inline"`
	Steps          []NamedStep `yaml:"steps,omitempty"`
}

// Step is one request.
type Step struct {
	Tool  string         `yaml:"tool,omitempty"`
	Input map[string]any `yaml:"input,omitempty"`
	// Method and Params make a request other than tools/call.
	Method      string            `yaml:"method,omitempty"`
	Params      map[string]any    `yaml:"params,omitempty"`
	Expected    Expected          `yaml:"expected,omitempty"`
	ExpectError bool              `yaml:"expect_error,omitempty"`
	Performance Performance       `yaml:"performance,omitempty"`
	Store       map[string]string `yaml:"store,omitempty"`
}

// NamedStep is a step of several.
type NamedStep struct {
	Name string `yaml:"name,omitempty"`
	Step `yaml:",inline"`
}

// Expected is what an answer must hold. Patterns are regular expressions (RE2) on the
// text of the result or of its error.
type Expected struct {
	Patterns    []string `yaml:"patterns,omitempty"`
	NotPatterns []string `yaml:"not_patterns,omitempty"`
	JSON        []Query  `yaml:"json,omitempty"`
	ErrorCode   *int     `yaml:"error_code,omitempty"`
}

// Query is a JSONPath (RFC 9535) into the structured result (or into its text, where that
// is JSON), and what must hold of what it finds. Without a condition it must find
// something.
type Query struct {
	Path     string `yaml:"path,omitempty"`
	Equals   any    `yaml:"equals,omitempty"`
	Contains any    `yaml:"contains,omitempty"`
	Matches  string `yaml:"matches,omitempty"`
	Exists   *bool  `yaml:"exists,omitempty"`
	Count    *int   `yaml:"count,omitempty"`
	// Type is a type of JSON Schema: string, number, integer, boolean, array, object, null.
	Type string `yaml:"type,omitempty"`
	// Min and Max bound a number, or the length of a text, an array or an object.
	Min *float64 `yaml:"min,omitempty"`
	Max *float64 `yaml:"max,omitempty"`
	// Optional lets the path find nothing.
	Optional bool `yaml:"optional,omitempty"`
}

// Performance bounds one answer.
type Performance struct {
	MaxDurationMS float64 `yaml:"max_duration_ms,omitempty"`
	MaxBytes      int     `yaml:"max_result_bytes,omitempty"`
}

// Reporting says which reports a run writes, how long they are kept and who is told.
type Reporting struct {
	OutputDir     string       `yaml:"output_dir,omitempty"`
	Formats       []string     `yaml:"formats,omitempty"`
	RetentionDays int          `yaml:"retention_days,omitempty"`
	Distribution  Distribution `yaml:"distribution,omitempty"`
}

// Baselines says where response times are kept and by how much a case may be slower. The
// thresholds are percents; 0 means the usual 25, 50 and 100.
type Baselines struct {
	Folder     string `yaml:"baseline_storage_path,omitempty"` // relative to the suite's folder
	Thresholds struct {
		Warning  float64 `yaml:"warning_threshold_percent,omitempty"`
		Error    float64 `yaml:"error_threshold_percent,omitempty"`
		Critical float64 `yaml:"critical_threshold_percent,omitempty"`
	} `yaml:"thresholds,omitempty"`
}
