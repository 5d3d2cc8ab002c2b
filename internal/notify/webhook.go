package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sendoff/schema"
)

// Webhook is a program that is told by a signed POST (standardwebhooks.com).
type Webhook struct {
	URL    string // https, or http on loopback
	Secret string // base64, with or without whsec_ before it
}

const (
	maxDrained   = 64 << 10 // bytes of an answer; what it says does not matter
	webhookEvent = "sendoff.notice"
)

// payload is what is posted.
type payload struct {
	ID        string      `json:"id"`
	Type      string      `json:"type"`
	Timestamp string      `json:"timestamp"`
	Data      payloadData `json:"data"`
}

type payloadData struct {
	CaseID  schema.CaseID `json:"case_id"`
	PlanID  schema.PlanID `json:"plan_id"`
	Step    int           `json:"step"`
	Message string        `json:"message"`
}

type hook struct {
	name   string
	url    string
	signer *standardwebhooks.Webhook
	client *http.Client
}

func newHook(name string, w Webhook, client *http.Client) (hook, error) {
	u, err := url.Parse(w.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname()))) {
		return hook{}, invalid("webhook "+name+" has no https URL", "use https; http is for 127.0.0.1")
	}
	signer, err := standardwebhooks.NewWebhook(w.Secret)
	if err != nil || w.Secret == "" {
		return hook{}, invalid("webhook "+name+" has no usable secret", "use base64 of 24 to 64 random bytes")
	}
	return hook{name: name, url: u.String(), signer: signer, client: client}, nil
}

func newHTTPClient(timeout time.Duration, roots *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: timeout}).DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout:        time.Minute,
		},
		// A redirect would show the notice to somebody it was not signed for.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// webhooks posts to each of the notice's webhooks.
func (n *Notifier) webhooks(ctx context.Context, notice Notice) []*schema.Error {
	var failures []*schema.Error
	for _, name := range notice.To {
		h, ok := n.hooks[name]
		if !ok {
			failures = append(failures, invalid("there is no webhook of the name "+strconv.Quote(name), "add it to notify.webhooks in the settings of server and worker"))
			continue
		}
		id := messageID(notice.Key, name)
		if n.remembered(id) {
			continue
		}
		if err := h.post(ctx, id, notice, n.now()); err != nil {
			failures = append(failures, err)
			continue
		}
		n.remember(id)
	}
	return failures
}

func (h hook) post(ctx context.Context, id string, notice Notice, now time.Time) *schema.Error {
	body, err := json.Marshal(payload{
		ID: id, Type: webhookEvent, Timestamp: now.UTC().Format(time.RFC3339),
		Data: payloadData{CaseID: notice.CaseID, PlanID: notice.PlanID, Step: notice.Step, Message: notice.Message},
	})
	if err != nil {
		return invalid("the notice cannot be written as JSON", "mend the template")
	}
	signature, err := h.signer.Sign(id, now, body)
	if err != nil {
		return invalid("the notice cannot be signed", "check the webhook's secret")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return invalid("webhook "+h.name+" has an URL that cannot be used", "mend the settings")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "sendoff")
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	res, err := h.client.Do(req)
	if err != nil {
		return unavailable("webhook " + h.name + " does not answer") // the library's text repeats the URL
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxDrained)) // for the connection's sake
	_ = res.Body.Close()
	return h.judge(res.StatusCode)
}

func (h hook) judge(status int) *schema.Error {
	said := fmt.Sprintf("webhook %s answered %d", h.name, status)
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return unavailable(said)
	case status >= 300 && status < 400:
		return refused(said+": redirects are not followed", "give the webhook its final URL, then resume")
	}
	return refused(said, "mend the receiver or its secret, then resume")
}
