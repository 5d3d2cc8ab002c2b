package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"

	"sendoff/connectors"
	"sendoff/schema"
)

// Polls asks the APIs of sources what changed.
type Polls struct {
	store PollStore
	feeds EmployeeFeeds
	now   func() time.Time
}

// PollsConfig is what NewPolls needs.
type PollsConfig struct {
	Store PollStore
	Feeds EmployeeFeeds
	Now   func() time.Time // nil = time.Now
}

// NewPolls returns the activities over the ports given.
func NewPolls(cfg PollsConfig) *Polls {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Polls{store: cfg.Store, feeds: cfg.Feeds, now: cfg.Now}
}

// PollInput names a source.
type PollInput struct {
	SourceID schema.SourceID `json:"source_id"`
}

// PollResult is what a poll came to.
type PollResult struct {
	Changed  int `json:"changed"`  // employments that were read
	Accepted int `json:"accepted"` // of those that were news
	// Failed tells that the poll failed in a way that no further try mends. The
	// source has the reason.
	Failed bool `json:"failed,omitempty"`
}

// PollSource reads what changed at a source since its last poll, and accepts it. A
// failure that may pass is an error, for another try; one that does not, such as a
// key that is refused, is kept at the source. The first poll proves what may be
// read.
func (p *Polls) PollSource(ctx context.Context, in PollInput) (PollResult, error) {
	ctx = connectors.WithPriority(ctx, connectors.PrioritySync)
	src, err := p.store.Source(ctx, in.SourceID)
	if err != nil || src.State != schema.ConnectionEnabled {
		return PollResult{}, err
	}
	changes, err := p.read(ctx, src)
	if err != nil {
		return p.failed(ctx, src.ID, err)
	}
	result := PollResult{Changed: len(changes.Employees)}
	events := make([]schema.HREvent, len(changes.Employees))
	for i, e := range changes.Employees {
		events[i] = p.event(src, e)
	}
	result.Accepted, err = p.store.AcceptPoll(ctx, src.ID, src.PollMarker, changes.Marker, events)
	var ours *schema.Error
	if errors.As(err, &ours) && ours.Code == schema.CodeConflict {
		return PollResult{}, nil // somebody else polled meanwhile, or the source was disabled
	}
	return result, err
}

func (p *Polls) read(ctx context.Context, src schema.Source) (connectors.EmployeeChanges, error) {
	secrets, err := p.store.SourceSecrets(ctx, src.ID)
	if err != nil {
		return connectors.EmployeeChanges{}, err
	}
	if secrets.APIKey == "" {
		return connectors.EmployeeChanges{}, &connectors.Error{Kind: connectors.Unauthorized, Op: "poll", Detail: "the source has no API key"}
	}
	feed, err := p.feeds.OpenFeed(ctx, src, secrets.APIKey)
	if err != nil {
		return connectors.EmployeeChanges{}, err
	}
	if src.PollMarker == "" {
		if err := feed.CheckFeed(ctx); err != nil {
			return connectors.EmployeeChanges{}, err
		}
	}
	return feed.ReadChanges(ctx, src.PollMarker)
}

// event is an employment that was read as the event that it is.
func (p *Polls) event(src schema.Source, e connectors.Employee) schema.HREvent {
	sum := sha256.Sum256(e.Body)
	employment := e.Employment
	employment.Source = src.Name
	return schema.HREvent{
		SourceID: src.ID, Source: src.Name, EventID: e.EventID, Via: schema.ViaPoll, Body: e.Body, BodyHash: hex.EncodeToString(sum[:]),
		State: schema.EventPending, ReceivedAt: p.now().UTC(),
		Change: schema.HRChange{Kind: schema.ChangeEmployments, Roster: &schema.Roster{
			Source: src.Name, Mode: schema.RosterChanges, Employments: []schema.Employment{employment}, Fields: e.Fields,
		}},
	}
}

// failed keeps a failure that does not pass; others are tried again.
func (p *Polls) failed(ctx context.Context, id schema.SourceID, err error) (PollResult, error) {
	var vendor *connectors.Error
	var ours *schema.Error
	switch {
	case ctx.Err() != nil:
		return PollResult{}, err
	case errors.As(err, &ours):
		if ours.Code != schema.CodeInvalid {
			return PollResult{}, err
		}
	case errors.As(err, &vendor):
		if !permanent(vendor, activity.GetInfo(ctx).Attempt) {
			return PollResult{}, err
		}
	default:
		return PollResult{}, err
	}
	return PollResult{Failed: true}, p.store.PollFailed(ctx, id, err.Error())
}

// GiveUpPoll keeps that a poll's tries are used up.
func (p *Polls) GiveUpPoll(ctx context.Context, in PollInput) error {
	return p.store.PollFailed(ctx, in.SourceID, "the source's API did not answer in time, or answered that it is not ready, at every try")
}
