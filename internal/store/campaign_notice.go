package store

import (
	"context"

	"sendoff/schema"
)

// noticeReviewer queues a notice of a campaign to a person, by mail, whatever the
// rules of notices say. Somebody without an address is told nothing.
func (t *tx) noticeReviewer(ctx context.Context, campaign schema.CampaignID, person schema.PersonID, event schema.NoticeEvent) error {
	address, ok, err := maybeScalar[string](ctx, t, `select coalesce(m.email, p.email, '') from person p left join person m on m.id = p.merged_into
		where p.id = @id`, args{"id": person})
	if err != nil || !ok || address == "" {
		return err
	}
	route := schema.NoticeRoute{Audience: schema.AudienceReviewer, Channel: schema.ChannelMail}
	if event == schema.NoticeReviewOwner {
		route.Audience = schema.AudienceOwner
	}
	return t.queueNotice(ctx, 0, event, noticeAbout{campaign: campaign, person: person}, route, []string{address})
}

// noticeOwner tells the owner of a campaign, if their address is anybody's, that it
// needs them.
func (t *tx) noticeOwner(ctx context.Context, c schema.Campaign) error {
	owner, ok, err := maybeScalar[schema.PersonID](ctx, t, `select person_id from person_email where email = lower(@owner)`, args{"owner": c.Owner})
	if err != nil || !ok {
		return err
	}
	return t.noticeReviewer(ctx, c.ID, owner, schema.NoticeReviewOwner)
}
