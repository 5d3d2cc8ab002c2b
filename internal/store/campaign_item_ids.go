package store

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"sendoff/schema"
)

// Ids of items are version 7 UUIDs of one instant for a whole campaign, that of its
// snapshot. Their order is that of the listing, and the steps between them are drawn: an
// item that is made later, and may not be told from the others, has an id among them.

// itemNumber is an id without its version and variant: 60 bits, then 62.
type itemNumber struct{ high, low uint64 }

// Steps are up to 2^52 of the 74 bits that are below the instant; eight million items
// do not leave it.
const (
	itemStep = 1 << 52
	lowBits  = 62
	lowMask  = 1<<lowBits - 1
)

// firstItem is where the ids of a listing begin.
func firstItem(at time.Time) itemNumber {
	return itemNumber{high: uint64(at.UnixMilli())<<12 | rand.Uint64N(1<<11), low: rand.Uint64N(1 << lowBits)} //nolint:gosec // it is after 1970, and guards no secret
}

// next is the number of the item after.
func (n itemNumber) next() itemNumber {
	return n.add(itemNumber{low: 1 + rand.Uint64N(itemStep)}) //nolint:gosec // guards no secret
}

func (n itemNumber) add(d itemNumber) itemNumber {
	low := n.low + d.low
	return itemNumber{high: n.high + d.high + low>>lowBits, low: low & lowMask}
}

// sub is n - d of a greater or the same n.
func (n itemNumber) sub(d itemNumber) itemNumber {
	low, borrow := bits.Sub64(n.low, d.low, 0)
	return itemNumber{high: n.high - d.high - borrow, low: low & lowMask}
}

func (n itemNumber) id() schema.ItemID {
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], n.high>>12<<16|0x7000|n.high&0xfff)
	binary.BigEndian.PutUint64(u[8:], 1<<63|n.low)
	return schema.ItemID(u.String())
}

func itemNumberOf(id schema.ItemID) (itemNumber, error) {
	u, err := uuid.Parse(string(id))
	if err != nil {
		return itemNumber{}, errNotAnID
	}
	high := binary.BigEndian.Uint64(u[:8])
	return itemNumber{high: high>>16<<12 | high&0xfff, low: binary.BigEndian.Uint64(u[8:]) & lowMask}, nil
}

// itemIDBetween is an id anywhere between two of a campaign, or a step beside one when
// the other is empty.
func itemIDBetween(before, after schema.ItemID) (schema.ItemID, error) {
	if after == "" {
		n, err := itemNumberOf(before)
		return n.next().id(), err
	}
	end, err := itemNumberOf(after)
	if err != nil {
		return "", err
	}
	if before == "" {
		return end.sub(itemNumber{low: 1 + rand.Uint64N(itemStep)}).id(), nil //nolint:gosec // guards no secret
	}
	from, err := itemNumberOf(before)
	if err != nil {
		return "", err
	}
	return from.add(end.sub(from).below()).id(), nil
}

// below draws a number that is less, and not 0 where there is one.
func (n itemNumber) below() itemNumber {
	d := itemNumber{low: rand.Uint64N(1 << lowBits)} //nolint:gosec // guards no secret
	if n.high == 0 {
		d.low = 1 + rand.Uint64N(max(n.low, 2)-1) //nolint:gosec // guards no secret
		return d
	}
	d.high = rand.Uint64N(n.high) //nolint:gosec // guards no secret
	return d
}

// loginKey is a login as the inventory is listed by.
func loginKey(login string) string { return strings.ToLower(login) }
