package app

import (
	"context"

	"sendoff/activities"
	"sendoff/connectors"
	"sendoff/connectors/all"
	"sendoff/schema"
)

// hrActivities are what leavers, polls and notices need of a worker.
type hrActivities struct {
	leavers    *activities.Leavers
	polls      *activities.Polls
	deliveries *activities.Deliveries
}

func (e *Engine) newHRActivities(notifier activities.Notifier, planner *activities.Planner, limiter connectors.Limiter) hrActivities {
	feeds := employeeFeeds{limiter: limiter, observer: e.telemetry.Observer(), loopbackOnly: e.cfg.TimeScale > 1}
	return hrActivities{
		leavers: activities.NewLeavers(activities.LeaversConfig{Store: e.store, Planner: planner, Now: e.ports.Now}),
		polls:   activities.NewPolls(activities.PollsConfig{Store: e.store, Feeds: feeds, Now: e.ports.Now}),
		deliveries: activities.NewDeliveries(activities.DeliveriesConfig{
			Store: e.store, Notifier: notifier, PublicURL: e.cfg.PublicURL, AskToken: e.askToken,
		}),
	}
}

// askToken is the token of a question's link.
func (e *Engine) askToken(id schema.AskID) string { return e.keys.AskToken(string(id)) }

// employeeFeeds opens the APIs of sources. Each poll opens its own: there are few.
type employeeFeeds struct {
	limiter      connectors.Limiter
	observer     connectors.Observer
	loopbackOnly bool // time is scaled: only simulators may be called
}

// OpenFeed opens the API of a source.
func (f employeeFeeds) OpenFeed(_ context.Context, s schema.Source, apiKey string) (connectors.EmployeeFeed, error) {
	if f.loopbackOnly && !loopbackURL(s.BaseURL) {
		return nil, notOnLoopback("source " + s.Name)
	}
	open, ok := all.Feeds()[s.Kind]
	if !ok {
		return nil, &schema.Error{Code: schema.CodeInvalid, Message: "sources of the kind " + string(s.Kind) + " have no API that is asked", Fix: "use another kind"}
	}
	return open(connectors.FeedConfig{Source: s.ID, BaseURL: s.BaseURL, APIKey: apiKey, Limiter: f.limiter, Observer: f.observer})
}
