// Package activities holds everything of an offboarding that touches the world:
// vendors through connectors, and the database through the ports declared here.
// Workflows call them by way of workflows/steps.go. classify.go is the only
// maker of Temporal errors.
package activities
