// Package httpx is the one HTTP client for vendors. It keeps the promises that
// concern the wire: never force, read-only means read-only, ask before each
// write, no secret and no text of the vendor's in an error. It never retries;
// a fresh token after an expired one is the only second request it makes.
package httpx
