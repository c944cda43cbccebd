// Package summary_test tests package summary.
package summary_test
