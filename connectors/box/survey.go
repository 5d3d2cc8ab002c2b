package box

import (
	"context"
	"time"

	"sendoff/schema"
)

const (
	opSurvey = "box.survey_content"
	// A survey looks and does not audit: a few pages of each listing, and as many
	// questions about single items.
	surveyPages  = 5
	surveyShares = 10
	surveyLocks  = 15
	// trashedLately is how long ago a thing was trashed to count as lately.
	trashedLately = 7 * 24 * time.Hour
)

// surveyed is an item, as far as a survey reads it.
type surveyed struct {
	item
	SharedLink *struct {
		Access    string `json:"access"`
		Effective string `json:"effective_access"`
	} `json:"shared_link"`
	HasCollaborations *bool   `json:"has_collaborations"` // nil = Box did not say
	TrashedAt         instant `json:"trashed_at"`
}

// open tells whether anybody who has the link gets in.
func (s surveyed) open() bool {
	if s.SharedLink == nil {
		return false
	}
	if s.SharedLink.Effective != "" {
		return s.SharedLink.Effective == "open"
	}
	return s.SharedLink.Access == "open"
}

// surveyor gathers one survey.
type surveyor struct {
	client *client
	owner  schema.ExternalID
	now    time.Time
	found  schema.ContentSurvey
	locks  []schema.ExternalID // folders whose locks are not read yet
	shares []schema.Witness    // items whose shares are not known yet
}

// SurveyContent implements connectors.ContentSurveyor.
func (c *Connector) SurveyContent(ctx context.Context, owner schema.ExternalID, now time.Time) (schema.ContentSurvey, error) {
	s := &surveyor{client: c.client, owner: owner, now: now}
	for _, look := range []func(context.Context) error{s.root, s.trash, s.sharing, s.locking} {
		if err := look(ctx); err != nil {
			return schema.ContentSurvey{}, err
		}
	}
	return s.found, nil
}

// root looks at the items at the account's root.
func (s *surveyor) root(ctx context.Context) error {
	if s.owner == "" {
		return invalid(opSurvey, "the account's id is empty")
	}
	q := with(fields("id", "type", "owned_by", "shared_link", "has_collaborations"), "usemarker", "true")
	k := call{op: opSurvey, path: "/folders/0/items", query: q, asUser: s.owner, maxPages: surveyPages}
	return eachByMarker(ctx, s.client, k, func(i surveyed) error {
		if i.OwnedBy.id() != s.owner {
			return nil
		}
		w, err := i.witness(opSurvey)
		if err != nil {
			return err
		}
		s.found.Items++
		if i.open() {
			s.found.OpenLinks++
		}
		if w.Type == "folder" {
			s.locks = append(s.locks, w.ID)
		}
		switch {
		case w.Type == "web_link": // cannot be shared
		case i.HasCollaborations == nil:
			s.shares = append(s.shares, w)
		case *i.HasCollaborations:
			s.shared(w)
		}
		return nil
	})
}

func (s *surveyor) shared(w schema.Witness) {
	s.found.SharedItems++
	if w.Type == "file" {
		s.found.FileShares++
	}
}

// trash looks at what the account threw away. An item without a named owner
// counts as the account's.
func (s *surveyor) trash(ctx context.Context) error {
	q := with(fields("id", "type", "size", "owned_by", "trashed_at"), "usemarker", "true")
	k := call{op: opSurvey, path: "/folders/trash/items", query: q, asUser: s.owner, maxPages: surveyPages}
	return eachByMarker(ctx, s.client, k, func(i surveyed) error {
		if by := i.OwnedBy.id(); by != "" && by != s.owner {
			return nil
		}
		s.found.Trash++
		if i.Size != nil {
			s.found.TrashBytes += *i.Size
		}
		if at := time.Time(i.TrashedAt); !at.IsZero() && s.now.Sub(at) <= trashedLately {
			s.found.TrashedLately++
		}
		return nil
	})
}

// sharing asks after the shares of items that the listing did not tell of.
func (s *surveyor) sharing(ctx context.Context) error {
	for _, w := range s.shares[:min(len(s.shares), surveyShares)] {
		with, err := s.client.collaborations(ctx, s.owner, w)
		if outOfReach(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, co := range with {
			if co.AccessibleBy.id() != s.owner {
				s.shared(w)
				break
			}
		}
	}
	return nil
}

// locking asks after the locks of folders, and says of how many.
func (s *surveyor) locking(ctx context.Context) error {
	s.found.LocksTotal = len(s.locks)
	for _, folder := range s.locks[:min(len(s.locks), surveyLocks)] {
		yes, err := s.client.locked(ctx, s.owner, folder)
		if outOfReach(err) {
			continue // not read, and counted so
		}
		if err != nil {
			return err
		}
		s.found.LocksRead++
		if yes {
			s.found.LockedFolders++
		}
	}
	return nil
}
