package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"sendoff/connectors"
	"sendoff/connectors/conformance"
	"sendoff/schema"
)

// broken is one way for a connector to be wrong, and the subtest that is there
// to notice.
type broken struct {
	name    string
	subtest string
	make    func(*deskConn) connectors.Connector
}

// TestBrokenConnectorsFail runs the suite over connectors with one fault each:
// the subtest meant for the fault must fail, and pass without the fault.
func TestBrokenConnectorsFail(t *testing.T) {
	t.Parallel()
	var all []broken
	for _, part := range [][]broken{brokenTransfers(), brokenDeletes(), brokenReads(), brokenInventories(), brokenFeeds(), brokenErrors(), brokenGates(), brokenLives()} {
		all = append(all, part...)
	}
	for _, f := range all {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			mustFail(t, f.subtest, brokenFactory{make: f.make})
		})
	}
}

// TestBrokenFactoriesFail is the same for what opens connections.
func TestBrokenFactoriesFail(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		subtest string
		factory connectors.Factory
	}{
		"has_no_page":       {"manifest", pagelessFactory{}},
		"calls_when_opened": {"factory/calls_nobody", callingFactory{}},
		"one_fault_a_time":  {"factory/names_every_fault", firstFaultFactory{}},
		"takes_plain_http":  {"factory/plain_http", carelessFactory{}},
		"tells_the_secret":  {"factory/names_every_fault", tellingFactory{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustFail(t, tc.subtest, tc.factory)
		})
	}
}

func mustFail(t *testing.T, subtest string, f connectors.Factory) {
	t.Helper()
	sound := judged(t, subtest, deskFactory{})
	require.False(t, sound.Failed, "without the fault: %s", strings.Join(sound.Said, "\n"))
	require.False(t, sound.Skipped)
	faulty := judged(t, subtest, f)
	require.True(t, faulty.Failed, "the suite does not notice")
	t.Logf("noticed in %s: %s", subtest, strings.Join(faulty.Said, "\n"))
}

// judged runs one subtest over a connector.
func judged(t *testing.T, subtest string, f connectors.Factory) conformance.Result {
	t.Helper()
	for _, r := range conformance.Judge(func(conformance.T) conformance.World { return deskWorld(f) }, subtest) {
		if r.Name == subtest {
			return r
		}
	}
	require.FailNow(t, "there is no such subtest", subtest)
	return conformance.Result{}
}

// brokenFactory opens connections to Desk with a fault.
type brokenFactory struct {
	deskFactory
	make func(*deskConn) connectors.Connector
}

func (f brokenFactory) Open(cfg connectors.Config) (connectors.Connector, error) {
	c, err := f.deskFactory.Open(cfg)
	if err != nil {
		return nil, err
	}
	return f.make(c.(*deskConn)), nil
}

type pagelessFactory struct{}

func (pagelessFactory) Manifest() connectors.Manifest {
	m := deskFactory{}.Manifest()
	m.Docs = "docs/desk.md"
	return m
}

func (f pagelessFactory) Open(cfg connectors.Config) (connectors.Connector, error) {
	return brokenFactory{make: func(c *deskConn) connectors.Connector { return pageless{c} }}.Open(cfg)
}

type pageless struct{ *deskConn }

func (pageless) Manifest() connectors.Manifest { return pagelessFactory{}.Manifest() }

type callingFactory struct{ deskFactory }

func (f callingFactory) Open(cfg connectors.Config) (connectors.Connector, error) {
	c, err := f.deskFactory.Open(cfg)
	if err == nil {
		_, err = c.Check(context.Background())
	}
	return c, err
}

type firstFaultFactory struct{ deskFactory }

func (f firstFaultFactory) Open(cfg connectors.Config) (connectors.Connector, error) {
	c, err := f.deskFactory.Open(cfg)
	if p := problemsOf(err); len(p) > 1 {
		return nil, withProblems(err, p[:1])
	}
	return c, err
}

type carelessFactory struct{ deskFactory }

func (f carelessFactory) Open(cfg connectors.Config) (connectors.Connector, error) {
	cfg.Connection.BaseURL = strings.Replace(cfg.Connection.BaseURL, "http://vendor", "https://vendor", 1)
	return f.deskFactory.Open(cfg)
}

type tellingFactory struct{ deskFactory }

func (f tellingFactory) Open(cfg connectors.Config) (connectors.Connector, error) {
	c, err := f.deskFactory.Open(cfg)
	if p := problemsOf(err); len(p) > 0 {
		p[0].Message += " (" + cfg.Secret + ")"
		return nil, withProblems(err, p)
	}
	return c, err
}

// raw calls Desk past everything that httpx guards, as a careless connector
// would.
func (c *deskConn) raw(ctx context.Context, method, path, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.cfg.Connection.BaseURL, "/")+"/v1"+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+deskToken)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer), err
}

// rawError is the error of a careless call.
func rawError(op string, status int, err error) error {
	switch {
	case err != nil:
		return &connectors.Error{Kind: connectors.Unavailable, Op: op, Err: err, Sent: true}
	case status == http.StatusNotFound:
		return &connectors.Error{Kind: connectors.NotFound, Op: op, Status: status, Sent: true}
	case status == http.StatusConflict:
		return &connectors.Error{Kind: connectors.Conflict, Op: op, Status: status, Sent: true, Err: connectors.ErrContentRemains}
	case status >= 300:
		return &connectors.Error{Kind: connectors.Unavailable, Op: op, Status: status, Sent: true, Err: fmt.Errorf("HTTP %d", status)}
	}
	return nil
}

func problemsOf(err error) []schema.Problem {
	var e *schema.Error
	if errors.As(err, &e) {
		return slices.Clone(e.Problems)
	}
	return nil
}

func withProblems(err error, problems []schema.Problem) error {
	return &schema.Error{Code: schema.CodeInvalid, Message: err.Error(), Problems: problems}
}
