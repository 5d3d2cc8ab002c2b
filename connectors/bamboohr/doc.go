// Package bamboohr reads employments from BambooHR's API, version 1
// (https://documentation.bamboohr.com/reference): who changed, and what is said of
// them now and for days to come. It only reads.
package bamboohr
