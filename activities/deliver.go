package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"sendoff/internal/notices"
	"sendoff/schema"
)

// NoticeRecords keeps the notices that were queued, and what became of them.
type NoticeRecords interface {
	QueuedNotice(ctx context.Context, id schema.NoticeID) (schema.QueuedNotice, error)
	// NoticeFacts returns what a notice may tell as it is now, and whom. The leaver
	// is never among them.
	NoticeFacts(ctx context.Context, id schema.NoticeID) (schema.NoticeFacts, error)
	// NoticeRulesVersion returns the rules of a version; CodeNotFound.
	NoticeRulesVersion(ctx context.Context, version int) (schema.NoticeRules, error)
	// RecordNotice keeps what a try came to, with the audit record of one that ended.
	// A notice that has ended stays as it is.
	RecordNotice(ctx context.Context, id schema.NoticeID, o schema.NoticeOutcome) error
}

// DeliveriesConfig is what Deliveries is built from.
type DeliveriesConfig struct {
	Store    NoticeRecords
	Notifier Notifier // nil = nothing is configured that could take a notice
	// PublicURL is where browsers reach the server's API; empty = nowhere.
	PublicURL string
	// AskToken is the token of a question's link. It is stored and logged nowhere;
	// nil = questions have no links.
	AskToken func(schema.AskID) string
}

// Deliveries delivers notices.
type Deliveries struct{ cfg DeliveriesConfig }

// NewDeliveries returns the activities of notices.
func NewDeliveries(cfg DeliveriesConfig) *Deliveries { return &Deliveries{cfg: cfg} }

// DeliverInput names a notice.
type DeliverInput struct {
	NoticeID schema.NoticeID `json:"notice_id"`
}

// DeliverNotice writes a notice's text from what is true now, sends it and keeps
// what came of it. What may help when it is tried again is an error; what was
// refused for good is recorded and is none. A crash between the send and the
// record repeats the send with the same key, by which its receiver can tell.
func (d *Deliveries) DeliverNotice(ctx context.Context, in DeliverInput) error {
	q, err := d.cfg.Store.QueuedNotice(ctx, in.NoticeID)
	if err != nil || q.State != schema.NoticePending {
		return err
	}
	facts, err := d.cfg.Store.NoticeFacts(ctx, q.ID)
	if err != nil {
		return err
	}
	if facts.Campaign != nil && facts.Campaign.Over {
		return d.record(ctx, q.ID, schema.NoticeSkipped, "OVER: nothing is left to do for whom it is to", "")
	}
	if unsendable := d.prepare(&facts); unsendable != "" {
		return d.record(ctx, q.ID, schema.NoticeFailed, unsendable, "")
	}
	text, err := d.write(ctx, q, facts)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(text))
	hash := hex.EncodeToString(sum[:])
	if d.cfg.Notifier == nil {
		return d.record(ctx, q.ID, schema.NoticeFailed, "neither mail nor webhooks nor Slack are configured", hash)
	}
	err = d.cfg.Notifier.Notify(ctx, Notice{
		Channel: q.Channel, To: facts.To, Message: text, CaseID: facts.CaseID, PlanID: facts.PlanID, Key: string(q.ID),
	})
	return d.judge(ctx, q.ID, hash, facts.Ask != nil && facts.Ask.Link != "", err)
}

func (d *Deliveries) write(ctx context.Context, q schema.QueuedNotice, facts schema.NoticeFacts) (string, error) {
	rules, err := d.cfg.Store.NoticeRulesVersion(ctx, q.Version)
	if err != nil {
		return "", err
	}
	return notices.Render(rules, facts)
}

// prepare adds what only the worker knows, and says why a notice cannot be sent.
func (d *Deliveries) prepare(facts *schema.NoticeFacts) string {
	facts.PublicURL = d.cfg.PublicURL
	switch ask := facts.Ask; {
	case ask != nil && ask.Over:
		return "OVER: no answer is awaited any more"
	case len(facts.To) == 0:
		return "NO_RECIPIENT: nobody to tell is known, or it would be the leaver"
	case ask == nil || d.cfg.PublicURL == "" || d.cfg.AskToken == nil:
		return ""
	default:
		token := d.cfg.AskToken(ask.ID)
		if sum := sha256.Sum256([]byte(token)); hex.EncodeToString(sum[:]) != ask.TokenHash {
			return "KEY_CHANGED: the question was made with another root key, so that its link would not work"
		}
		ask.Link = strings.TrimRight(d.cfg.PublicURL, "/") + "/answer/" + token
		return ""
	}
}

// judge keeps what a send came to.
func (d *Deliveries) judge(ctx context.Context, id schema.NoticeID, hash string, linked bool, sent error) error {
	if sent == nil {
		return d.cfg.Store.RecordNotice(ctx, id, schema.NoticeOutcome{State: schema.NoticeDelivered, TextHash: hash, Linked: linked})
	}
	var e *schema.Error
	if !errors.As(sent, &e) {
		return sent // a cancelled context, or what nobody foresaw
	}
	switch e.Code {
	case schema.CodeInvalid, schema.CodeRefused:
		return d.record(ctx, id, schema.NoticeFailed, e.Message, hash)
	}
	if err := d.record(ctx, id, schema.NoticePending, e.Message, hash); err != nil {
		return err
	}
	return sent
}

// AbandonNotice records that a notice was given up.
func (d *Deliveries) AbandonNotice(ctx context.Context, in DeliverInput) error {
	q, err := d.cfg.Store.QueuedNotice(ctx, in.NoticeID)
	if err != nil || q.State != schema.NoticePending {
		return err
	}
	told := "given up after " + tries(q.Attempts)
	if q.LastError != "" {
		told += ": " + q.LastError
	}
	return d.record(ctx, q.ID, schema.NoticeFailed, told, q.TextHash)
}

func (d *Deliveries) record(ctx context.Context, id schema.NoticeID, state schema.NoticeState, message, hash string) error {
	return d.cfg.Store.RecordNotice(ctx, id, schema.NoticeOutcome{State: state, Error: message, TextHash: hash})
}

func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return strconv.Itoa(n) + " tries"
}
