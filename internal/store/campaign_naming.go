package store

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"sendoff/schema"
)

// namedAtMost is how many items or removals an audit record names one by one.
const namedAtMost = 100

// naming adds to the details of an audit record which items it is of.
func naming(items []schema.ItemID, details map[string]string) map[string]string {
	return nameIDs("item", items, details)
}

// nameIDs adds which ids an audit record is of: how many, the SHA-256 over them, in
// ascending order with a newline between two (docs/reviews.md says so), and while they
// are few the ids themselves.
func nameIDs[T ~string](what string, list []T, details map[string]string) map[string]string {
	ids := make([]string, len(list))
	for n, id := range list {
		ids[n] = strings.ToLower(string(id))
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(ids, "\n")))
	out := with(details, what+"s", strconv.Itoa(len(ids)), what+"s_sha256", hex.EncodeToString(sum[:]))
	if len(ids) <= namedAtMost {
		out[what+"_ids"] = strings.Join(ids, " ")
	}
	return out
}
