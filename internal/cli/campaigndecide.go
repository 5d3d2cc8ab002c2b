package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendoff/internal/apiclient"
	"sendoff/schema"

	"github.com/google/uuid"
)

// maxWords is how many words one request has at most.
const maxWords = 500

type decideItemsCommand struct {
	campaignArg
	Items   []string `arg:"" optional:"" name:"item" help:"Ids of items; several have the same answer. None: one item after the other, on a terminal."`
	Keep    bool     `xor:"answer" help:"The access is needed."`
	Revoke  bool     `xor:"answer" help:"The access is taken away."`
	Abstain bool     `xor:"answer" help:"Somebody else decides: the next in the chain."`
	Reason  string   `help:"Why; needed where the access review says so."`
	Seen    int      `placeholder:"N" help:"The version of the one item that you looked at; review item prints it. Refused when it is other by now."`
	File    string   `placeholder:"FILE" help:"CSV with item, version, answer and reason, such as review items --csv writes it."`
	yesFlag
}

// Run decides about items.
func (c *decideItemsCommand) Run(in *invocation) error {
	if err := c.check(in); err != nil {
		return err
	}
	api, err := in.client()
	if err != nil {
		return err
	}
	switch {
	case c.File != "":
		return c.decideFile(in, api)
	case len(c.Items) == 0:
		return in.askItems(api, c.Campaign)
	}
	return c.decideNamed(in, api)
}

func (c *decideItemsCommand) answer() string {
	switch {
	case c.Keep:
		return string(schema.AnswerKeep)
	case c.Revoke:
		return string(schema.AnswerRevoke)
	case c.Abstain:
		return string(schema.AnswerAbstain)
	}
	return ""
}

// check refuses what cannot be meant.
func (c *decideItemsCommand) check(in *invocation) error {
	said := c.answer() != "" || c.Reason != "" || c.Seen != 0
	switch {
	case c.File != "" && (len(c.Items) > 0 || said):
		return usage("the file names items, answers and reasons, and so do the arguments", "give one of them")
	case c.File != "":
		return nil
	case len(c.Items) > 0:
		return c.checkNamed(in)
	case said:
		return usage("there is an answer, and no item", "name the items: an answer for whatever there is would be no decision")
	case in.json || !in.typing():
		return usage("items are asked for one after the other only on a terminal", "name the items with an answer, or give --file")
	}
	return nil
}

func (c *decideItemsCommand) checkNamed(in *invocation) error {
	switch {
	case c.answer() == "":
		return usage("nothing says what you decide", "give --keep, --revoke or --abstain")
	case len(c.Items) > 1 && c.Seen != 0:
		return usage("--seen is the version of one item", "name one item, or give --file, which has the version of each")
	case c.Seen < 0:
		return usage("--seen is below 1", "give the version that review item prints")
	case in.json && !c.Yes && c.Seen == 0:
		return usage("this asks before it decides, and JSON output cannot", "give --seen with the version that you looked at, or --yes")
	}
	return nil
}

// decideNamed decides about items by one answer. What was looked at is either named
// by --seen or shown now.
func (c *decideItemsCommand) decideNamed(in *invocation, api *apiclient.Client) error {
	words := []apiclient.ItemWord{}
	items := []apiclient.CampaignItem{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(c.Items))) {
		w := apiclient.ItemWord{ID: uuid.NewString(), Item: id, Version: c.Seen, Answer: c.answer(), Reason: c.Reason, Bulk: len(c.Items) > 1}
		if c.Seen == 0 {
			i, err := api.CampaignItem(in.ctx, c.Campaign, id)
			if err != nil {
				return err
			}
			w.Version, items = i.Version, append(items, i)
		}
		words = append(words, w)
	}
	if len(items) > 0 && !in.json {
		in.showBefore(items)
	}
	if len(items) > 0 && !c.Yes && !in.confirms(question(c.answer(), len(items))) {
		return usage("nothing was decided", "answer y, or give --yes")
	}
	return in.sayWords(api, c.Campaign, words, 0)
}

func question(answer string, n int) string {
	word := strings.ToUpper(answer[:1]) + answer[1:]
	switch {
	case n > 1:
		return fmt.Sprintf("%s all %d? [y/N] ", word, n)
	case answer == string(schema.AnswerAbstain):
		return "Abstain? [y/N] "
	}
	return word + " it? [y/N] "
}

// showBefore shows one item whole, several as a list.
func (in *invocation) showBefore(items []apiclient.CampaignItem) {
	if len(items) == 1 {
		in.printItem(in.stdout, items[0])
		return
	}
	in.table("RISK|ITEM|LOGIN|HELD|USE|SPEAKS FOR|STATE|ANSWER|REVIEWER|ID", itemRows(items))
}

// saidWords are what became of words.
type saidWords struct {
	Decisions []apiclient.DecidedWord `json:"decisions"`
	Taken     int                     `json:"taken"`     // now or before, and standing
	Overtaken int                     `json:"overtaken"` // taken before, and corrected since
	Refused   int                     `json:"refused"`
	Skipped   int                     `json:"skipped"` // rows without an answer
	// Unsettled are words of which the server did not say what became: they may have
	// been taken.
	Unsettled int `json:"unsettled"`
}

