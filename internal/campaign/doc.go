// Package campaign judges the items of campaigns: how much harm an access can do,
// what the facts speak for, whether the last answer is taken over, what a
// revocation does, and why access came back. It is pure.
//
// What is not known speaks for nothing: neither for a risk nor for an answer.
package campaign
