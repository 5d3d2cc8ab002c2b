package conformance_test

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"sendoff/connectors"
	"sendoff/schema"
)

// setting changes statuses in another way.
type setting struct {
	*deskConn
	set func(c *deskConn, ctx context.Context, id schema.ExternalID, word string) error
}

func (s setting) SetStatus(ctx context.Context, id schema.ExternalID, word string) error {
	return s.set(s.deskConn, ctx, id, word)
}

// rawSet changes a status past limiter, guard and read-only.
func rawSet(c *deskConn, ctx context.Context, id schema.ExternalID, word string) error {
	status, _, err := c.raw(ctx, http.MethodPatch, "/people/"+string(id), `{"state":"`+word+`"}`)
	return rawError("desk.set_status", status, err)
}

// self opens the connection anew with another configuration.
func self(c *deskConn, change func(*connectors.Config)) connectors.Connector {
	cfg := c.cfg
	change(&cfg)
	again, err := deskFactory{}.Open(cfg)
	if err != nil {
		return c
	}
	return again
}

// tired asks the guard for the answer of long ago.
type tired struct{}

func (tired) AllowWrite(context.Context, schema.ConnectionID) error { return nil }

// blind waits for one user alone, at one priority.
type blind struct {
	connectors.Limiter
	user     schema.ExternalID
	priority connectors.Priority
}

func (b blind) Wait(ctx context.Context, conn schema.ConnectionID, user schema.ExternalID, p connectors.Priority) error {
	if b.user != "" && user != b.user {
		return nil
	}
	if b.priority != 0 {
		p = b.priority
	}
	return b.Limiter.Wait(ctx, conn, user, p)
}

func brokenGates() []broken {
	set := func(f func(*deskConn, context.Context, schema.ExternalID, string) error) func(*deskConn) connectors.Connector {
		return func(c *deskConn) connectors.Connector { return setting{c, f} }
	}
	return []broken{
		{"writes_though_read_only", "read_only/set_status", set(rawSet)},
		{"reads_nothing_when_read_only", "read_only/read_account", func(c *deskConn) connectors.Connector {
			return reading{c, func(c *deskConn, ctx context.Context, id schema.ExternalID) (schema.Account, error) {
				if c.cfg.Connection.ReadOnly {
					return schema.Account{}, &connectors.Error{Kind: connectors.Blocked, Op: "desk.read_account"}
				}
				return c.ReadAccount(ctx, id)
			}}
		}},
		{"ignores_the_guard", "guard/set_status/refuses", func(c *deskConn) connectors.Connector {
			return self(c, func(cfg *connectors.Config) { cfg.Guard = tired{} })
		}},
		{"asks_the_guard_too_early", "guard/set_status/asked_last", set(func(c *deskConn, ctx context.Context, id schema.ExternalID, word string) error {
			if err := c.cfg.Guard.AllowWrite(ctx, c.cfg.Connection.ID); err != nil {
				return err
			}
			if _, err := c.ReadAccount(ctx, id); err != nil {
				return err
			}
			return rawSet(c, ctx, id, word)
		})},
		{"hides_why_the_guard_refused", "guard/set_status/refuses", set(func(c *deskConn, ctx context.Context, id schema.ExternalID, word string) error {
			err := c.SetStatus(ctx, id, word)
			var e *connectors.Error
			if errors.As(err, &e) {
				e.Err = nil
			}
			return err
		})},
		{"claims_to_have_sent", "guard/set_status/refuses", set(func(c *deskConn, ctx context.Context, id schema.ExternalID, word string) error {
			err := c.SetStatus(ctx, id, word)
			var e *connectors.Error
			if errors.As(err, &e) {
				e.Sent = true
			}
			return err
		})},
		{"writes_twice", "suspend/one_account", set(func(c *deskConn, ctx context.Context, id schema.ExternalID, word string) error {
			if err := c.SetStatus(ctx, id, word); err != nil {
				return err
			}
			return c.SetStatus(ctx, id, word)
		})},
		{"accepts_and_does_nothing", "suspend/and_again", set(func(c *deskConn, ctx context.Context, id schema.ExternalID, _ string) error {
			_, err := c.ReadAccount(ctx, id)
			return err
		})},
		{"waits_for_no_rate", "limiter/set_status/asked_first", set(rawSet)},
		{"forgets_whom_it_acts_as", "limiter/root_items/asked_first", func(c *deskConn) connectors.Connector {
			return self(c, func(cfg *connectors.Config) {
				cfg.Limiter = blind{Limiter: cfg.Limiter, user: cfg.Connection.AsUser}
			})
		}},
		{"forgets_the_priority", "limiter/read_account/asked_first", func(c *deskConn) connectors.Connector {
			return self(c, func(cfg *connectors.Config) {
				cfg.Limiter = blind{Limiter: cfg.Limiter, priority: connectors.PriorityPreflight}
			})
		}},
	}
}

// brittle ends once.
type brittle struct {
	*deskConn
	closed chan struct{}
}

func (c brittle) Close() {
	close(c.closed)
	c.deskConn.Close()
}

// leaking leaves a goroutine behind.
type leaking struct {
	*deskConn
	once *sync.Once
}

func (c leaking) Check(ctx context.Context) (connectors.Identity, error) {
	c.once.Do(func() {
		go func() { <-context.Background().Done() }()
		go func() { select {} }()
	})
	return c.deskConn.Check(ctx)
}

// stuck waits for ever once it is closed.
type stuck struct {
	*deskConn
	closed chan struct{}
	once   *sync.Once
}

func (c stuck) Close() {
	c.once.Do(func() { close(c.closed) })
	c.deskConn.Close()
}

func (c stuck) ReadAccount(ctx context.Context, id schema.ExternalID) (schema.Account, error) {
	select {
	case <-c.closed:
		<-ctx.Done()
	default:
	}
	return c.deskConn.ReadAccount(ctx, id)
}

// thirsty signs in for every call.
type thirsty struct{ *deskConn }

func (c thirsty) ReadAccount(ctx context.Context, id schema.ExternalID) (schema.Account, error) {
	c.tokens.Drop(deskToken)
	return c.deskConn.ReadAccount(ctx, id)
}

func brokenLives() []broken {
	return []broken{
		{"ends_once", "life/close_twice", func(c *deskConn) connectors.Connector { return brittle{c, make(chan struct{})} }},
		{"leaves_a_goroutine", "life/leaves_nothing", func(c *deskConn) connectors.Connector { return leaking{c, &sync.Once{}} }},
		{"hangs_when_closed", "life/after_close/read_account", func(c *deskConn) connectors.Connector {
			return stuck{c, make(chan struct{}), &sync.Once{}}
		}},
		{"signs_in_for_every_call", "life/at_once", func(c *deskConn) connectors.Connector { return thirsty{c} }},
	}
}
