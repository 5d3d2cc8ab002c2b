// Package evidence writes what a campaign comes to as files for an auditor: JSON
// that is hashed, signed and read again, CSV for a spreadsheet, and a page to print.
// The same campaign is the same bytes, but for the time of its export.
package evidence
