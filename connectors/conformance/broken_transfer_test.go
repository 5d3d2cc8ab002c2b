package conformance_test

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// sending is a connector whose prepared transfers are sent in another way.
type sending struct {
	*deskConn
	send    func(c *deskConn, ctx context.Context, m moved) schema.TransferOutcome
	prepare func(c *deskConn, ctx context.Context, m moved) error
}

// moved is one transfer, the sound way to send it included.
type moved struct {
	connectors.PreparedTransfer
	source, receiver schema.ExternalID
}

// raw sends the transfer request past all guards.
func (m moved) raw(ctx context.Context, c *deskConn) (int, error) {
	status, _, err := c.raw(ctx, http.MethodPost, "/people/"+string(m.source)+"/hand-over", `{"to":"`+string(m.receiver)+`"}`)
	return status, err
}

func (s sending) PrepareTransfer(ctx context.Context, source, receiver schema.ExternalID) (connectors.PreparedTransfer, error) {
	p, err := s.deskConn.PrepareTransfer(ctx, source, receiver)
	if err != nil {
		return nil, err
	}
	m := moved{p, source, receiver}
	if s.prepare != nil {
		if err := s.prepare(s.deskConn, ctx, m); err != nil {
			return nil, err
		}
	}
	if s.send == nil {
		return p, nil
	}
	return sender(func(ctx context.Context) schema.TransferOutcome { return s.send(s.deskConn, ctx, m) }), nil
}

type sender func(context.Context) schema.TransferOutcome

func (s sender) Send(ctx context.Context) schema.TransferOutcome { return s(ctx) }

func outcome(class schema.OutcomeClass, status int) schema.TransferOutcome {
	return schema.TransferOutcome{Class: class, HTTPStatus: status, Reason: "as it is", EndedAt: time.Now().UTC()}
}

func brokenTransfers() []broken {
	// how makes a connector that sends in its own way.
	how := func(send func(*deskConn, context.Context, moved) schema.TransferOutcome) func(*deskConn) connectors.Connector {
		return func(c *deskConn) connectors.Connector { return sending{deskConn: c, send: send} }
	}
	// says makes one that sends as it should and misjudges the answer.
	says := func(judge func(schema.TransferOutcome) schema.TransferOutcome) func(*deskConn) connectors.Connector {
		return how(func(_ *deskConn, ctx context.Context, m moved) schema.TransferOutcome { return judge(m.Send(ctx)) })
	}
	carelessly := how(func(c *deskConn, ctx context.Context, m moved) schema.TransferOutcome {
		status, err := m.raw(ctx, c)
		switch {
		case err != nil:
			return outcome(schema.OutcomeUnknown, 0)
		case status < 300:
			return outcome(schema.OutcomeAccepted, status)
		}
		return outcome(schema.OutcomeUnknown, status)
	})
	return []broken{
		{"resends_after_a_gateway_gave_up", "transfer/once/gateway_timeout", how(func(c *deskConn, ctx context.Context, m moved) schema.TransferOutcome {
			o := m.Send(ctx)
			if o.HTTPStatus >= 500 {
				_, _ = m.raw(ctx, c)
			}
			return o
		})},
		{"resends_after_a_reset", "transfer/once/reset_after", how(func(c *deskConn, ctx context.Context, m moved) schema.TransferOutcome {
			o := m.Send(ctx)
			if o.HTTPStatus == 0 {
				_, _ = m.raw(ctx, c)
			}
			return o
		})},
		{"resends_with_a_fresh_token", "transfer/once/unauthorized_empty", how(func(c *deskConn, ctx context.Context, m moved) schema.TransferOutcome {
			o := m.Send(ctx)
			if o.Class == schema.OutcomeUnauthorized {
				_, _ = m.raw(ctx, c)
			}
			return o
		})},
		{"follows_redirects_of_a_transfer", "transfer/once/redirect_307", carelessly},
		{"sends_what_is_stale", "transfer/not_started/stale", carelessly},
		{"sends_though_paused", "transfer/not_started/paused", carelessly},
		{"sends_again_when_asked_again", "transfer/once/second_send", carelessly},
		{"sends_though_cancelled", "transfer/not_started/cancelled", how(func(_ *deskConn, ctx context.Context, m moved) schema.TransferOutcome {
			return m.Send(context.WithoutCancel(ctx))
		})},
		{"sends_when_preparing", "transfer/prepare_sends_nothing", func(c *deskConn) connectors.Connector {
			return sending{deskConn: c, prepare: func(c *deskConn, ctx context.Context, m moved) error { _, err := m.raw(ctx, c); return err }}
		}},
		{"prepares_when_sending", "transfer/once/quick", how(func(c *deskConn, ctx context.Context, m moved) schema.TransferOutcome {
			_, _ = c.ReadAccount(ctx, m.receiver)
			return m.Send(ctx)
		})},
		{"takes_504_for_a_refusal", "transfer/once/gateway_gone", says(func(o schema.TransferOutcome) schema.TransferOutcome {
			if o.HTTPStatus == http.StatusGatewayTimeout {
				o.Class = schema.OutcomeRefused
			}
			return o
		})},
		{"takes_503_for_not_started", "transfer/once/applied_503", says(func(o schema.TransferOutcome) schema.TransferOutcome {
			if o.HTTPStatus == http.StatusServiceUnavailable {
				o.Class = schema.OutcomeNotStarted
			}
			return o
		})},
		{"takes_a_reset_for_not_started", "transfer/once/dropped", says(func(o schema.TransferOutcome) schema.TransferOutcome {
			if o.HTTPStatus == 0 {
				o.Class = schema.OutcomeNotStarted
			}
			return o
		})},
		{"takes_any_4xx_for_a_refusal", "transfer/once/forbidden_by_gateway", says(func(o schema.TransferOutcome) schema.TransferOutcome {
			if o.HTTPStatus/100 == 4 {
				o.Class = schema.OutcomeRefused
			}
			return o
		})},
		{"takes_busy_for_a_refusal", "transfer/once/busy", says(func(o schema.TransferOutcome) schema.TransferOutcome {
			if o.Class == schema.OutcomeBusy {
				o.Class = schema.OutcomeRefused
			}
			return o
		})},
		{"takes_a_cancelled_call_for_not_started", "transfer/once/hang", says(func(o schema.TransferOutcome) schema.TransferOutcome {
			if o.HTTPStatus == 0 {
				o.Class = schema.OutcomeNotStarted
			}
			return o
		})},
		{"forgets_why_it_was_refused", "transfer/once/suspended", says(func(o schema.TransferOutcome) schema.TransferOutcome { o.Cause = ""; return o })},
		{"forgets_how_long_to_wait", "transfer/once/rate_limited", says(func(o schema.TransferOutcome) schema.TransferOutcome { o.RetryAfter = 0; return o })},
		{"names_people_in_an_outcome", "transfer/once/forbidden", says(func(o schema.TransferOutcome) schema.TransferOutcome {
			o.Reason = "canary-x7q@example.com may not"
			return o
		})},
		{"takes_absence_for_a_failure", "transfer/arrives", func(c *deskConn) connectors.Connector { return strictLocator{c} }},
		{"finds_trash_with_anybody", "transfer/arrives", func(c *deskConn) connectors.Connector { return trashEverywhere{c} }},
	}
}

