package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sendoff/schema"
)

// MaxSize is how large a file of evidence may be, in bytes.
const MaxSize = 256 << 20

// Read reads what JSON wrote. It takes nothing else: not another format, no unknown,
// repeated or missing member, and not the same content written otherwise, for a file
// that two programs read differently proves nothing.
func Read(r io.Reader) (schema.CampaignEvidence, error) {
	limit := &capped{r: r, left: MaxSize}
	sum := sha256.New()
	e, err := read(json.NewDecoder(io.TeeReader(limit, sum)))
	if err == nil {
		_, err = io.Copy(sum, limit) // what the decoder did not need
	}
	if err != nil {
		return schema.CampaignEvidence{}, refusal(err, limit)
	}
	again := sha256.New()
	if err := JSON(again, e); err != nil || !bytes.Equal(again.Sum(nil), sum.Sum(nil)) {
		return schema.CampaignEvidence{}, invalid("the file is not as sendoff writes it: members are repeated, missing or in another order, or it was formatted anew")
	}
	return e, nil
}

func invalid(message string) *schema.Error {
	return &schema.Error{Code: schema.CodeInvalid, Message: message, Fix: "export the evidence again (sendoff review export), and keep the file as it is"}
}

// refusal says why a file is not read, without quoting it.
func refusal(err error, limit *capped) error {
	var known *schema.Error
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case limit.over:
		return invalid(fmt.Sprintf("the file is larger than %d MiB", MaxSize>>20))
	case limit.err != nil:
		return fmt.Errorf("the evidence cannot be read to its end: %w", limit.err)
	case errors.As(err, &known):
		return known
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return invalid("the file ends before the evidence does")
	case errors.As(err, &syntax):
		return invalid("the file is not JSON at byte " + strconv.FormatInt(syntax.Offset, 10))
	case errors.As(err, &kind):
		return invalid("a member has the wrong type at " + strconv.Quote(clip(kind.Field, 200)))
	}
	return invalid("the evidence cannot be read: " + clip(strings.TrimPrefix(err.Error(), "json: "), 200))
}

// clip is a text of at most so many characters.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// capped ends with an error what is larger than allowed.
type capped struct {
	r    io.Reader
	left int64
	over bool
	err  error
}

// Read reads what is left.
func (c *capped) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	if c.left -= int64(n); c.left < 0 {
		c.over = true
		return 0, errors.New("too large")
	}
	return n, err
}

// read reads the members in their order; lists entry by entry.
func read(d *json.Decoder) (schema.CampaignEvidence, error) {
	d.DisallowUnknownFields()
	var e schema.CampaignEvidence
	var campaign wireCampaign
	var review wireReview
	var counts wireCounts
	var exported instant
	if err := expect(d, json.Delim('{'), ""); err != nil {
		return e, err
	}
	for _, m := range []struct {
		name string
		into any
	}{{"format", &e.Format}, {"exported_at", &exported}, {"signed", &e.Signed}, {"campaign", &campaign}, {"review", &review}, {"counts", &counts}} {
		if err := member(d, m.name); err != nil {
			return e, err
		}
		if err := d.Decode(m.into); err != nil {
			return e, err
		}
		if e.Format != schema.EvidenceFormat && e.Format != schema.EvidenceFormatFirst {
			return e, invalid("the file is not of the format " + schema.EvidenceFormat)
		}
	}
	e.ExportedAt, e.Campaign, e.Review, e.Counts = exported.Time, campaign.campaign(), review.review(), counts.counts()
	return e, readLists(d, &e)
}

func readLists(d *json.Decoder, e *schema.CampaignEvidence) (err error) {
	id := e.Campaign.ID
	if e.Exceptions, err = entries(d, "exceptions", func(f wireFinding) schema.Finding { return schema.Finding(f) }); err != nil {
		return err
	}
	if e.Format == schema.EvidenceFormat {
		if e.Batches, err = entries(d, "batches", wireBatch.batch); err != nil {
			return err
		}
		if e.Events, err = entries(d, "events", wireEvent.event); err != nil {
			return err
		}
	}
	if e.Reviewers, err = entries(d, "reviewers", wireReviewer.reviewer); err != nil {
		return err
	}
	if e.Items, err = entries(d, "items", func(i wireItem) schema.EvidenceItem { return i.item(id) }); err != nil {
		return err
	}
	if e.Removals, err = entries(d, "removals", func(r wireRemoval) schema.Removal { return r.removal(id) }); err != nil {
		return err
	}
	if e.Returns, err = entries(d, "returns", func(r wireReturn) schema.Return { return r.back(id) }); err != nil {
		return err
	}
	return expect(d, json.Delim('}'), "there is an unknown member at the end")
}

func entries[A, B any](d *json.Decoder, name string, from func(A) B) ([]B, error) {
	if err := member(d, name); err != nil {
		return nil, err
	}
	if err := expect(d, json.Delim('['), strconv.Quote(name)+" is no list"); err != nil {
		return nil, err
	}
	out := []B{}
	for d.More() {
		var a A
		if err := d.Decode(&a); err != nil {
			return nil, err
		}
		out = append(out, from(a))
	}
	return out, expect(d, json.Delim(']'), strconv.Quote(name)+" is no list")
}

// member reads the name of the member that is next.
func member(d *json.Decoder, name string) error {
	return expect(d, name, "the member "+strconv.Quote(name)+" is missing where it stands, or another is there")
}

func expect(d *json.Decoder, want json.Token, message string) error {
	got, err := d.Token()
	switch {
	case err != nil:
		return err
	case got == want:
		return nil
	case message == "":
		return invalid("the file is no JSON object")
	}
	return invalid(message)
}
