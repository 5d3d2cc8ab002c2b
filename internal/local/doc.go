// Package local runs the two servers sendoff stands on, Postgres and Temporal,
// as children of this process: for `sendoff up`, for the demo and for tests.
//
// Both are real: Postgres from the machine's own server binaries, Temporal from
// the official CLI's development server. They listen on 127.0.0.1 only, keep
// their data below one directory, and end when this process ends, however it
// ends. The next start on the same directory finds the data again.
package local