type strictLocator struct{ *deskConn }

func (c strictLocator) LocateWitness(ctx context.Context, receiver schema.ExternalID, w schema.Witness) (schema.WitnessPlace, error) {
	place, err := c.deskConn.LocateWitness(ctx, receiver, w)
	if err == nil && !place.Found {
		err = &connectors.Error{Kind: connectors.NotFound, Op: "desk.locate_item", Sent: true}
	}
	return place, err
}

type trashEverywhere struct{ *deskConn }

func (c trashEverywhere) LocateTrashed(context.Context, schema.ExternalID, schema.Witness) (bool, error) {
	return true, nil
}

// removing deletes in another way.
type removing struct {
	*deskConn
	remove func(c *deskConn, ctx context.Context, id schema.ExternalID) error
}

func (r removing) DeleteAccount(ctx context.Context, id schema.ExternalID) error {
	return r.remove(r.deskConn, ctx, id)
}

func brokenDeletes() []broken {
	how := func(remove func(*deskConn, context.Context, schema.ExternalID) error) func(*deskConn) connectors.Connector {
		return func(c *deskConn) connectors.Connector { return removing{c, remove} }
	}
	rawly := func(path, body string) func(*deskConn) connectors.Connector {
		return how(func(c *deskConn, ctx context.Context, id schema.ExternalID) error {
			status, _, err := c.raw(ctx, http.MethodDelete, "/people/"+string(id)+path, body)
			return rawError("desk.delete_account", status, err)
		})
	}
	return []broken{
		{"forces", "delete/content_remains", rawly("?force=true", "")},
		{"forces_what_is_empty", "delete/empty", rawly("?Force=1", "")},
		{"forces_in_the_body", "delete/empty", rawly("", `{"options":{"force":true}}`)},
		{"forces_when_refused", "delete/content_remains", how(func(c *deskConn, ctx context.Context, id schema.ExternalID) error {
			err := c.DeleteAccount(ctx, id)
			if errors.Is(err, connectors.ErrContentRemains) {
				_, _, _ = c.raw(ctx, http.MethodDelete, "/people/"+string(id)+"?force=true", "")
			}
			return err
		})},
		{"takes_a_404_for_done", "delete/already_gone", how(func(c *deskConn, ctx context.Context, id schema.ExternalID) error {
			if err := c.DeleteAccount(ctx, id); connectors.KindOf(err) != connectors.NotFound {
				return err
			}
			return nil
		})},
		{"hides_that_content_remains", "delete/content_remains", how(func(c *deskConn, ctx context.Context, id schema.ExternalID) error {
			err := c.DeleteAccount(ctx, id)
			var e *connectors.Error
			if errors.As(err, &e) {
				e.Err = nil
			}
			return err
		})},
		{"sees_content_in_any_conflict", "delete/other_refusals/conflict", rawly("", "")},
		{"suspends_instead_of_deleting", "delete/empty", how(func(c *deskConn, ctx context.Context, id schema.ExternalID) error {
			return c.SetStatus(ctx, id, c.SuspendedStatus())
		})},
	}
}
