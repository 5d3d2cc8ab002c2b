// Package scim is a SCIM 2.0 server (RFC 7643, RFC 7644) as identity providers
// really speak to one: a thin layer over a filter parser. It keeps resources
// through a port and tells employments of what they say.
package scim