// sayWords sends words and shows what became of each. It ends with ExitHashDiffers
// when an item was other than what was shown, with ExitRefused for any other refusal,
// and for words that were taken before and do not stand any more.
func (in *invocation) sayWords(api *apiclient.Client, campaign string, words []apiclient.ItemWord, skipped int) error {
	said := saidWords{Decisions: []apiclient.DecidedWord{}, Skipped: skipped}
	var failed error
	for from := 0; from < len(words) && failed == nil; from += maxWords {
		part := words[from:min(from+maxWords, len(words))]
		got, err := in.send(api, campaign, part)
		if failed = err; err == nil {
			said.Decisions = append(said.Decisions, got...)
		}
	}
	for _, d := range said.Decisions {
		switch {
		case d.Code != "":
			said.Refused++
		case d.Overtaken:
			said.Overtaken++
		default:
			said.Taken++
		}
	}
	said.Unsettled = len(words) - len(said.Decisions)
	if failed != nil && len(said.Decisions) == 0 {
		return translateFlags(failed, map[string]string{"decisions": "ITEM"})
	}
	if failed != nil && in.json {
		in.explain(asError(failed))
	}
	_ = in.result(said, func() { in.printSaid(said) })
	if failed != nil {
		if !in.json {
			in.explain(asError(failed))
		}
		return exitStatus(exitCodeOf(failed))
	}
	return exitOfSaid(said.Decisions).orNil()
}

func exitOfSaid(list []apiclient.DecidedWord) exitStatus {
	status := exitStatus(ExitDone)
	for _, d := range list {
		switch {
		case d.Code == string(schema.CodeStale):
			return ExitHashDiffers
		case d.Code != "" || d.Overtaken:
			status = ExitRefused
		}
	}
	return status
}

// sendTries is how often words are sent whose answer was lost: with the ids they have
// they are taken once.
const sendTries = 4

// send sends words, again where no answer came. The refusal of one alone is told as
// that of one among others.
func (in *invocation) send(api *apiclient.Client, campaign string, words []apiclient.ItemWord) ([]apiclient.DecidedWord, error) {
	pause := pollFirst
	for try := 1; ; try++ {
		got, err := api.DecideItems(in.ctx, campaign, words)
		var e *apiclient.Error
		switch {
		case err == nil:
			return got.Decisions, nil
		case len(words) == 1 && errors.As(err, &e) && ofOneItem(e):
			return []apiclient.DecidedWord{refusedWord(words[0], e)}, nil
		case try == sendTries || exitCodeOf(err) != ExitUnreachable:
			return nil, err
		}
		if err := sleep(in.ctx, pause); err != nil {
			return nil, err
		}
		pause = min(pause*3, time.Minute)
	}
}

// ofOneItem tells whether a refusal is that of one word alone: it says what its item
// is now. What refuses all words, such as that there is no such campaign, does not.
func ofOneItem(e *apiclient.Error) bool {
	if e.Status == 0 || e.Changed == nil {
		return false
	}
	switch schema.Code(e.Code) {
	case schema.CodeStale, schema.CodeConflict, schema.CodeForbidden, schema.CodeNotFound, schema.CodeInvalid, schema.CodeClosed:
		return true
	}
	return false
}

func refusedWord(w apiclient.ItemWord, e *apiclient.Error) apiclient.DecidedWord {
	d := apiclient.DecidedWord{
		ID: w.ID, Item: w.Item, Result: "refused", Code: e.Code, Message: e.Message, Fix: e.Fix, Changed: orEmpty(e.Changed), Version: e.Version, State: e.State,
	}
	for _, p := range e.Problems {
		d.Message += "; " + p.Message
	}
	return d
}

func (in *invocation) printSaid(s saidWords) {
	for _, d := range s.Decisions {
		if d.Code != "" || d.Overtaken {
			in.printRefused(d)
		}
	}
	text := fmt.Sprintf("%d taken", s.Taken)
	duplicates := 0
	for _, d := range s.Decisions {
		if d.Result == "duplicate" && !d.Overtaken {
			duplicates++
		}
	}
	for _, part := range []struct {
		n    int
		word string
	}{{duplicates, "of them before"}, {s.Overtaken, "taken before and corrected since"}, {s.Refused, "refused"}, {s.Skipped, "without an answer"}, {s.Unsettled, "unsettled: run it again"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.word)
		}
	}
	in.print("%s.", text)
}

// printRefused says why a word was not taken or does not stand, with what changed of
// a stale item.
func (in *invocation) printRefused(d apiclient.DecidedWord) {
	in.print("item %s: %s", d.Item, d.Message)
	for _, c := range d.Changed {
		in.print("  %s: %s -> %s", c.Fact, orDash(c.Before), orDash(c.Now))
	}
	if d.Code == string(schema.CodeStale) {
		in.print("  it has version %s now", strconv.Itoa(d.Version))
	}
	if d.Fix != "" {
		in.print("  fix: %s", d.Fix)
	}
}

// asError is an error as one to explain.
func asError(err error) *apiclient.Error {
	var e *apiclient.Error
	if errors.As(err, &e) {
		return e
	}
	return &apiclient.Error{Code: "internal", Message: cmp.Or(err.Error(), "it did not work")}
}

// differs reports a refusal of what was looked at, and ends as such.
func (in *invocation) differs(err error) error {
	e := asError(err)
	if in.json {
		in.writeJSON(map[string]any{"error": map[string]any{
			"code": e.Code, "message": e.Message, "fix": e.Fix, "problems": orEmpty(e.Problems), "exit_code": ExitHashDiffers,
		}})
	}
	in.explain(e)
	return exitStatus(ExitHashDiffers)
}
