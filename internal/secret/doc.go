// Package secret keeps what must not be read: it seals credentials for the
// database and payloads for Temporal, makes API tokens, and hides secrets from
// logs and errors.
//
// Everything is derived from one root key, 32 random bytes in a file that only
// its owner may read. Several root keys may be known: the first seals, all open.
package secret
