package apiclient

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// maxPage is the longest page that the server gives.
const maxPage = 500

// Plan plans without starting anything. Pre-flight's refusals are findings of
// the drafts, not an error.
func (c *Client) Plan(ctx context.Context, requests []Request) (Plan, error) {
	return call[Plan](ctx, c, http.MethodPost, path("plans"), map[string]any{"requests": requests})
}

// CreateCases starts all requests or none. confirm is the hash of the plan that
// was looked at, "" for none; source is cli, csv or api.
func (c *Client) CreateCases(ctx context.Context, requests []Request, confirm, source string) (Created, error) {
	return call[Created](ctx, c, http.MethodPost, path("cases"), map[string]any{
		"requests": requests, "confirm": confirm, "source": source,
	})
}

// Case returns the case of an id, of the beginning of one, or of an address.
func (c *Client) Case(ctx context.Context, ref string) (Case, error) {
	return call[Case](ctx, c, http.MethodGet, path("cases", ref), nil)
}

// Cases returns a page of cases; empty state and email select all.
func (c *Client) Cases(ctx context.Context, state, email, cursor string, limit int) (CasePage, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	for name, value := range map[string]string{"state": state, "email": email, "cursor": cursor} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return call[CasePage](ctx, c, http.MethodGet, path("cases")+"?"+q.Encode(), nil)
}

// Report returns everything known about a case.
func (c *Client) Report(ctx context.Context, ref string) (Report, error) {
	return call[Report](ctx, c, http.MethodGet, path("cases", ref, "report"), nil)
}

// Approve approves what the hash covers.
func (c *Client) Approve(ctx context.Context, ref, hash, reason string) (Decided, error) {
	return call[Decided](ctx, c, http.MethodPost, path("cases", ref, "approve"), map[string]string{"hash": hash, "reason": reason})
}

// Connect checks a connection at its vendor and stores it.
func (c *Client) Connect(ctx context.Context, n NewConnection) (Checked, error) {
	return call[Checked](ctx, c, http.MethodPost, path("connections"), n)
}

// Connections returns every connection.
func (c *Client) Connections(ctx context.Context) ([]Connection, error) {
	return everyPage(func(cursor string) ([]Connection, string, error) {
		p, err := call[struct {
			Connections []Connection `json:"connections"`
			Next        string       `json:"next"`
		}](ctx, c, http.MethodGet, path("connections")+pageQuery(cursor), nil)
		return p.Connections, p.Next, err
	})
}

// RotateConnection checks new credentials at the vendor and puts them in the place
// of the old ones.
func (c *Client) RotateConnection(ctx context.Context, name string, s Secret) (Checked, error) {
	return call[Checked](ctx, c, http.MethodPost, path("connections", name, "rotate"), s)
}

// TestConnection checks a stored connection at its vendor.
func (c *Client) TestConnection(ctx context.Context, name string) (Checked, error) {
	return call[Checked](ctx, c, http.MethodPost, path("connections", name, "test"), nil)
}

// DisableConnection stops the use of a connection.
func (c *Client) DisableConnection(ctx context.Context, name, reason string) (Connection, error) {
	return call[Connection](ctx, c, http.MethodPost, path("connections", name, "disable"), map[string]string{"reason": reason})
}

// EnableConnection lets a connection be used again.
func (c *Client) EnableConnection(ctx context.Context, name, reason string) (Connection, error) {
	return call[Connection](ctx, c, http.MethodPost, path("connections", name, "enable"), map[string]string{"reason": reason})
}

// CreateToken makes a token.
func (c *Client) CreateToken(ctx context.Context, n NewToken) (CreatedToken, error) {
	return call[CreatedToken](ctx, c, http.MethodPost, path("tokens"), n)
}

// Tokens returns every token's record.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	return everyPage(func(cursor string) ([]Token, string, error) {
		p, err := call[struct {
			Tokens []Token `json:"tokens"`
			Next   string  `json:"next"`
		}](ctx, c, http.MethodGet, path("tokens")+pageQuery(cursor), nil)
		return p.Tokens, p.Next, err
	})
}

// RevokeToken revokes a token by name or id.
func (c *Client) RevokeToken(ctx context.Context, name string) (Token, error) {
	return call[Token](ctx, c, http.MethodDelete, path("tokens", name), nil)
}

// SetEngine pauses the engine's writes, or lets them go on.
func (c *Client) SetEngine(ctx context.Context, paused bool, reason string) (Engine, error) {
	return call[Engine](ctx, c, http.MethodPut, path("engine"), map[string]any{"paused": paused, "reason": reason})
}

// ExportAudit writes the audit log to w. An export that was cut is an error.
func (c *Client) ExportAudit(ctx context.Context, w io.Writer) error {
	res, err := c.send(ctx, http.MethodGet, path("audit", "export"), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return &Error{Code: CodeUnreachable, Message: "the export broke off", Fix: "try again; the file is not whole"}
	}
	return nil
}

func pageQuery(cursor string) string {
	q := url.Values{"limit": {strconv.Itoa(maxPage)}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	return "?" + q.Encode()
}

// everyPage follows a list to its end.
func everyPage[T any](next func(cursor string) ([]T, string, error)) ([]T, error) {
	all, cursor := []T{}, ""
	for {
		list, after, err := next(cursor)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if after == "" {
			return all, nil
		}
		cursor = after
	}
}
