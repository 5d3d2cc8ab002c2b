// Package harness starts, for tests, programs that can be killed: they end with
// the test process, however that ends.
package harness
