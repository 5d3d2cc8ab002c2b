package web

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"sendoff/schema"
)

// maxWords is how many words one request has at most.
const maxWords = 500

type decideItemsInput struct {
	CampaignRef
	Body struct {
		Decisions []wordBody `json:"decisions" nullable:"false" doc:"1 to 500, each on its own. Those with the same answer and reason count as one answer for several items, whatever bulk says"`
	}
}

type wordBody struct {
	ID      string            `json:"id,omitempty" doc:"A UUID that names this word: when it is sent again, it is taken once. Empty = the server makes one, and a repeat is another word"`
	Item    schema.ItemID     `json:"item" doc:"Id of the item"`
	Version int               `json:"version" minimum:"1" doc:"Of the item as it was shown"`
	Answer  schema.ItemAnswer `json:"answer" enum:"keep,revoke,abstain"`
	Reason  string            `json:"reason,omitempty"`
	Bulk    bool              `json:"bulk,omitempty" doc:"One of several with one answer, also when the others are sent apart"`
}

type decideItemsOutput struct {
	Body struct {
		Decisions []decidedWordBody `json:"decisions" nullable:"false" doc:"What became of each, in the order they were sent"`
		Taken     int               `json:"taken" doc:"How many were taken, now or before, and stand"`
		Overtaken int               `json:"overtaken" doc:"How many were taken before and do not stand any more: they were corrected since"`
		Refused   int               `json:"refused"`
	}
}

type decidedWordBody struct {
	ID     schema.DecisionID `json:"id"`
	Item   schema.ItemID     `json:"item"`
	Result string            `json:"result" enum:"taken,duplicate,refused"`
	// Overtaken is of duplicates alone.
	Overtaken bool              `json:"overtaken" doc:"Of a duplicate: it does not stand any more, and message says what does"`
	Answer    schema.ItemAnswer `json:"answer" doc:"That the item has now; empty = none"`
	Code      string            `json:"code" doc:"Of a refused one: stale, conflict, forbidden, not_found, invalid, closed; empty = it is taken"`
	Message   string            `json:"message"`
	Fix       string            `json:"fix"`
	StaleItem
}

// StaleItem is what an item is now. (Exported, for huma leaves out unexported
// embedded structs.)
type StaleItem struct {
	Changed []schema.Difference      `json:"changed" nullable:"false" doc:"Of a stale one: what is other than what was shown"`
	Version int                      `json:"version" doc:"That the item has now; 0 = there is no such item"`
	State   schema.CampaignItemState `json:"state" doc:"Of the item now"`
}

// wordProblem is why the one word of a request was not taken, with what the item is
// now.
type wordProblem struct {
	errorBody
	StaleItem
}

// refusalOf is the problem of an error, with the members that only some have.
func refusalOf(err error) huma.StatusError {
	var w *wordProblem
	if errors.As(err, &w) {
		return w
	}
	return problemOf(err)
}

// describeStale says in the document what a problem of an operation has besides.
func (s *server) describeStale(path string) {
	schemas := s.api.OpenAPI().Components.Schemas
	s.api.OpenAPI().Paths[path].Post.Responses["409"] = &huma.Response{
		Description: "A problem (RFC 9457); when one word was sent, with what the item is now",
		Content: map[string]*huma.MediaType{problemType: {Schema: &huma.Schema{
			AllOf: []*huma.Schema{schemas.Schema(typeOf[errorBody](), true, ""), schemas.Schema(typeOf[StaleItem](), true, "")},
		}}},
	}
}

// decideItems takes words. Of one word alone the HTTP status says what became of it;
// of several each says it itself.
func (s *server) decideItems(ctx context.Context, by schema.Principal, in *decideItemsInput) (*decideItemsOutput, error) {
	words, err := readWords(in.Body.Decisions)
	if err != nil {
		return nil, err
	}
	done, err := s.campaigns.DecideItems(ctx, in.ID, words, by)
	if err != nil {
		return nil, err
	}
	if len(done) != len(words) {
		return nil, fmt.Errorf("%d words were sent and %d answered", len(words), len(done))
	}
	if len(done) == 1 && done[0].Code != "" {
		return nil, problemOfWord(done[0])
	}
	out := &decideItemsOutput{}
	out.Body.Decisions = make([]decidedWordBody, len(done))
	for i, d := range done {
		b := decidedWordBody{
			ID: words[i].ID, Item: words[i].ItemID, Result: "taken", Code: d.Code, Message: d.Message, Fix: d.Fix,
			Overtaken: d.Overtaken, Answer: d.Answer, StaleItem: StaleItem{nonNil(d.Changed), d.Version, d.State},
		}
		switch {
		case d.Code != "":
			b.Result = "refused"
			out.Body.Refused++
		case d.Duplicate:
			b.Result = "duplicate"
		}
		if d.Overtaken {
			out.Body.Overtaken++
		}
		out.Body.Decisions[i] = b
	}
	out.Body.Taken = len(done) - out.Body.Refused - out.Body.Overtaken
	return out, nil
}

func problemOfWord(d schema.Decided) error {
	p := problemOf(&schema.Error{Code: schema.Code(d.Code), Message: d.Message, Fix: d.Fix})
	return &wordProblem{errorBody: *p, StaleItem: StaleItem{nonNil(d.Changed), d.Version, d.State}}
}

// readWords checks what can be checked without the items, and reports every fault at
// once.
func readWords(in []wordBody) ([]schema.Decide, error) {
	var f faults
	if n := len(in); n == 0 || n > maxWords {
		f.add("decisions", "count", strconv.Itoa(n)+" decisions", fmt.Sprintf("send 1 to %d", maxWords))
		return nil, f.err("the request is not valid; nothing was decided")
	}
	words := make([]schema.Decide, len(in))
	for i, w := range in {
		at := fmt.Sprintf("decisions[%d].", i)
		id := strings.ToLower(w.ID)
		switch {
		case id == "":
			id = uuid.NewString()
		case !isUUID(id):
			f.add(at+"id", "uuid", "not a UUID such as 0b0d9b1e-6f4e-4a49-9d8c-1f6a8f1f2f10", "make one for each decision, and keep it when it is sent again")
		}
		if !isUUID(string(w.Item)) {
			f.add(at+"item", "uuid", "not the id of an item", "list the items again")
		}
		checkText(&f, at+"reason", w.Reason, maxReason)
		words[i] = schema.Decide{
			ID: schema.DecisionID(id), ItemID: schema.ItemID(strings.ToLower(string(w.Item))), Version: w.Version, Answer: w.Answer,
			Reason: strings.TrimSpace(w.Reason), Bulk: w.Bulk,
		}
	}
	return words, f.err("the request is not valid; nothing was decided")
}

// isUUID tells whether a text is a UUID in its one usual form: the library takes
// others, of which a repeat could be made that is not known again.
func isUUID(s string) bool {
	const length = 36
	return len(s) == length && uuid.Validate(s) == nil
}

var _ interface {
	huma.StatusError
	huma.ContentTypeFilter
} = (*wordProblem)(nil)
