// Package slacksim simulates Slack's incoming webhooks, from Slack's documents:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks for
// the form and the errors, https://docs.slack.dev/apis/web-api/rate-limits for
// the rate. Answers are plain text. What a channel shows is kept as a reader sees
// it, so that a mention that was not escaped is seen.
package slacksim
