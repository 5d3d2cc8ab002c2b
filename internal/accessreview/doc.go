// Package accessreview reads access reviews and says what their campaigns take. It
// is pure: what it judges is given to it.
package accessreview
