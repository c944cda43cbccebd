// Package suite reads the files that describe tests: one server, how it is started, and
// cases with their expectations. docs/harness.md describes the format.
//
// A suite is checked completely before anything is started. Unknown keys, variables without
// a value, invalid patterns and dependencies on missing cases are errors that give the
// line.
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

// Global holds the settings for all cases.
type Global struct {
	Environment string `yaml:"environment,omitempty"` // one of Environments, used if the command line names none
	// MaxConcurrency is how many servers run cases concurrently.
	MaxConcurrency int `yaml:"max_global_concurrency,omitempty"`
	// TimeoutSeconds is the time limit of each request, unless a case sets its own.
	TimeoutSeconds float64 `yaml:"global_timeout_seconds,omitempty"`
	FailFast       bool    `yaml:"fail_fast,omitempty"`
	Retry          Retry   `yaml:"retry,omitempty"`
	Limits         struct {
		MaxMemoryMB int `yaml:"max_memory_mb,omitempty"`
	} `yaml:"resource_limits,omitempty"`
}

// Change holds the settings of Global that an environment changes; nil leaves a setting
// unchanged.
type Change struct {
	MaxConcurrency *int     `yaml:"max_global_concurrency,omitempty"`
	TimeoutSeconds *float64 `yaml:"global_timeout_seconds,omitempty"`
	FailFast       *bool    `yaml:"fail_fast,omitempty"`
}

// Retry says how often a failed case is repeated. A case that then passes is flaky, which
// is a finding.
type Retry struct {
	Max         int      `yaml:"max_retries,omitempty"`
	DelayMS     int      `yaml:"retry_delay_ms,omitempty"`
	Exponential bool     `yaml:"exponential_backoff,omitempty"`
	Patterns    []string `yaml:"retry_on_patterns,omitempty"`
}

// Server says how to reach the server: by a command that uses standard streams, by an
// address, or by a command that listens at the address.
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
	// MaxListTokens is the maximum number of tokens that the list of tools may take up in a
	// model's context; 0 for no limit.
	MaxListTokens int `yaml:"max_list_tokens,omitempty"`
	// Contract is the snapshot file that the server must comply with, relative to the
	// suite's folder; empty for none.
	Contract string `yaml:"contract,omitempty"`
}

// Group is a named group of cases.
type Group struct {
	Name        string   `yaml:"name,omitempty"`
	Description string   `yaml:"description,omitempty"`
	Tags        []string `yaml:"tags,omitempty"`
	Cases       []Case   `yaml:"test_cases,omitempty"`
}

// Case is one call with its expectations, or steps that share a server.
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

// NamedStep is one of several steps.
type NamedStep struct {
	Name string `yaml:"name,omitempty"`
	Step `yaml:",inline"`
}

// Expected is what an answer must contain. Patterns are regular expressions (RE2) on the
// text of the result or of its error.
type Expected struct {
	Patterns    []string `yaml:"patterns,omitempty"`
	NotPatterns []string `yaml:"not_patterns,omitempty"`
	JSON        []Query  `yaml:"json,omitempty"`
	ErrorCode   *int     `yaml:"error_code,omitempty"`
}

// Query is a JSONPath (RFC 9535) applied to the structured result, or to its text if that
// is JSON, with conditions for the value it finds. Without conditions it must find
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
	// Min and Max limit a number, or the length of a string, an array or an object.
	Min *float64 `yaml:"min,omitempty"`
	Max *float64 `yaml:"max,omitempty"`
	// Optional allows the path to find nothing.
	Optional bool `yaml:"optional,omitempty"`
}

// Performance limits one answer.
type Performance struct {
	MaxDurationMS float64 `yaml:"max_duration_ms,omitempty"`
	MaxBytes      int     `yaml:"max_result_bytes,omitempty"`
}

// Reporting says which reports a run writes, how long they are kept, and who is notified.
type Reporting struct {
	OutputDir     string       `yaml:"output_dir,omitempty"`
	Formats       []string     `yaml:"formats,omitempty"`
	RetentionDays int          `yaml:"retention_days,omitempty"`
	Distribution  Distribution `yaml:"distribution,omitempty"`
}

// Baselines says where response times are stored, and by how much a case may be slower. The
// thresholds are percentages; 0 means the defaults of 25, 50 and 100.
type Baselines struct {
	Folder     string `yaml:"baseline_storage_path,omitempty"` // relative to the suite's folder
	Thresholds struct {
		Warning  float64 `yaml:"warning_threshold_percent,omitempty"`
		Error    float64 `yaml:"error_threshold_percent,omitempty"`
		Critical float64 `yaml:"critical_threshold_percent,omitempty"`
	} `yaml:"thresholds,omitempty"`
}
