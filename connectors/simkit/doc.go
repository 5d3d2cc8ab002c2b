// Package simkit holds what every vendor simulator needs: a log of requests, a
// schedule of faults, a clock that runs faster than the wall, and a loopback
// server that ends with its context. It knows no vendor.
package simkit
