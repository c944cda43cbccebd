// Package service_test runs services on clocks and ports of its own.
package service_test
