// Package roster reads rosters: who is employed, as an HR system writes it. It is
// pure: text in, employments or every fault at once out.
package roster
