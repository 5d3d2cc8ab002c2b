// Package conformance is the suite that every connector must pass. It runs the
// connector over its vendor's simulator, through a wire of the suite's own that
// records each request and spoils answers, so that what it says of requests sent
// rests on nothing the connector's author wrote. docs/connectors.md tells how to
// use it.
package conformance
