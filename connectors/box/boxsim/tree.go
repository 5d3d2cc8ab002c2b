package boxsim

import (
	"slices"
	"strings"
	"time"
)

// childIDs lists what lies directly in a folder, or in a user's root.
func (w *world) childIDs(parent, rootOwner string) []string {
	if parent == "" {
		if u := w.users[rootOwner]; u != nil {
			return u.root
		}
		return nil
	}
	if p := w.items[parent]; p != nil {
		return p.children
	}
	return nil
}

// children lists the items in a folder (or root) that are in the given state.
func (w *world) children(parent, rootOwner string, state itemState) []*item {
	var out []*item
	for _, id := range w.childIDs(parent, rootOwner) {
		if it := w.items[id]; it != nil && it.state == state {
			out = append(out, it)
		}
	}
	return out
}

func (w *world) link(it *item) {
	if it.parent == "" {
		u := w.users[it.owner]
		u.root = append(u.root, it.id)
		return
	}
	p := w.items[it.parent]
	p.children = append(p.children, it.id)
}

func (w *world) unlink(it *item) {
	drop := func(ids []string) []string {
		return slices.DeleteFunc(ids, func(id string) bool { return id == it.id })
	}
	if it.parent == "" {
		u := w.users[it.owner]
		u.root = drop(u.root)
		return
	}
	p := w.items[it.parent]
	p.children = drop(p.children)
}

// add puts a new item into the world; its owner and parent must exist.
func (w *world) add(it *item, now time.Time) *item {
	it.id = w.id("item")
	it.originalOwner = it.owner
	if it.state == "" {
		it.state = stateAlive
	}
	it.bornAlive = it.state == stateAlive
	w.items[it.id] = it
	w.itemIDs = append(w.itemIDs, it)
	w.link(it)
	u := w.users[it.owner]
	u.own(it)
	w.charge(u, it, 1, now)
	return it
}

// charge adds an item to what a user's content measures from now on, or with a
// sign of -1 takes it off.
func (w *world) charge(u *user, it *item, sign int64, now time.Time) {
	u.bytes += sign * it.size
	if it.state == stateTrashed {
		u.trashBytes += sign * it.size
	}
	u.measure(it.size, now)
}

func (u *user) own(it *item) {
	if u.owned == nil {
		u.owned = map[string]*item{}
	}
	u.owned[it.id] = it
}

func (u *user) measure(changed int64, now time.Time) {
	if changed != 0 {
		u.space = append(u.space, spacePoint{now, u.bytes, u.trashBytes})
	}
}

// own moves one item, not its children, to another owner.
func (w *world) own(it *item, owner string, now time.Time) {
	if it.owner == owner {
		return
	}
	from, to := w.users[it.owner], w.users[owner]
	delete(from.owned, it.id)
	w.charge(from, it, -1, now)
	it.formerOwners = append(it.formerOwners, it.owner)
	it.owner = owner
	to.own(it)
	w.charge(to, it, 1, now)
}

// subtree lists it and everything below it in any state but destroyed, parents
// before children.
func (w *world) subtree(it *item) []*item {
	out := []*item{it}
	for _, id := range it.children {
		if child := w.items[id]; child != nil && child.state != stateDestroyed {
			out = append(out, w.subtree(child)...)
		}
	}
	return out
}

// destroy ends an item and all below it for good, and returns what that was.
func (w *world) destroy(it *item, cause string, now time.Time) []*item {
	gone := w.subtree(it)
	for _, x := range gone {
		u := w.users[x.owner]
		delete(u.owned, x.id)
		x.destroyedHeld = w.held(x)
		w.charge(u, x, -1, now)
		x.state, x.destroyedBy = stateDestroyed, cause
		for _, c := range slices.Clone(w.itemCollabs[x.id]) {
			w.unshare(c)
		}
	}
	w.unlink(it)
	return gone
}

// trash moves an item and all below it into the owner's trash.
func (w *world) trash(it *item, now time.Time) {
	for _, x := range w.subtree(it) {
		if x.alive() {
			x.state, x.trashedAt = stateTrashed, now
			u := w.users[x.owner]
			u.trashBytes += x.size
			u.measure(x.size, now)
		}
	}
	it.trashRoot = true
}

// restore brings a trashed item back, with what was trashed along with it.
func (w *world) restore(it *item, now time.Time) {
	it.trashRoot = false
	for _, x := range w.subtree(it) {
		if x == it || !w.underTrashRoot(x, it) {
			if x.state == stateTrashed {
				u := w.users[x.owner]
				u.trashBytes -= x.size
				u.measure(x.size, now)
			}
			x.state, x.trashedAt = stateAlive, time.Time{}
		}
	}
}

func (w *world) underTrashRoot(x, top *item) bool {
	for ; x != nil && x != top; x = w.items[x.parent] {
		if x.trashRoot {
			return true
		}
	}
	return false
}

// ancestors lists the folders above it, the nearest first.
func (w *world) ancestors(it *item) []*item {
	var out []*item
	for p := w.items[it.parent]; p != nil; p = w.items[p.parent] {
		out = append(out, p)
	}
	return out
}

// place moves it, with all below, into another folder or root. What it now
// lies in decides who owns it.
func (w *world) place(it *item, parent, rootOwner string, now time.Time) {
	owner := rootOwner
	if p := w.items[parent]; p != nil {
		owner = p.owner
	}
	w.unlink(it)
	moved := w.subtree(it)
	it.parent = parent
	for _, x := range moved {
		w.own(x, owner, now)
	}
	w.link(it)
	it.modifiedAt = now
}

// nameTaken tells whether an alive item in the folder has that name. Box
// compares names without case.
func (w *world) nameTaken(parent, rootOwner, name, except string) *item {
	for _, it := range w.children(parent, rootOwner, stateAlive) {
		if it.id != except && strings.EqualFold(it.name, name) {
			return it
		}
	}
	return nil
}

func (w *world) folderBytes(it *item) int64 {
	var sum int64
	for _, x := range w.subtree(it) {
		if x.state == it.state {
			sum += x.size
		}
	}
	return sum
}

func (w *world) dropCollabs(match func(*collaboration) bool) {
	for _, c := range byID(w.collabs) {
		if match(c) {
			w.unshare(c)
		}
	}
}
