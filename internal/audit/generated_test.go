package audit_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"sendoff/internal/audit"
)

// generated is an ExportSource that makes its one stream as it is read, so that a long history costs no memory.
type generated struct {
	signer  *audit.Signer
	records int64
	head    audit.Head
	hashes  []tlog.Hash
}

func (g *generated) Sealed(_ context.Context, from int64, limit int) ([]audit.SealedRecord, error) {
	var out []audit.SealedRecord
	for leaf := from; leaf < g.records && len(out) < limit; leaf++ {
		r := audit.Next(g.head, audit.SystemStream, fmt.Appendf(nil, `{"v":1,"n":%d,"fill":%q}`, leaf, strings.Repeat("x", 200)))
		g.head = r.Head()
		out = append(out, audit.SealedRecord{Record: r, Leaf: leaf})
	}
	return out, nil
}

// Checkpoints signs one checkpoint of everything, from a first pass over the same records.
func (g *generated) Checkpoints(ctx context.Context, after int64, _ int) ([][]byte, error) {
	if after >= g.records {
		return nil, nil
	}
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, n := range at {
			out[i] = g.hashes[n]
		}
		return out, nil
	})
	for leaf := int64(0); leaf < g.records; leaf++ {
		one, err := g.Sealed(ctx, leaf, 1)
		if err != nil {
			return nil, err
		}
		more, err := tlog.StoredHashes(leaf, one[0].Hash[:], read)
		if err != nil {
			return nil, err
		}
		g.hashes = append(g.hashes, more...)
	}
	root, err := tlog.TreeHash(g.records, read)
	if err != nil {
		return nil, err
	}
	g.head, g.hashes = audit.Head{}, nil
	signed, err := g.signer.Sign(audit.Checkpoint{Origin: g.signer.Origin(), Size: g.records, Root: root, Time: time.Unix(0, 0).UTC()})
	return [][]byte{signed}, err
}

func (g *generated) Unsealed(context.Context, string, int64, int) ([]audit.Record, error) {
	return nil, nil
}
