// Package match compiles what policies ask of accounts, in CEL: typed, checked
// when it is read, and bounded in what it costs.
package match
