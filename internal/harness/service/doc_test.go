// Package service_test runs services with fake clocks and free ports.
package service_test
