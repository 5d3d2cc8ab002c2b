// Package inactivity reads inactivity policies and judges accounts by them, now
// and in the past. It is pure: what it judges is given to it.
package inactivity
