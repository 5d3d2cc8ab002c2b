package box

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

const (
	opTransfer = "box.transfer"
	// transferDeadline is how long the one answer is awaited: Box answers 200
	// after ten minutes at the latest, though the job may still run then
	// (https://developer.box.com/reference/put-users-id-folders-0/).
	transferDeadline = 15 * time.Minute
)

// PrepareTransfer implements connectors.Transferer.
func (c *Connector) PrepareTransfer(ctx context.Context, source, receiver schema.ExternalID) (connectors.PreparedTransfer, error) {
	path, err := userPath(opTransfer, source, "/folders/0")
	if err != nil {
		return nil, err
	}
	if _, err := userPath(opTransfer, receiver, ""); err != nil {
		return nil, err
	}
	if source == receiver {
		return nil, invalid(opTransfer, "source and receiver are the same account")
	}
	type owner struct {
		ID string `json:"id"`
	}
	req := call{
		op: opTransfer, method: http.MethodPut, path: path, query: url.Values{"notify": {"false"}},
		body: struct {
			OwnedBy owner `json:"owned_by"`
		}{owner{string(receiver)}},
	}.request()
	req.Timeout = transferDeadline
	shot, err := c.client.http.Prepare(ctx, req)
	if err != nil {
		return nil, err
	}
	return &preparedTransfer{shot: shot, now: c.now}, nil
}

type preparedTransfer struct {
	shot *httpx.OneShot
	now  func() time.Time
}

// Send implements connectors.PreparedTransfer.
func (p *preparedTransfer) Send(ctx context.Context) schema.TransferOutcome {
	o := outcomeOf(p.shot.Send(ctx))
	o.EndedAt = p.now().UTC()
	return o
}

// outcomeOf sorts what became of a transfer request. Only what says for certain
// that nothing was started is not settled by evidence: Box goes on with the job
// when a gateway or the client has given up on the call.
func outcomeOf(a httpx.Answer) schema.TransferOutcome {
	o := schema.TransferOutcome{Class: schema.OutcomeUnknown, HTTPStatus: a.Status, RetryAfter: a.RetryAfter}
	if a.Err != nil {
		o.Reason = reasonOf(a.Err)
		if !a.Written {
			o.Class = schema.OutcomeNotStarted
		}
		return o
	}
	var env envelope
	enveloped := false
	if a.Whole {
		env, enveloped = parseEnvelope(a.Status, a.Body)
		o.VendorCode = env.plainCode()
	}
	clientError := a.Status >= 400 && a.Status < 500
	switch {
	case a.Status >= 200 && a.Status < 300:
		o.Class, o.FolderID = schema.OutcomeAccepted, folderID(a.Body)
		o.Reason = "Box accepted the request; its job may still be running"
	case a.Status == http.StatusTooManyRequests:
		o.Class, o.Reason = schema.OutcomeRateLimited, "Box asks for fewer calls"
	case a.ExpiredToken:
		o.Class, o.Reason = schema.OutcomeUnauthorized, "Box did not accept the access token"
	case a.Status == http.StatusConflict, clientError && enveloped && env.busy():
		o.Class, o.Reason = schema.OutcomeBusy, "another job on one of the accounts is running"
	case enveloped && (clientError || a.Status == http.StatusInsufficientStorage):
		// 507 is the one refusal among the 5xx: Box's SDKs take it for final too.
		o.Class, o.Reason, o.Cause = schema.OutcomeRefused, env.reason(), env.refusalCause()
		if o.Reason == "" {
			o.Reason = "Box refused the transfer"
		}
	default:
		o.Reason = "the answer does not tell whether Box started the transfer"
	}
	return o
}

func reasonOf(err error) string {
	var e *connectors.Error
	if errors.As(err, &e) && e.Detail != "" {
		return e.Detail
	}
	return "the request failed"
}

// folderID is the destination folder's id from an accepted answer, if it can be
// read: an answer that broke off was accepted all the same.
func folderID(body []byte) schema.ExternalID {
	var f ref
	if json.Unmarshal(body, &f) != nil || checkIDs(opTransfer, f.id()) != nil {
		return ""
	}
	return f.id()
}
