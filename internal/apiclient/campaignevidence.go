package apiclient

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// SignCampaign signs a closed campaign, as only its owner may. acceptOpen accepts what
// stands open, with a reason.
func (c *Client) SignCampaign(ctx context.Context, id string, acceptOpen bool, reason string) (Campaign, error) {
	return call[Campaign](ctx, c, http.MethodPost, path("campaigns", id, "sign"), map[string]any{"accept_open": acceptOpen, "reason": reason})
}

// The formats of evidence.
const (
	EvidenceJSON = "json"
	EvidenceCSV  = "csv"
	EvidenceHTML = "html"
)

// Evidence writes everything a campaign comes to, in one of the formats. Evidence that
// was cut is an error.
func (c *Client) Evidence(ctx context.Context, id, format string, w io.Writer) error {
	res, err := c.send(ctx, http.MethodGet, path("campaigns", id, "evidence")+"?"+url.Values{"format": {format}}.Encode(), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return &Error{Code: CodeUnreachable, Message: "the evidence broke off", Fix: "try again; what was written is not whole"}
	}
	return nil
}
