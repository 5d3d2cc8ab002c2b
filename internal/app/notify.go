package app

import (
	"context"

	"sendoff/activities"
	"sendoff/internal/config"
	"sendoff/internal/notify"
)

// newNotifier returns what sends notices, nil when there is nowhere to send them.
func newNotifier(cfg config.Notify) (activities.Notifier, error) {
	if cfg.SMTP == nil && len(cfg.Webhooks) == 0 && len(cfg.Slack) == 0 {
		return nil, nil //nolint:nilnil // activities park a notice then, and say so
	}
	c := notify.Config{Webhooks: map[string]notify.Webhook{}, Slack: map[string]notify.Slack{}}
	if s := cfg.SMTP; s != nil {
		c.SMTP = &notify.SMTP{
			Host: s.Host, Port: s.Port, TLS: notify.TLSMode(s.TLS), From: s.From, Username: s.Username, Password: s.Password.Reveal(),
		}
	}
	for name, w := range cfg.Webhooks {
		c.Webhooks[name] = notify.Webhook{URL: w.URL, Secret: w.Secret.Reveal()}
	}
	for name, w := range cfg.Slack {
		c.Slack[name] = notify.Slack{URL: w.URL.Reveal()}
	}
	n, err := notify.New(c)
	if err != nil {
		return nil, err
	}
	return worded{n}, nil
}

// worded gives the notifier the words of activities.
type worded struct{ *notify.Notifier }

// Notify sends the notice.
func (n worded) Notify(ctx context.Context, notice activities.Notice) error {
	return n.Notifier.Notify(ctx, notify.Notice{
		Channel: notice.Channel, To: notice.To, Message: notice.Message,
		CaseID: notice.CaseID, PlanID: notice.PlanID, Step: notice.Step, Key: notice.Key,
	})
}
