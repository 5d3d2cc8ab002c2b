package evidence

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"reflect"
	"time"

	"sendoff/schema"
)

// JSON writes the evidence of a campaign: an object whose members, and the entries
// of its lists, stand on lines of their own in a fixed order, so that two exports
// differ in the line of exported_at alone. One entry at a time is held in memory.
func JSON(w io.Writer, e schema.CampaignEvidence) error {
	e = ordered(e)
	j := &jsonWriter{w: bufio.NewWriterSize(w, 64<<10)}
	j.enc = json.NewEncoder(&j.line)
	j.raw("{\n")
	format, item, reviewer := schema.EvidenceFormat, itemOf, reviewerOf
	first := e.Format == schema.EvidenceFormatFirst
	if first {
		format, item, reviewer = e.Format, firstItemOf, firstReviewerOf
	}
	j.member("format", format)
	j.member("exported_at", at(e.ExportedAt))
	j.member("signed", e.Signed)
	j.member("campaign", campaignOf(e.Campaign))
	j.member("review", reviewOf(e.Review))
	j.member("counts", countsOf(e.Counts))
	list(j, "exceptions", e.Exceptions, func(f schema.Finding) wireFinding { return wireFinding(f) }, false)
	if !first {
		list(j, "batches", e.Batches, func(b schema.EvidenceBatch) wireBatch { return batchOf(orderedBatch(b)) }, false)
		list(j, "events", e.Events, eventOf, false)
	}
	list(j, "reviewers", e.Reviewers, reviewer, false)
	list(j, "items", e.Items, func(i schema.EvidenceItem) wireItem { return item(orderedItem(i)) }, false)
	list(j, "removals", e.Removals, removalOf, false)
	list(j, "returns", e.Returns, returnOf, true)
	j.raw("}\n")
	if j.err != nil {
		return j.err
	}
	return j.w.Flush()
}

// firstItemOf is an item in the first format.
func firstItemOf(i schema.EvidenceItem) wireItem {
	w := itemOf(i)
	for n := range w.Shown {
		w.Shown[n].Weighed = nil
	}
	for n := range w.Decisions {
		w.Decisions[n].Number = 0
	}
	return w
}

// firstReviewerOf is a reviewer in the first format.
func firstReviewerOf(s schema.ReviewerStats) wireReviewer {
	w := reviewerOf(s)
	w.Looks = nil
	return w
}

// Hash is the SHA-256 of the evidence's JSON without the time of its export, in hex.
func Hash(e schema.CampaignEvidence) (string, error) {
	e.ExportedAt = time.Time{}
	sum := sha256.New()
	if err := JSON(sum, e); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// jsonWriter writes until the first error, which it keeps.
type jsonWriter struct {
	w    *bufio.Writer
	line bytes.Buffer
	enc  *json.Encoder
	err  error
}

func (j *jsonWriter) raw(s string) {
	if j.err == nil {
		_, j.err = j.w.WriteString(s)
	}
}

func (j *jsonWriter) value(v any) {
	if j.err != nil {
		return
	}
	j.encode(v)
	// What is no UTF-8 is written as an escape, and as the character itself when it
	// was read: it is read here, so that both are the same bytes.
	if j.err == nil && bytes.Contains(j.line.Bytes(), []byte(`\ufffd`)) {
		again := reflect.New(reflect.TypeOf(v))
		if j.err = json.Unmarshal(j.line.Bytes(), again.Interface()); j.err == nil {
			j.encode(again.Elem().Interface())
		}
	}
	if j.err == nil {
		_, j.err = j.w.Write(bytes.TrimSuffix(j.line.Bytes(), []byte("\n")))
	}
}

func (j *jsonWriter) encode(v any) {
	j.line.Reset()
	j.err = j.enc.Encode(v)
}

func (j *jsonWriter) member(name string, v any) {
	j.raw(`  "` + name + `": `)
	j.value(v)
	j.raw(",\n")
}

func list[A, B any](j *jsonWriter, name string, entries []A, wire func(A) B, last bool) {
	j.raw(`  "` + name + `": [`)
	for n, a := range entries {
		if n > 0 {
			j.raw(",")
		}
		j.raw("\n    ")
		j.value(wire(a))
	}
	if len(entries) > 0 {
		j.raw("\n  ")
	}
	j.raw("]")
	if !last {
		j.raw(",")
	}
	j.raw("\n")
}
