// Package schema holds the words of sendoff as Go types, the legal moves of
// their states, and the SQL migrations that store them. It imports the
// standard library alone, so that every other package may speak it.
//
// A person has employments and accounts. An account lives in a connection, a
// named and configured instance of a connector. A case says why we act on a
// person; it makes one plan for each account. A plan is an ordered list of
// steps with a hash over the facts it was approved for.
package schema
