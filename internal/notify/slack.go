package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sendoff/schema"
)

// Slack is an incoming webhook of Slack. Who has its URL can post by it, so the
// URL is a secret.
type Slack struct {
	URL string // https, or http on loopback
}

const (
	maxSlackSaid = 256 // bytes of an answer: Slack's errors are one word
	maxPause     = time.Hour
)

// slackChannel posts to one webhook.
type slackChannel struct {
	name   string
	url    string
	client *http.Client
}

// slackText is what is posted (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
type slackText struct {
	Text string `json:"text"`
}

func newSlack(name string, s Slack, client *http.Client) (slackChannel, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname()))) {
		return slackChannel{}, invalid("the Slack webhook "+name+" has no https URL", "copy the URL that Slack shows for it; http is for 127.0.0.1")
	}
	return slackChannel{name: name, url: u.String(), client: client}, nil
}

// slacks posts to each of the notice's Slack webhooks.
func (n *Notifier) slacks(ctx context.Context, notice Notice) []*schema.Error {
	var failures []*schema.Error
	for _, name := range notice.To {
		s, ok := n.slack[name]
		if !ok {
			failures = append(failures, invalid("there is no Slack webhook of the name "+strconv.Quote(name), "add it to notify.slack in the settings of server and worker"))
			continue
		}
		id := messageID(notice.Key, name)
		if n.remembered(id) {
			continue
		}
		if err := n.postSlack(ctx, s, notice); err != nil {
			failures = append(failures, err)
			continue
		}
		n.remember(id)
	}
	return failures
}

// postSlack posts the notice, unless Slack asked for a pause that is not over.
func (n *Notifier) postSlack(ctx context.Context, s slackChannel, notice Notice) *schema.Error {
	if n.paused(s.name) {
		return unavailable("Slack asked for a pause before the next message to " + s.name)
	}
	body, err := json.Marshal(slackText{Text: slackEscape(notice.Message)})
	if err != nil {
		return invalid("the notice cannot be written as JSON", "mend its text")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return invalid("the Slack webhook "+s.name+" has an URL that cannot be used", "mend the settings")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "sendoff")
	res, err := s.client.Do(req)
	if err != nil {
		return unavailable("Slack does not answer for " + s.name) // the library's text repeats the URL
	}
	said, err := io.ReadAll(io.LimitReader(res.Body, maxSlackSaid))
	_ = res.Body.Close()
	if pause := retryAfter(res); pause > 0 {
		n.pause(s.name, pause)
	}
	if err != nil {
		return unavailable("Slack broke off its answer for " + s.name)
	}
	return s.judge(res.StatusCode, strings.TrimSpace(string(said)))
}

// slackEscape takes the meaning out of what Slack reads as mentions, links and
// entities: a name of HR must not call a whole channel
// (https://docs.slack.dev/messaging/formatting-message-text, "Escaping text").
func slackEscape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// judge reads Slack's answer: `ok` is acceptance, anything else with 200 comes
// from somebody in between.
func (s slackChannel) judge(status int, said string) *schema.Error {
	told := fmt.Sprintf("Slack answered %d for %s", status, s.name)
	if word := slackWord(said); word != "" && status != http.StatusOK {
		told += " (" + word + ")"
	}
	switch {
	case status == http.StatusOK && said == "ok":
		return nil
	case status == http.StatusOK:
		return unavailable(told + ", and not with ok")
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return unavailable(told)
	case status >= 300 && status < 400:
		return refused(told+": redirects are not followed", "give the webhook the URL that Slack shows for it")
	}
	return refused(told, "look whether the channel and the webhook still exist, and put a new URL into the settings")
}

// slackWord is an error of Slack's, such as channel_is_archived; a page of
// somebody else's is not repeated.
func slackWord(said string) string {
	if strings.Trim(said, "abcdefghijklmnopqrstuvwxyz_") != "" || len(said) > 64 {
		return ""
	}
	return said
}

// retryAfter is the pause that an answer asks for, in seconds (RFC 9110 section
// 10.2.3).
func retryAfter(res *http.Response) time.Duration {
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || seconds <= 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxPause)
}

func (n *Notifier) pause(name string, d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pauses[name] = n.now().Add(d)
}

func (n *Notifier) paused(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now().Before(n.pauses[name])
}
