package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"sendoff/internal/apiclient"
	"sendoff/schema"

	"github.com/google/uuid"
)

// typing tells whether a person types what is read.
func (in *invocation) typing() bool {
	f, ok := in.stdin.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// asking is one round of questions at a terminal.
type asking struct {
	*invocation
	api      *apiclient.Client
	campaign string
	typed    *bufio.Reader
	decided  int
	skipped  int
}

// askItems shows one open item after the other, those with the highest risk first,
// and asks. No answer is one that was not typed.
func (in *invocation) askItems(api *apiclient.Client, campaign string) error {
	a := asking{invocation: in, api: api, campaign: campaign, typed: bufio.NewReader(in.stdin)}
	items, err := in.waitingItems(api, campaign)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return in.nothingWaits(api, campaign)
	}
	for n, i := range items {
		in.print("\n%d of %d", n+1, len(items))
		more, err := a.item(i)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	in.print("\n%d decided, %d skipped, %d left.", a.decided, a.skipped, len(items)-a.decided)
	if in.ctx.Err() != nil {
		return exitStatus(ExitInternal)
	}
	return nil
}

// maxAsked is how many items one round has at most.
const maxAsked = 5000

// waitingItems are the open items of a campaign that whoever asks has now. Lists of a
// campaign show reviewers what they had before as well, such as what they abstained
// from.
func (in *invocation) waitingItems(api *apiclient.Client, campaign string) ([]apiclient.CampaignItem, error) {
	var own []apiclient.CampaignItem
	for cursor := ""; ; {
		list, next, err := api.MyItems(in.ctx, cursor, maxPage)
		if err != nil {
			return nil, err
		}
		for _, i := range list {
			if i.CampaignID == campaign && len(own) < maxAsked {
				own = append(own, i)
			}
		}
		if cursor = next; cursor == "" || len(own) == maxAsked {
			return own, nil
		}
	}
}

// nothingWaits says so, or why nothing can: a token of nobody, no such campaign.
func (in *invocation) nothingWaits(api *apiclient.Client, campaign string) error {
	if _, err := in.ownAddress(api); err != nil {
		return err
	}
	if _, err := api.Campaign(in.ctx, campaign); err != nil {
		return err
	}
	in.print("No item of campaign %s waits for you.", campaign)
	return nil
}

// item asks about one item until its word is taken; false to stop.
func (a *asking) item(i apiclient.CampaignItem) (bool, error) {
	a.printItem(a.stdout, i)
	for {
		answer, ok := a.answer()
		if !ok {
			return false, nil
		}
		if answer == "" {
			a.skipped++
			return true, nil
		}
		reason, ok := a.line("Reason (empty = none): ")
		if !ok {
			return false, nil
		}
		word := apiclient.ItemWord{ID: uuid.NewString(), Item: i.ID, Version: i.Version, Answer: answer, Reason: reason}
		got, err := a.send(a.api, a.campaign, []apiclient.ItemWord{word})
		if err != nil {
			return false, err
		}
		d := got[0]
		switch schema.Code(d.Code) {
		case "":
			a.decided++
			a.print("Taken: %s.", answer)
			return true, nil
		case schema.CodeStale, schema.CodeInvalid:
			a.printRefused(d)
			if i, err = a.api.CampaignItem(a.ctx, a.campaign, i.ID); err != nil {
				return false, err
			}
			if i.State != string(schema.ItemOpen) {
				a.print("It is %s now.", i.State)
				return true, nil
			}
			if d.Code == string(schema.CodeStale) {
				a.printItem(a.stdout, i)
			}
		case schema.CodeClosed:
			a.printRefused(d)
			return false, nil
		default:
			a.printRefused(d)
			return true, nil
		}
	}
}

// answer asks for an answer: "" skips; false stops.
func (a *asking) answer() (string, bool) {
	for {
		typed, ok := a.line("Keep, revoke, abstain, skip or quit? [k/r/a/s/q] ")
		if !ok {
			return "", false
		}
		switch strings.ToLower(typed) {
		case "k", "keep":
			return string(schema.AnswerKeep), true
		case "r", "revoke":
			return string(schema.AnswerRevoke), true
		case "a", "abstain":
			return string(schema.AnswerAbstain), true
		case "s", "skip":
			return "", true
		case "q", "quit":
			return "", false
		}
		a.note("Type one of k, r, a, s and q: nothing is decided by an empty line.")
	}
}

// line reads a line; false at the end of what is typed.
func (a *asking) line(prompt string) (string, bool) {
	_, _ = fmt.Fprint(a.stderr, prompt)
	text, err := a.typedLine(a.typed)
	if err != nil && (!errors.Is(err, io.EOF) || strings.TrimSpace(text) == "") {
		return "", false
	}
	return strings.TrimSpace(text), true
}
