package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"sendoff/internal/audit"
)

// memStore keeps the history in memory: the ports of the package over slices, with the uniqueness rules a database
// has to enforce. A record in open is written by a transaction that has not committed.
type memStore struct {
	lock sync.Mutex // the sealer's advisory lock

	mu          sync.Mutex
	records     []audit.Record
	leaves      []audit.Leaf
	hashes      []tlog.Hash
	checkpoints [][]byte
	sizes       []int64
	failPut     error // returned by PutCheckpoint once
}

func (m *memStore) commit(records ...audit.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, records...)
}

func (m *memStore) Seal(ctx context.Context, fn func(context.Context, audit.SealTx) error) error {
	if !m.lock.TryLock() {
		return audit.ErrSealerBusy
	}
	defer m.lock.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	leaves, hashes, notes, sizes := slices.Clone(m.leaves), slices.Clone(m.hashes), slices.Clone(m.checkpoints), slices.Clone(m.sizes)
	err := fn(ctx, memTx{m})
	if err != nil { // roll back
		m.leaves, m.hashes, m.checkpoints, m.sizes = leaves, hashes, notes, sizes
	}
	return err
}

func byStream(aStream string, aSeq int64, bStream string, bSeq int64) int {
	if c := strings.Compare(aStream, bStream); c != 0 {
		return c
	}
	return int(aSeq - bSeq)
}

func (m *memStore) unsealed() []audit.Record {
	sealed := map[string]bool{}
	for _, l := range m.leaves {
		sealed[fmt.Sprint(l.Stream, l.Seq)] = true
	}
	var out []audit.Record
	for _, r := range m.records {
		if !sealed[fmt.Sprint(r.Stream, r.Seq)] {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b audit.Record) int { return byStream(a.Stream, a.Seq, b.Stream, b.Seq) })
	return out
}

type memTx struct{ m *memStore }

func (t memTx) Latest(context.Context) ([]byte, error) {
	if len(t.m.checkpoints) == 0 {
		return nil, nil
	}
	return t.m.checkpoints[len(t.m.checkpoints)-1], nil
}

func (t memTx) Unsealed(_ context.Context, limit int) ([]audit.Pending, error) {
	var out []audit.Pending
	for _, r := range t.m.unsealed() {
		if len(out) < limit {
			out = append(out, audit.Pending{Stream: r.Stream, Seq: r.Seq, Hash: r.Hash})
		}
	}
	return out, nil
}

func (t memTx) ReadHashes(_ context.Context, indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		out[i] = t.m.hashes[at]
	}
	return out, nil
}

func (t memTx) AppendLeaves(_ context.Context, leaves []audit.Leaf) error {
	for _, l := range leaves {
		if l.Index != int64(len(t.m.leaves)) {
			return fmt.Errorf("leaf %d is not consecutive", l.Index)
		}
		if slices.ContainsFunc(t.m.leaves, func(o audit.Leaf) bool { return o.Stream == l.Stream && o.Seq == l.Seq }) {
			return fmt.Errorf("%s record %d is sealed twice", l.Stream, l.Seq)
		}
		t.m.leaves = append(t.m.leaves, l)
	}
	return nil
}

func (t memTx) AppendHashes(_ context.Context, first int64, hashes []tlog.Hash) error {
	if first != int64(len(t.m.hashes)) {
		return fmt.Errorf("hashes at %d are not consecutive", first)
	}
	t.m.hashes = append(t.m.hashes, hashes...)
	return nil
}

func (t memTx) PutCheckpoint(_ context.Context, c audit.Checkpoint, signed []byte) error {
	if err := t.m.failPut; err != nil {
		t.m.failPut = nil
		return err
	}
	t.m.checkpoints, t.m.sizes = append(t.m.checkpoints, signed), append(t.m.sizes, c.Size)
	return nil
}

func (m *memStore) Checkpoints(_ context.Context, after int64, limit int) ([][]byte, error) {
	var out [][]byte
	for i, c := range m.checkpoints {
		if m.sizes[i] > after && len(out) < limit {
			out = append(out, c)
		}
	}
	return out, nil
}

func (m *memStore) Sealed(_ context.Context, from int64, limit int) ([]audit.SealedRecord, error) {
	byKey := map[string]audit.Record{}
	for _, r := range m.records {
		byKey[fmt.Sprint(r.Stream, r.Seq)] = r
	}
	var out []audit.SealedRecord
	for i := from; i < int64(len(m.leaves)) && len(out) < limit; i++ {
		l := m.leaves[i]
		out = append(out, audit.SealedRecord{Record: byKey[fmt.Sprint(l.Stream, l.Seq)], Leaf: l.Index})
	}
	return out, nil
}

func (m *memStore) Unsealed(_ context.Context, stream string, seq int64, limit int) ([]audit.Record, error) {
	var out []audit.Record
	for _, r := range m.unsealed() {
		if byStream(r.Stream, r.Seq, stream, seq) > 0 && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}
