package audit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"sendoff/internal/audit"
)

func TestSealer(t *testing.T) {
	t.Parallel()

	t.Run("builds the tree that tlog defines", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(rt *rapid.T) {
			h := newHistory(t)
			for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
				h.add("case/a", rapid.IntRange(0, 20).Draw(rt, "records"))
				h.seal()
			}
			var stored []tlog.Hash
			read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
				out := make([]tlog.Hash, len(at))
				for i, n := range at {
					out[i] = stored[n]
				}
				return out, nil
			})
			for i, l := range h.store.leaves {
				more, err := tlog.StoredHashes(int64(i), l.Hash[:], read)
				require.NoError(rt, err)
				stored = append(stored, more...)
			}
			require.Equal(rt, stored, h.store.hashes)
			if len(h.store.leaves) > 0 {
				want, err := tlog.TreeHash(int64(len(h.store.leaves)), read)
				require.NoError(rt, err)
				require.Equal(rt, want, h.latest().Root)
			}
		})
	})

	t.Run("seals every record once, in whatever order transactions commit", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(rt *rapid.T) {
			h := newHistory(t)
			h.add("person/first", 1)            // a log of nothing would not verify
			open := map[string][]audit.Record{} // written, not committed
			for range rapid.IntRange(1, 60).Draw(rt, "moves") {
				stream := rapid.SampledFrom([]string{"case/a", "case/b", "system"}).Draw(rt, "stream")
				switch rapid.SampledFrom([]string{"write", "commit", "seal"}).Draw(rt, "move") {
				case "write":
					open[stream] = append(open[stream], h.next(stream))
				case "commit":
					h.store.commit(open[stream]...)
					delete(open, stream)
				case "seal":
					h.seal()
				}
			}
			for _, records := range open {
				h.store.commit(records...)
			}
			h.seal()
			require.Len(rt, h.store.leaves, len(h.store.records))
			report := h.verify(h.export(), nil)
			require.Empty(rt, report.Problems)
			require.Zero(rt, report.Unsealed)
		})
	})

	t.Run("rolls a failed batch back and seals it the next time", func(t *testing.T) {
		t.Parallel()
		h := newHistory(t)
		h.add("case/a", 3)
		lost := errors.New("connection lost")
		h.store.failPut = lost
		n, err := h.sealer.SealPending(t.Context())
		require.ErrorIs(t, err, lost)
		require.Zero(t, n)
		require.Empty(t, h.store.leaves)
		n, err = h.sealer.SealPending(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, n)
		require.True(t, h.verify(h.export(), nil).OK())
	})

	t.Run("leaves the work to whoever holds the lock", func(t *testing.T) {
		t.Parallel()
		h := newHistory(t)
		h.add("case/a", 1)
		h.store.lock.Lock()
		n, err := h.sealer.SealPending(t.Context())
		h.store.lock.Unlock()
		require.NoError(t, err)
		require.Zero(t, n)
		require.Empty(t, h.store.leaves)
	})

	t.Run("signs nothing when there is nothing new", func(t *testing.T) {
		t.Parallel()
		h := sample(t)
		h.seal()
		before := len(h.store.checkpoints)
		h.seal()
		require.Len(t, h.store.checkpoints, before)
	})

	t.Run("never lets the log's time run backwards", func(t *testing.T) {
		t.Parallel()
		h := newHistory(t)
		h.add("case/a", 1)
		h.seal()
		first := h.latest().Time
		h.now = start().Add(-time.Hour)
		h.add("case/a", 1)
		h.seal()
		require.Equal(t, first, h.latest().Time)
	})
}

func TestSealerRefusesARewrittenLog(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func(*history){
		// With six leaves the peaks are the subtree of four and the subtree of two: storage indexes 6 and 9.
		"a tree hash was changed": func(h *history) { h.store.hashes[tlog.StoredHashIndex(2, 0)][0] ^= 1 },
		"its checkpoint was signed by another key": func(h *history) {
			signed, err := newSigner(h.t, 2).Sign(*h.latest())
			require.NoError(h.t, err)
			h.store.checkpoints[0] = signed
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHistory(t)
			h.add("case/a", 6)
			h.seal()
			tamper(h)
			h.add("case/a", 1)
			require.ErrorIs(t, h.sealer.Run(t.Context()), audit.ErrDiverged)
			require.Len(t, h.store.leaves, 6)
			require.Len(t, h.store.checkpoints, 1)
		})
	}
}

func TestSealerRun(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	failed := make(chan error, 1)
	sealer, err := audit.NewSealer(audit.SealerConfig{
		Store: h.store, Signer: h.signer, Interval: time.Millisecond, OnError: func(err error) { failed <- err },
	})
	require.NoError(t, err)
	lost := errors.New("connection lost")
	h.store.failPut = lost
	h.add("case/a", 1)

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sealer.Run(ctx) }()
	require.ErrorIs(t, <-failed, lost)
	require.Eventually(t, func() bool {
		h.store.mu.Lock()
		defer h.store.mu.Unlock()
		return len(h.store.leaves) == 1
	}, 10*time.Second, time.Millisecond, "a failed round must be tried again")
	cancel()
	require.NoError(t, <-ended)
}

func TestSigner(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, 1)
	c := audit.Checkpoint{Origin: signer.Origin(), Size: 3, Root: tlog.Hash{1}, Time: start()}
	signed, err := signer.Sign(c)
	require.NoError(t, err)

	t.Run("what it signs opens with its key alone", func(t *testing.T) {
		t.Parallel()
		got, err := audit.OpenCheckpoint(signed, signer.VerifierKey())
		require.NoError(t, err)
		require.Equal(t, c, got)
		_, err = audit.OpenCheckpoint(signed, newSigner(t, 2).VerifierKey())
		require.ErrorContains(t, err, "signature")
		_, err = audit.OpenCheckpoint(signed, "no key")
		require.ErrorContains(t, err, "verifier key")
	})

	t.Run("any changed byte closes it", func(t *testing.T) {
		t.Parallel()
		for i := range signed {
			bad := append([]byte(nil), signed...)
			bad[i] ^= 1
			_, err := audit.OpenCheckpoint(bad, signer.VerifierKey())
			require.Error(t, err, "byte %d", i)
		}
	})

	t.Run("refuses another origin, a short seed and a name that is none", func(t *testing.T) {
		t.Parallel()
		other := c
		other.Origin = "elsewhere.example.com"
		_, err := signer.Sign(other)
		require.ErrorContains(t, err, "cannot be signed")
		_, err = audit.NewSigner("audit.example.com", make([]byte, 31))
		require.ErrorContains(t, err, "32 bytes")
		for _, origin := range []string{"", "two words", "a+b"} {
			_, err = audit.NewSigner(origin, make([]byte, audit.SeedSize))
			require.Error(t, err, origin)
		}
	})
}
