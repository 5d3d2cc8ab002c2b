package audit

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is the right edge of a Merkle log: the roots of its complete subtrees, largest first. It is all that adding
// a leaf or computing the root needs, so a log of any size is extended and checked in memory of log2(size) hashes.
type tree struct {
	size  int64
	peaks []tlog.Hash // one per set bit of size, from the highest
}

// leafHash is the tree hash of a record: RFC 6962's leaf hash over the record's hash, which commits to the rest.
func leafHash(h Hash) tlog.Hash { return tlog.RecordHash(h[:]) }

// peakIndexes returns where tlog stores the peaks of a log with size leaves.
func peakIndexes(size int64) []int64 {
	var indexes []int64
	var lo int64
	for level := bits.Len64(uint64(size)) - 1; level >= 0; level-- {
		if size&(1<<level) != 0 {
			indexes = append(indexes, tlog.StoredHashIndex(level, lo>>level))
			lo += 1 << level
		}
	}
	return indexes
}

// add appends a leaf and returns the hashes to store for it, which belong at tlog.StoredHashIndex(0, leaf) and on.
func (t *tree) add(leaf tlog.Hash) []tlog.Hash {
	stored := []tlog.Hash{leaf}
	h := leaf
	for range bits.TrailingZeros64(uint64(t.size + 1)) {
		last := len(t.peaks) - 1
		h = tlog.NodeHash(t.peaks[last], h)
		t.peaks = t.peaks[:last]
		stored = append(stored, h)
	}
	t.peaks = append(t.peaks, h)
	t.size++
	return stored
}

// root returns the tree hash of all leaves added so far.
func (t *tree) root() tlog.Hash {
	if t.size == 0 {
		empty, _ := tlog.TreeHash(0, nil) // reads nothing and cannot fail for zero leaves
		return empty
	}
	h := t.peaks[len(t.peaks)-1]
	for i := len(t.peaks) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.peaks[i], h)
	}
	return h
}
