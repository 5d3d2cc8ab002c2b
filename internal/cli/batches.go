package cli

import (
	"fmt"
	"net/url"
	"strconv"

	"sendoff/internal/apiclient"
	"sendoff/schema"
)

type batchCommands struct {
	List    listBatchesCommand  `cmd:"" help:"List batches, newest first."`
	Show    showBatchCommand    `cmd:"" help:"Show a batch, and who would leave by it."`
	Release releaseBatchCommand `cmd:"" help:"Release a held batch; the second release, by somebody else, starts it."`
	Discard discardBatchCommand `cmd:"" help:"Give a held batch up: nothing of it starts."`
}

type listBatchesCommand struct {
	State string `enum:",held,released,discarded" default:"" help:"Only batches in this state: held, released or discarded."`
	Limit int    `default:"100" help:"How many at most."`
}

// Run lists batches.
func (c *listBatchesCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	list, next, err := upTo(c.Limit, func(cursor string, limit int) ([]apiclient.Batch, string, error) {
		return api.Batches(in.ctx, c.State, cursor, limit)
	})
	if err != nil {
		return err
	}
	return in.result(map[string]any{"batches": list, "next": next}, func() {
		var rows [][]string
		for _, b := range list {
			rows = append(rows, []string{b.ID, b.State, b.Of, strconv.Itoa(b.Size), strconv.Itoa(b.Started), strconv.Itoa(b.Allowed), b.Limit.Window, releasesText(b), at(b.CreatedAt)})
		}
		in.table("BATCH|STATE|OF|SIZE|STARTED BEFORE|ALLOWED|IN|RELEASES|HELD", rows)
		in.more(next)
	})
}

func releasesText(b apiclient.Batch) string {
	n := 0
	for _, d := range b.Decisions {
		if d.Kind == string(schema.BatchReleased) {
			n++
		}
	}
	return strconv.Itoa(n) + " of " + strconv.Itoa(b.Needed)
}

type batchArg struct {
	Batch string `arg:"" help:"Id of the batch, or 8 or more characters of it."`
}

type showBatchCommand struct {
	batchArg
	Limit int `default:"100" help:"How many leavers to show at most."`
}

// Run shows a batch with its leavers.
func (c *showBatchCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	b, err := api.Batch(in.ctx, c.Batch)
	if err != nil {
		return err
	}
	leavers, next, err := in.batchLeavers(api, b, c.Limit)
	if err != nil {
		return err
	}
	return in.result(map[string]any{"batch": b, "leavers": leavers, "next": next}, func() {
		in.printBatch(b)
		if len(leavers) > 0 {
			in.print("")
			in.printLeavers(leavers)
		}
		in.more(next)
		in.noteRelease(b)
	})
}

// noteRelease says how a held batch is released.
func (in *invocation) noteRelease(b apiclient.Batch) {
	if b.State != string(schema.BatchHeld) {
		return
	}
	switch schema.BatchScope(b.Scope) {
	case schema.BatchOfAccessReview:
		in.note("Its campaign is one of: sendoff review list --review %s --state held. What it would remove: sendoff review removals CAMPAIGN", b.Of)
	case schema.BatchOfPolicy:
		in.note("Its review is one of: sendoff policy reviews list --policy %s --state held", b.Of)
	}
	in.note("%d different people release it: sendoff batches release %s --size %d --reason TEXT", b.Needed, b.ID, b.Size)
	in.note("Or one gives it up: sendoff batches discard %s --size %d --reason TEXT", b.ID, b.Size)
}

// batchLeavers are the leavers of a batch of HR; others have none.
func (in *invocation) batchLeavers(api *apiclient.Client, b apiclient.Batch, limit int) ([]apiclient.Leaver, string, error) {
	if b.Scope != string(schema.BatchOfSource) {
		return []apiclient.Leaver{}, "", nil
	}
	return upTo(limit, func(cursor string, limit int) ([]apiclient.Leaver, string, error) {
		return api.Leavers(in.ctx, url.Values{"batch": {b.ID}}, cursor, limit)
	})
}

func (in *invocation) printBatch(b apiclient.Batch) {
	in.print("batch      %s of %s, %s", b.ID, b.Of, b.State)
	in.print("size       %s", batchSize(b))
	in.print("releases   %s", releasesText(b))
	for _, d := range b.Decisions {
		in.print("  %s %s by %s at a size of %d: %s", at(d.At), d.Kind, d.Principal, d.Size, d.Reason)
	}
}

// batchSize says how large a batch is, beside what its limit allows.
func batchSize(b apiclient.Batch) string {
	switch {
	case b.Scope == string(schema.BatchOfSource) || b.Scope == "":
		return fmt.Sprintf("%d; %d started before within %s, allowed are %d (%s)", b.Size, b.Started, b.Limit.Window, b.Allowed, limitText(b.Limit))
	case b.Allowed == 0 && b.Started == 0:
		return fmt.Sprintf("%d accounts; more than the budget allows", b.Size)
	case b.Limit.Window == "0s":
		return fmt.Sprintf("%d accounts; allowed are %d at a time", b.Size, b.Allowed)
	}
	return fmt.Sprintf("%d accounts; %d started before within %s, allowed are %d", b.Size, b.Started, b.Limit.Window, b.Allowed)
}

// printHeld says of a batch that holds what was just told what is to be done.
func (in *invocation) printHeld(b apiclient.Batch) {
	if b.State != string(schema.BatchHeld) {
		return
	}
	in.print("Held: %d leavers are more than %s lets start (%s). Nothing of the batch starts until %d different people release it.", b.Size, b.Of, limitText(b.Limit), b.Needed)
	in.note("Look at it: sendoff batches show %s", b.ID)
}

// decideBatchFlags are those of a word on a batch.
type decideBatchFlags struct {
	batchArg
	Size int `required:"" placeholder:"N" help:"How large the batch is that you looked at; batches show prints it. Refused when it has grown since."`
	reasonFlag
}

type releaseBatchCommand struct{ decideBatchFlags }

// Run releases a batch.
func (c *releaseBatchCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	b, err := api.ReleaseBatch(in.ctx, c.Batch, c.Reason, c.Size)
	return in.decidedBatch(b, err)
}

type discardBatchCommand struct{ decideBatchFlags }

// Run discards a batch.
func (c *discardBatchCommand) Run(in *invocation) error {
	api, err := in.client()
	if err != nil {
		return err
	}
	b, err := api.DiscardBatch(in.ctx, c.Batch, c.Reason, c.Size)
	return in.decidedBatch(b, err)
}

func (in *invocation) decidedBatch(b apiclient.Batch, err error) error {
	if err != nil {
		return translateFlags(err, map[string]string{"reason": "--reason", "size": "--size"})
	}
	return in.result(b, func() {
		switch schema.BatchState(b.State) {
		case schema.BatchReleased:
			if b.Scope == string(schema.BatchOfSource) || b.Scope == "" {
				in.print("Released batch %s: its %d leavers start.", b.ID, b.Size)
				return
			}
			in.print("Released batch %s: its review goes on, with %d accounts.", b.ID, b.Size)
		case schema.BatchDiscarded:
			in.print("Discarded batch %s: nothing of it starts.", b.ID)
		default:
			in.print("Batch %s is still held: it has %s releases. Somebody else has to release it too.", b.ID, releasesText(b))
		}
	})
}
