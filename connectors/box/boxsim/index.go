package boxsim

import (
	"slices"
	"strings"
)

// shelf keeps things by a key, those of one key in the order of their ids as
// long as they are put there in that order.
type shelf[T comparable] map[string][]T

func (s shelf[T]) put(key string, x T) {
	if key != "" {
		s[key] = append(s[key], x)
	}
}

func (s shelf[T]) drop(key string, x T) {
	rest := slices.DeleteFunc(s[key], func(y T) bool { return x == y })
	if len(rest) == 0 {
		delete(s, key)
		return
	}
	s[key] = rest
}

// enrol adds a user. Ids only grow, so the roll is in their order.
func (w *world) enrol(u *user) {
	w.users[u.id] = u
	w.roll = append(w.roll, u)
}

// rollFrom is the place in the roll of the first user behind an id.
func (w *world) rollFrom(after string) int {
	i, found := slices.BinarySearchFunc(w.roll, after, func(u *user, id string) int { return compareIDs(u.id, id) })
	if found {
		i++
	}
	return i
}

func (w *world) addGroup(g *group) {
	w.groups[g.id] = g
	w.groupRoll = append(w.groupRoll, g)
}

// dropGroup ends a group, its memberships and what it could reach.
func (w *world) dropGroup(g *group) {
	delete(w.groups, g.id)
	w.groupRoll = slices.DeleteFunc(w.groupRoll, func(x *group) bool { return x == g })
	for _, m := range slices.Clone(w.membersOf[g.id]) {
		w.leave(m)
	}
	for _, c := range slices.Clone(w.groupCollabs[g.id]) {
		w.unshare(c)
	}
}

func (w *world) join(m *membership) {
	w.memberships[m.id] = m
	w.membersOf.put(m.group, m)
	w.groupsOf.put(m.user, m)
}

func (w *world) leave(m *membership) {
	delete(w.memberships, m.id)
	w.membersOf.drop(m.group, m)
	w.groupsOf.drop(m.user, m)
}

// member finds the membership of a user in a group.
func (w *world) member(userID, groupID string) *membership {
	for _, m := range w.groupsOf[userID] {
		if m.group == groupID {
			return m
		}
	}
	return nil
}

func (w *world) share(c *collaboration) {
	w.collabs[c.id] = c
	w.itemCollabs.put(c.item, c)
	w.userCollabs.put(c.user, c)
	w.groupCollabs.put(c.group, c)
}

func (w *world) unshare(c *collaboration) {
	delete(w.collabs, c.id)
	w.itemCollabs.drop(c.item, c)
	w.userCollabs.drop(c.user, c)
	w.groupCollabs.drop(c.group, c)
}

// reachedBy lists the collaborations of a user, in person or by a group.
func (w *world) reachedBy(userID string) []*collaboration {
	all := slices.Clone(w.userCollabs[userID])
	for _, m := range w.groupsOf[userID] {
		for _, c := range w.groupCollabs[m.group] {
			if c.user == "" {
				all = append(all, c)
			}
		}
	}
	return all
}

// hasPrefixFold compares without case. Folding that changes the length of a
// text is not met in logins.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
