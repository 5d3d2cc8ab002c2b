package apiclient

import (
	"context"
	"net/http"
	"time"
)

// ItemWord is one word on an item. ID is a UUID by which a repeat is known; without
// one the server makes it, and a repeat is another word.
type ItemWord struct {
	ID      string `json:"id,omitempty"`
	Item    string `json:"item"`
	Version int    `json:"version"` // of the item as it was shown
	Answer  string `json:"answer"`  // keep, revoke or abstain
	Reason  string `json:"reason,omitempty"`
	Bulk    bool   `json:"bulk,omitempty"` // one of several with one answer
}

// DecidedWord is what became of one word.
type DecidedWord struct {
	ID     string `json:"id"`
	Item   string `json:"item"`
	Result string `json:"result"` // taken, duplicate or refused
	// Overtaken is a duplicate that does not stand any more: Message says what does.
	Overtaken bool         `json:"overtaken"`
	Answer    string       `json:"answer"` // that the item has now
	Code      string       `json:"code"`   // of a refused one
	Message   string       `json:"message"`
	Fix       string       `json:"fix"`
	Changed   []Difference `json:"changed"` // of a stale one
	Version   int          `json:"version"` // that the item has now
	State     string       `json:"state"`   // of the item
}

// DecidedWords is what became of words, in the order they were sent.
type DecidedWords struct {
	Decisions []DecidedWord `json:"decisions"`
	Taken     int           `json:"taken"`     // now or before, and standing
	Overtaken int           `json:"overtaken"` // taken before, and corrected since
	Refused   int           `json:"refused"`
}

// DecideItems sends 1 to 500 words on items. One that is sent alone and refused is an
// Error, which says what is other than what was shown; of several each says it itself.
func (c *Client) DecideItems(ctx context.Context, campaign string, words []ItemWord) (DecidedWords, error) {
	return call[DecidedWords](ctx, c, http.MethodPost, path("campaigns", campaign, "decisions"), map[string]any{"decisions": words})
}

// ItemDecision is what somebody decided about an item.
type ItemDecision struct {
	ID         string    `json:"id"`
	Item       string    `json:"item"`
	Stage      int       `json:"stage"`
	Version    int       `json:"version"`
	Answer     string    `json:"answer"`
	Reason     string    `json:"reason"`
	Bulk       bool      `json:"bulk"`
	Principal  string    `json:"principal"`
	TokenID    string    `json:"token_id"`
	ReviewerID string    `json:"reviewer_id"`
	DecidedAt  time.Time `json:"decided_at"`
	Current    bool      `json:"current"` // not corrected since
}

// ItemDecisions returns a page of what was decided about an item, oldest first.
func (c *Client) ItemDecisions(ctx context.Context, campaign, item, cursor string, limit int) ([]ItemDecision, string, error) {
	p, err := call[struct {
		Decisions []ItemDecision `json:"decisions"`
		Next      string         `json:"next"`
	}](ctx, c, http.MethodGet, path("campaigns", campaign, "items", item, "decisions")+pageOf(nil, cursor, limit), nil)
	return p.Decisions, p.Next, err
}

// ReviewerStats sum the decisions of a reviewer in a campaign.
type ReviewerStats struct {
	ReviewerID        string     `json:"reviewer_id"`
	Name              string     `json:"name"`
	Email             string     `json:"email"`
	Items             int        `json:"items"`
	Open              int        `json:"open"`
	Decided           int        `json:"decided"`
	Kept              int        `json:"kept"`
	Revoked           int        `json:"revoked"`
	Abstained         int        `json:"abstained"`
	Bulk              int        `json:"bulk"`
	Recommended       int        `json:"recommended"`
	Against           int        `json:"against"`
	RecommendedRevoke int        `json:"recommended_revoke"`
	MedianSeconds     float64    `json:"median_seconds"`
	ControlsKept      int        `json:"controls_kept"`
	Reminders         int        `json:"reminders"`
	RemindedAt        *time.Time `json:"reminded_at"`
	Alarms            []string   `json:"alarms"`
	Cleared           bool       `json:"cleared"` // no alarm stands against a sign-off
	LookedBy          string     `json:"looked_by"`
	LookedAt          *time.Time `json:"looked_at"`
	LookReason        string     `json:"look_reason"`
	LookedDecisions   int        `json:"looked_decisions"`
	Looks             []Look     `json:"looks"` // all of them, oldest first
}

// Look is a second look at the decisions of a reviewer.
type Look struct {
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Reason    string    `json:"reason"`
	Decisions int       `json:"decisions"` // left to stand
	Redone    int       `json:"redone"`    // given to others
	Redo      bool      `json:"redo"`
	Current   bool      `json:"current"` // it counts
}

// CampaignReviewers returns a page of a campaign's reviewers.
func (c *Client) CampaignReviewers(ctx context.Context, id, cursor string, limit int) ([]ReviewerStats, string, error) {
	p, err := call[struct {
		Reviewers []ReviewerStats `json:"reviewers"`
		Next      string          `json:"next"`
	}](ctx, c, http.MethodGet, path("campaigns", id, "reviewers")+pageOf(nil, cursor, limit), nil)
	return p.Reviewers, p.Next, err
}

// RemindReviewers reminds all reviewers with open items, or one; it returns how many.
func (c *Client) RemindReviewers(ctx context.Context, id, reviewer string) (int, error) {
	out, err := call[struct {
		Reminded int `json:"reminded"`
	}](ctx, c, http.MethodPost, path("campaigns", id, "remind"), map[string]string{"reviewer": reviewer})
	return out.Reminded, err
}

// Reassign gives items, or all open ones of a reviewer, to somebody else.
type Reassign struct {
	Items  []string `json:"items,omitempty"`
	From   string   `json:"from,omitempty"` // our id or an address
	To     string   `json:"to"`             // address
	Reason string   `json:"reason"`
}

// ReassignItems gives items to somebody else; it returns how many.
func (c *Client) ReassignItems(ctx context.Context, id string, r Reassign) (int, error) {
	out, err := call[struct {
		Items int `json:"items"`
	}](ctx, c, http.MethodPost, path("campaigns", id, "reassign"), r)
	return out.Items, err
}

// LookAtReviewer takes a second look at a reviewer's decisions: they stand, or with
// redo the next in each chain decides.
func (c *Client) LookAtReviewer(ctx context.Context, id, reviewer string, redo bool, reason string) (ReviewerStats, error) {
	return call[ReviewerStats](ctx, c, http.MethodPost, path("campaigns", id, "look"), map[string]any{"reviewer": reviewer, "redo": redo, "reason": reason})
}
