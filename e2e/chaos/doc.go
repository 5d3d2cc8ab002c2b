// Package chaos holds tests that kill what the product is made of, at named
// points of its work, while its vendor misbehaves.
package chaos
