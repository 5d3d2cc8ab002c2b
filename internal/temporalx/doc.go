// Package temporalx is how sendoff talks to Temporal: a client that encrypts,
// strict workflow starts, updates that end, and errors one can decide on. The
// SDK's own calls have defaults that hide what matters here; code outside this
// package does not start, update or signal workflows without it.
package temporalx
