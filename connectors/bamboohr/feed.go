package bamboohr

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"sendoff/connectors"
	"sendoff/connectors/httpx"
	"sendoff/schema"
)

// feed implements connectors.EmployeeFeed. It keeps nothing between two calls but
// its configuration.
type feed struct {
	http *httpx.Client
	now  func() time.Time
}

// New opens the feed of a company. Its base URL is what /v1 is put behind:
// https://COMPANY.bamboohr.com/api, or the gateway with the company's name,
// https://api.bamboohr.com/api/gateway.php/COMPANY; /api may be left out of the
// first, and /v1 of both may be said.
func New(cfg connectors.FeedConfig) (connectors.EmployeeFeed, error) {
	base, problems := check(cfg)
	if len(problems) > 0 {
		return nil, &schema.Error{
			Code: schema.CodeInvalid, Message: "the BambooHR source is not configured correctly",
			Problems: problems, Fix: "correct what is named",
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	// An API key is the user of Basic authentication, with any password
	// (https://documentation.bamboohr.com/docs/getting-started#authentication).
	shown := base64.StdEncoding.EncodeToString([]byte(cfg.APIKey + ":x"))
	hc, err := httpx.New(httpx.Options{
		BaseURL: base, Connection: schema.ConnectionID(cfg.Source), ReadOnly: true,
		Tokens: httpx.FixedToken(shown), Scheme: "Basic", Limiter: cfg.Limiter, Observer: cfg.Observer,
		Now: cfg.Now, Explain: explain,
	})
	if err != nil {
		return nil, err
	}
	return &feed{http: hc, now: cfg.Now}, nil
}

var _ connectors.FeedFactory = New

// check finds every fault of a configuration, and returns the base URL without
// the version.
func check(cfg connectors.FeedConfig) (string, []schema.Problem) {
	var all []schema.Problem
	problem := func(where, message, fix string) {
		all = append(all, schema.Problem{Where: where, Code: "invalid", Message: message, Fix: fix})
	}
	u, err := httpx.ParseURL(cfg.BaseURL)
	if err != nil {
		problem("base_url", err.Error(), "it is https://COMPANY.bamboohr.com/api")
	} else {
		u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1")
		if u.Path == "" {
			u.Path = "/api"
		}
	}
	switch {
	case cfg.APIKey == "":
		problem("api_key", "the API key is empty", "make one in BambooHR: your name, API Keys")
	case strings.ContainsFunc(cfg.APIKey, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }):
		problem("api_key", "the API key holds characters that none has", "take the key alone, without spaces and line breaks")
	}
	if cfg.Limiter == nil {
		problem("", "the feed was given no rate limiter", "this is a fault of sendoff: report it")
	}
	if len(all) > 0 {
		return "", all
	}
	return u.String(), nil
}

// needed are the fields that leavers are known by. Those that the key's owner may
// not see are left out of an answer without a word.
func needed() []string { return []string{"status", "terminationDate", "supervisorEId"} }

// CheckFeed implements connectors.EmployeeFeed. It reads two employees, and the key's
// owner where there is nobody else: people see more of themselves than of others.
func (f *feed) CheckFeed(ctx context.Context) error {
	defer f.http.Close()
	rows, err := f.changedRows(ctx, f.now().Add(-overlap))
	if err == nil {
		err = rows.told()
	}
	if err != nil {
		return err
	}
	changed, err := f.changedEmployees(ctx, time.Time{})
	if err != nil {
		return err
	}
	some := changed.present(anybody)
	if len(some) == 0 {
		some = []string{ownRecord}
	}
	readable := 0
	for _, id := range some {
		rec, err := f.readRecord(ctx, id)
		switch {
		case unseen(err):
			continue // hidden, gone meanwhile, or an owner without a record
		case err != nil:
			return err
		}
		if missing := rec.without(needed()...); len(missing) > 0 {
			return hidden(opEmployee, missing)
		}
		if readable++; readable == 2 {
			break
		}
	}
	if readable == 0 && some[0] != ownRecord {
		return hidden(opEmployee, []string{"any employee"})
	}
	return nil
}

// unseen tells whether an employee's record is not there, or not for the key's
// owner.
func unseen(err error) bool {
	kind := connectors.KindOf(err)
	return kind == connectors.NotFound || kind == connectors.Forbidden
}

const (
	// ownRecord stands for the employee that the key's owner is
	// (https://documentation.bamboohr.com/reference/get-employee).
	ownRecord = "0"
	// anybody is how many employees are tried for some that may be read.
	anybody = 5
)

const fixRights = "give the owner of the API key an access level that sees all employees, and make a new key"

// hidden is the refusal for fields that are left out of an answer.
func hidden(op string, fields []string) error {
	return &connectors.Error{
		Kind: connectors.Forbidden, Op: op, Sent: true,
		Detail: "the owner of the API key may not see " + strings.Join(fields, ", ") + ": " + fixRights,
	}
}
