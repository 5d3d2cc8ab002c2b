// Package web is the HTTP API of sendoff: it decodes, asks one port, and
// encodes. Nobody gets in without a token; each operation names the roles that
// may call it; each error is a problem document (RFC 9457) with a code and the
// way out. The API describes itself in OpenAPI 3.1 at /openapi.json.
package web
