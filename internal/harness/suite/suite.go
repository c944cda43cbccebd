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
	Global       Global            `yaml:"global"`
	Server       Server            `yaml:"server"`
	Groups       []Group           `yaml:"test_suites"`
	Reporting    Reporting         `yaml:"reporting"`
	Baselines    Baselines         `yaml:"performance"`
	Environments map[string]Change `yaml:"environments"`
}

// Global is what holds for all cases.
type Global struct {
	Environment string `yaml:"environment"` // of Environments, where the command line names none
	// MaxConcurrency is how many servers run cases at once.
	MaxConcurrency int `yaml:"max_global_concurrency"`
	// TimeoutSeconds bounds each request, where a case says nothing else.
	TimeoutSeconds float64 `yaml:"global_timeout_seconds"`
	FailFast       bool    `yaml:"fail_fast"`
	Retry          Retry   `yaml:"retry"`
	Limits         struct {
		MaxMemoryMB int `yaml:"max_memory_mb"`
	} `yaml:"resource_limits"`
}

// Change is what an environment changes in Global; nil leaves it.
type Change struct {
	MaxConcurrency *int     `yaml:"max_global_concurrency"`
	TimeoutSeconds *float64 `yaml:"global_timeout_seconds"`
	FailFast       *bool    `yaml:"fail_fast"`
}

// Retry says how often a failed case is tried again. A case that passes then is flaky,
// which is a finding.
type Retry struct {
	Max         int      `yaml:"max_retries"`
	DelayMS     int      `yaml:"retry_delay_ms"`
	Exponential bool     `yaml:"exponential_backoff"`
	Patterns    []string `yaml:"retry_on_patterns"`
}

// Server says how to reach the server: a command over its standard streams, an address,
// or a command that listens at the address.
type Server struct {
	Command    string            `yaml:"command"`
	Args       []string          `yaml:"args"`
	WorkingDir string            `yaml:"working_dir"` // relative to the suite's folder
	Env        map[string]string `yaml:"env"`
	Transport  string            `yaml:"transport"` // stdio or http
	URL        string            `yaml:"url"`
	Headers    map[string]string `yaml:"headers"`
	// Protocol is auto, or the revision that must be negotiated.
	Protocol            string  `yaml:"protocol"`
	StartTimeoutSeconds float64 `yaml:"startup_timeout_seconds"`
	// MaxListTokens bounds what the list of tools costs a model; 0 for no bound.
	MaxListTokens int `yaml:"max_list_tokens"`
	// Contract is the file of a snapshot that the server must keep to, relative to the
	// suite's folder; empty for none.
	Contract string `yaml:"contract"`
}

// Group is cases under one name.
type Group struct {
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Tags        []string `yaml:"tags"`
	Cases       []Case   `yaml:"test_cases"`
}

// Case is one call with what it expects, or steps that share a server.
type Case struct {
	Name           string           `yaml:"name"`
	Description    string           `yaml:"description"`
	Enabled        *bool            `yaml:"enabled"`
	Tags           []string         `yaml:"tags"`
	DependsOn      []string         `yaml:"depends_on"`
	Matrix         map[string][]any `yaml:"matrix"`
	Retries        *int             `yaml:"retries"`
	TimeoutSeconds float64          `yaml:"timeout_seconds"`
	Step           `yaml:",inline"`
	Steps          []NamedStep `yaml:"steps"`
}

// Step is one request.
type Step struct {
	Tool  string         `yaml:"tool"`
	Input map[string]any `yaml:"input"`
	// Method and Params make a request other than tools/call.
	Method      string            `yaml:"method"`
	Params      map[string]any    `yaml:"params"`
	Expected    Expected          `yaml:"expected"`
	ExpectError bool              `yaml:"expect_error"`
	Performance Performance       `yaml:"performance"`
	Store       map[string]string `yaml:"store"`
}

// NamedStep is a step of several.
type NamedStep struct {
	Name string `yaml:"name"`
	Step `yaml:",inline"`
}

// Expected is what an answer must hold. Patterns are regular expressions (RE2) on the
// text of the result or of its error.
type Expected struct {
	Patterns    []string `yaml:"patterns"`
	NotPatterns []string `yaml:"not_patterns"`
	JSON        []Query  `yaml:"json"`
	ErrorCode   *int     `yaml:"error_code"`
}

// Query is a JSONPath (RFC 9535) into the structured result (or into its text, where that
// is JSON), and what must hold of what it finds. Without a condition it must find
// something.
type Query struct {
	Path     string `yaml:"path"`
	Equals   any    `yaml:"equals"`
	Contains any    `yaml:"contains"`
	Matches  string `yaml:"matches"`
	Exists   *bool  `yaml:"exists"`
	Count    *int   `yaml:"count"`
}

// Performance bounds one answer.
type Performance struct {
	MaxDurationMS float64 `yaml:"max_duration_ms"`
	MaxBytes      int     `yaml:"max_result_bytes"`
}

// Reporting says which reports a run writes, and how long they are kept.
type Reporting struct {
	OutputDir     string   `yaml:"output_dir"`
	Formats       []string `yaml:"formats"`
	RetentionDays int      `yaml:"retention_days"`
}

// Baselines says where response times are kept and by how much a case may be slower. The
// thresholds are percents; 0 means the usual 25, 50 and 100.
type Baselines struct {
	Folder     string `yaml:"baseline_storage_path"` // relative to the suite's folder
	Thresholds struct {
		Warning  float64 `yaml:"warning_threshold_percent"`
		Error    float64 `yaml:"error_threshold_percent"`
		Critical float64 `yaml:"critical_threshold_percent"`
	} `yaml:"thresholds"`
}
