// Package slacksim simulates Slack's incoming webhooks, from Slack's documents.
package slacksim
