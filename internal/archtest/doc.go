// Package archtest holds the tests that keep the arrows between the module's packages as drawn. It has no code of
// its own; the rules are in rules_test.go, one line and one reason each.
package archtest
