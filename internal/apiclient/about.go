package apiclient

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// About is what a server says of itself.
type About struct {
	Version string    `json:"version"`
	API     string    `json:"api"`
	Date    time.Time `json:"-"` // the server's clock, in whole seconds; zero = it did not say
}

// About asks who answers, and tells how long that took.
func (c *Client) About(ctx context.Context) (About, time.Duration, error) {
	var a About
	began := time.Now()
	res, err := c.send(ctx, http.MethodGet, path("version"), nil)
	if err != nil {
		return a, 0, err
	}
	defer res.Body.Close()
	took := time.Since(began)
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&a); err != nil {
		return a, took, c.notSendoff(res.StatusCode)
	}
	a.Date, _ = http.ParseTime(res.Header.Get("Date")) // a proxy may have taken it away
	return a, took, nil
}

// Ready tells whether the server can do its work; its Error names what is missing.
func (c *Client) Ready(ctx context.Context) error {
	res, err := c.send(ctx, http.MethodGet, "/readyz", nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
