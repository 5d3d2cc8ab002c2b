package conformance

import (
	"context"
	"time"

	"sendoff/connectors"
	"sendoff/schema"
)

// onOwner is a call about what an account owns, acting as it.
func onOwner[C any](name string, do func(C, context.Context, schema.ExternalID, schema.Witness) error) call {
	return call{
		name: name, can: having[C],
		prepare: func(s *scene) (action, schema.ExternalID) {
			c, owner := s.conn.(C), s.person()
			w := s.folder(owner)
			return func(ctx context.Context) error { return do(c, ctx, owner, w) }, owner
		},
		hostile: func(c connectors.Connector, id schema.ExternalID) action {
			return func(ctx context.Context) error { return do(c.(C), ctx, id, schema.Witness{ID: id, Type: "folder"}) }
		},
	}
}

func contentCalls() []call {
	return []call{
		onOwner("root_items", func(c connectors.ContentReader, ctx context.Context, owner schema.ExternalID, _ schema.Witness) error {
			_, _, err := c.RootItems(ctx, owner)
			return err
		}),
		onOwner("trash_items", func(c connectors.ContentReader, ctx context.Context, owner schema.ExternalID, _ schema.Witness) error {
			_, _, err := c.TrashItems(ctx, owner)
			return err
		}),
		onOwner("item_collaborations", func(c connectors.ContentReader, ctx context.Context, owner schema.ExternalID, w schema.Witness) error {
			_, err := c.ItemCollaborations(ctx, owner, w)
			return err
		}),
		onOwner("survey_content", func(c connectors.ContentSurveyor, ctx context.Context, owner schema.ExternalID, _ schema.Witness) error {
			_, err := c.SurveyContent(ctx, owner, time.Now())
			return err
		}),
	}
}

func placeCalls() []call {
	witness := onOwner("locate_witness", func(c connectors.Transferer, ctx context.Context, owner schema.ExternalID, w schema.Witness) error {
		_, err := c.LocateWitness(ctx, owner, w)
		return err
	})
	trashed := onOwner("locate_trashed", func(c connectors.Transferer, ctx context.Context, owner schema.ExternalID, w schema.Witness) error {
		_, err := c.LocateTrashed(ctx, owner, w)
		return err
	})
	trashed.prepare = func(s *scene) (action, schema.ExternalID) {
		c, owner := s.conn.(connectors.Transferer), s.person()
		w := s.item(Item{Owner: owner, Bytes: 3, Trashed: true})
		return func(ctx context.Context) error { _, err := c.LocateTrashed(ctx, owner, w); return err }, owner
	}
	has := onOwner("has_folder_access", func(c connectors.AccessGranter, ctx context.Context, owner schema.ExternalID, w schema.Witness) error {
		_, err := c.HasFolderAccess(ctx, owner, w.ID, owner)
		return err
	})
	grant := onOwner("grant_folder_access", func(c connectors.AccessGranter, ctx context.Context, owner schema.ExternalID, w schema.Witness) error {
		return c.GrantFolderAccess(ctx, owner, w.ID, owner)
	})
	grant.prepare = func(s *scene) (action, schema.ExternalID) {
		c, owner, other := s.conn.(connectors.AccessGranter), s.person(), s.person()
		w := s.folder(owner)
		return func(ctx context.Context) error { return c.GrantFolderAccess(ctx, owner, w.ID, other) }, owner
	}
	witness.lookup, trashed.lookup, grant.writes = true, true, true
	return []call{witness, trashed, has, grant}
}
