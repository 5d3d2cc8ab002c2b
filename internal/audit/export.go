package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// exportPage is how many rows the exporter asks its source for at a time.
const exportPage = 500

// SealedRecord is a record and its leaf's index.
type SealedRecord struct {
	Record
	Leaf int64
}

// ExportSource reads the history. All calls of one export must see the same snapshot (one repeatable-read
// transaction); otherwise a checkpoint may speak of leaves the file does not hold.
type ExportSource interface {
	// Checkpoints returns up to limit signed checkpoints of more than afterSize leaves, by ascending size.
	Checkpoints(ctx context.Context, afterSize int64, limit int) ([][]byte, error)
	// Sealed returns up to limit records whose leaf is fromLeaf or later, by ascending leaf.
	Sealed(ctx context.Context, fromLeaf int64, limit int) ([]SealedRecord, error)
	// Unsealed returns up to limit records without a leaf that come after (afterStream, afterSeq), ordered by
	// stream (byte order) and sequence number.
	Unsealed(ctx context.Context, afterStream string, afterSeq int64, limit int) ([]Record, error)
}

// ExportInfo is what the header of an export says besides the records.
type ExportInfo struct {
	Origin      string    // the log's name
	VerifierKey string    // the public key, for comparison; a reader trusts only a key it was given otherwise
	At          time.Time // when the export was made
}

// Export writes the whole history to w, page by page, in the format [Verify] reads. It does not judge what it
// writes: a damaged store exports as a file that does not verify.
func Export(ctx context.Context, info ExportInfo, src ExportSource, w io.Writer) error {
	if info.Origin == "" || info.VerifierKey == "" || info.At.IsZero() {
		return errors.New("audit: an export needs the log's origin, its verifier key and the time")
	}
	e := &exporter{src: src, out: newLineWriter(w)}
	header := headerLine{
		Type: typeHeader, V: formatVersion, Origin: info.Origin, Key: info.VerifierKey,
		ExportedAt: info.At.UTC().Format(time.RFC3339Nano),
	}
	if err := e.out.write(header); err != nil {
		return err
	}
	if err := e.sealedPart(ctx); err != nil {
		return err
	}
	if err := e.unsealedPart(ctx); err != nil {
		return err
	}
	return e.out.end()
}

type exporter struct {
	src  ExportSource
	out  *lineWriter
	next int64          // the next leaf to write
	page []SealedRecord // read but not yet written
	done bool           // the source has no more leaves
}

// sealedPart writes the leaves, each checkpoint behind the last leaf it covers, and any leaf beyond the last one.
func (e *exporter) sealedPart(ctx context.Context) error {
	var after int64
	for {
		signed, err := e.src.Checkpoints(ctx, after, exportPage)
		if err != nil {
			return err
		}
		for _, s := range signed {
			c, err := parseUnverified(s)
			if err != nil {
				return err
			}
			if c.Size <= after {
				return fmt.Errorf("audit: export: checkpoints are not in the order of their sizes at %d leaves", c.Size)
			}
			after = c.Size
			if err := e.leavesBefore(ctx, after); err != nil {
				return err
			}
			if err := e.out.write(checkpointLine{Type: typeCheckpoint, Note: string(s)}); err != nil {
				return err
			}
		}
		if len(signed) == 0 {
			return e.leavesBefore(ctx, math.MaxInt64)
		}
	}
}

// leavesBefore writes the leaves below limit that are not written yet.
func (e *exporter) leavesBefore(ctx context.Context, limit int64) error {
	for e.next < limit {
		if len(e.page) == 0 && !e.done {
			page, err := e.src.Sealed(ctx, e.next, exportPage)
			if err != nil {
				return err
			}
			e.page, e.done = page, len(page) == 0
		}
		if len(e.page) == 0 || e.page[0].Leaf >= limit {
			return nil
		}
		r := e.page[0]
		if r.Leaf < e.next {
			return fmt.Errorf("audit: export: leaves are not in order at leaf %d", r.Leaf)
		}
		line, err := newRecordLine(r.Record, &r.Leaf)
		if err != nil {
			return err
		}
		if err := e.out.write(line); err != nil {
			return err
		}
		e.page, e.next = e.page[1:], r.Leaf+1
	}
	return nil
}

func (e *exporter) unsealedPart(ctx context.Context) error {
	var stream string
	var seq int64
	for {
		page, err := e.src.Unsealed(ctx, stream, seq, exportPage)
		if err != nil {
			return err
		}
		for _, r := range page {
			if r.Stream < stream || (r.Stream == stream && r.Seq <= seq) {
				return fmt.Errorf("audit: export: unsealed records are not in order at %s record %d", r.Stream, r.Seq)
			}
			line, err := newRecordLine(r, nil)
			if err != nil {
				return err
			}
			if err := e.out.write(line); err != nil {
				return err
			}
			stream, seq = r.Stream, r.Seq
		}
		if len(page) == 0 {
			return nil
		}
	}
}
