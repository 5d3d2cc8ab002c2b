// Package hooks proves that webhooks come from whom they say, and reads what they
// tell of employments. It is pure: keys, clocks and mappings are given.
package hooks
