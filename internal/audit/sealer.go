package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	defaultSealInterval = time.Second
	defaultSealBatch    = 1000
)

// ErrSealerBusy is what [SealStore.Seal] returns when another process holds the sealer's lock. It is no failure:
// that process seals.
var ErrSealerBusy = errors.New("audit: another sealer holds the lock")

// ErrDiverged means that the stored tree is not the one the last checkpoint signed, or that the checkpoint is not
// signed by our key. The sealer signs nothing on top of it: somebody changed the store, restored part of it or
// started with another key.
var ErrDiverged = errors.New("audit: stored log does not match its last checkpoint")

// Pending is a committed record that is not yet a leaf.
type Pending struct {
	Stream string
	Seq    int64
	Hash   Hash
}

// Leaf is a record's place in the log.
type Leaf struct {
	Index  int64
	Stream string
	Seq    int64
	Hash   Hash
}

// SealStore gives the sealer a transaction. Seal takes the sealer's advisory lock without waiting (else
// [ErrSealerBusy]), runs fn in one transaction and commits it if fn returns nil.
type SealStore interface {
	Seal(ctx context.Context, fn func(ctx context.Context, tx SealTx) error) error
}

// SealTx is what the sealer does inside the transaction.
type SealTx interface {
	// Latest returns the newest signed checkpoint, nil if there is none.
	Latest(ctx context.Context) ([]byte, error)
	// Unsealed returns up to limit committed records without a leaf, ordered by stream and then sequence number.
	// It must find them by the absence of their leaf and never by a high-water mark: transactions of different
	// streams commit in another order than they took their ids, and a mark skips the late ones for ever.
	Unsealed(ctx context.Context, limit int) ([]Pending, error)
	// ReadHashes returns the stored tree hashes at the given tlog storage indexes, in that order.
	ReadHashes(ctx context.Context, indexes []int64) ([]tlog.Hash, error)
	// AppendLeaves stores leaves; both the index and (stream, seq) must be unique in the store.
	AppendLeaves(ctx context.Context, leaves []Leaf) error
	// AppendHashes stores tree hashes at first, first+1, ...
	AppendHashes(ctx context.Context, first int64, hashes []tlog.Hash) error
	// PutCheckpoint stores a signed checkpoint and its size.
	PutCheckpoint(ctx context.Context, c Checkpoint, signed []byte) error
}

// SealerConfig holds what a Sealer needs. Interval (default 1 s) is the pause between rounds, BatchSize (default
// 1000) the most records per transaction, Now the clock (default time.Now). OnError is told of a round that failed
// and will be tried again; it may be nil.
type SealerConfig struct {
	Store     SealStore
	Signer    *Signer
	Interval  time.Duration
	BatchSize int
	Now       func() time.Time
	OnError   func(error)
}

// Sealer turns committed records into leaves of the log and signs a checkpoint for each batch. Any number of
// processes may run one; the store's lock lets one work at a time.
type Sealer struct {
	cfg      SealerConfig
	verifier note.Verifier
}

// NewSealer checks cfg and fills in its defaults.
func NewSealer(cfg SealerConfig) (*Sealer, error) {
	if cfg.Store == nil || cfg.Signer == nil {
		return nil, errors.New("audit: a sealer needs a store and a signer")
	}
	if cfg.Interval < 0 || cfg.BatchSize < 0 {
		return nil, errors.New("audit: sealer interval and batch size must not be negative")
	}
	if cfg.Interval == 0 {
		cfg.Interval = defaultSealInterval
	}
	if cfg.BatchSize == 0 {
		cfg.BatchSize = defaultSealBatch
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.OnError == nil {
		cfg.OnError = func(error) {}
	}
	verifier, err := note.NewVerifier(cfg.Signer.VerifierKey())
	if err != nil {
		return nil, fmt.Errorf("audit: signer: %w", err)
	}
	return &Sealer{cfg: cfg, verifier: verifier}, nil
}

// Run seals every interval until ctx ends (nil). A failed round is reported and tried again, except [ErrDiverged],
// which Run returns: going on would sign a history that somebody rewrote.
func (s *Sealer) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.cfg.Interval)
	defer ticker.Stop()
	for {
		_, err := s.SealPending(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrDiverged):
			return err
		case err != nil:
			s.cfg.OnError(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// SealPending seals batch after batch until nothing committed is left, and returns how many records it sealed.
// It returns 0 and no error when another sealer is at work.
func (s *Sealer) SealPending(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := s.sealBatch(ctx)
		total += n
		if errors.Is(err, ErrSealerBusy) {
			return total, nil
		}
		if err != nil || n < s.cfg.BatchSize {
			return total, err
		}
	}
}

func (s *Sealer) sealBatch(ctx context.Context) (int, error) {
	sealed := 0
	err := s.cfg.Store.Seal(ctx, func(ctx context.Context, tx SealTx) error {
		pending, err := tx.Unsealed(ctx, s.cfg.BatchSize)
		if err != nil || len(pending) == 0 {
			return err
		}
		last, t, err := s.load(ctx, tx)
		if err != nil {
			return err
		}
		if err := s.extend(ctx, tx, t, pending); err != nil {
			return err
		}
		if err := s.sign(ctx, tx, t, last); err != nil {
			return err
		}
		sealed = len(pending)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return sealed, nil
}

// load reads the last checkpoint and the tree's right edge and proves that they belong together.
func (s *Sealer) load(ctx context.Context, tx SealTx) (Checkpoint, *tree, error) {
	signed, err := tx.Latest(ctx)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if signed == nil {
		return Checkpoint{}, &tree{}, nil
	}
	last, err := openCheckpoint(signed, s.verifier)
	if err != nil {
		return Checkpoint{}, nil, fmt.Errorf("%w: %w", ErrDiverged, err)
	}
	t := &tree{size: last.Size}
	indexes := peakIndexes(last.Size)
	if t.peaks, err = tx.ReadHashes(ctx, indexes); err != nil {
		return Checkpoint{}, nil, err
	}
	if len(t.peaks) != len(indexes) || t.root() != last.Root {
		return Checkpoint{}, nil, fmt.Errorf("%w: tree hashes of %d leaves were changed or are missing", ErrDiverged, last.Size)
	}
	return last, t, nil
}

func (s *Sealer) extend(ctx context.Context, tx SealTx, t *tree, pending []Pending) error {
	first := tlog.StoredHashIndex(0, t.size)
	leaves := make([]Leaf, 0, len(pending))
	var hashes []tlog.Hash
	for _, p := range pending {
		leaves = append(leaves, Leaf{Index: t.size, Stream: p.Stream, Seq: p.Seq, Hash: p.Hash})
		hashes = append(hashes, t.add(leafHash(p.Hash))...)
	}
	if err := tx.AppendLeaves(ctx, leaves); err != nil {
		return err
	}
	return tx.AppendHashes(ctx, first, hashes)
}

func (s *Sealer) sign(ctx context.Context, tx SealTx, t *tree, last Checkpoint) error {
	now := s.cfg.Now().UTC()
	if now.Before(last.Time) {
		now = last.Time // a host whose clock is behind must not make the log's time run backwards
	}
	c := Checkpoint{Origin: s.cfg.Signer.Origin(), Size: t.size, Root: t.root(), Time: now}
	signed, err := s.cfg.Signer.Sign(c)
	if err != nil {
		return err
	}
	return tx.PutCheckpoint(ctx, c, signed)
}
