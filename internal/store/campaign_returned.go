package store

import (
	"context"
	"fmt"

	"sendoff/schema"
)

// tellUnseen tells people of access that came back and that a campaign which was made
// to look at it has no item about, when its snapshot is taken: because the review does
// not cover it any more, or because it has ended again. Nothing watches it then: what
// it followed is signed, and a removal whose access came back once is done with. It is
// not watched anew, because a review that does not cover it would make a campaign
// after each sync.
func (t *tx) tellUnseen(ctx context.Context, c schema.Campaign) error {
	if c.Trigger != schema.CampaignReturned {
		return nil
	}
	unseen, err := scalar[int](ctx, t, `select count(*)::int from campaign_return x join campaign_item i on i.id = x.item_id
		where x.campaign_id = @first and x.follow_up = @id and not exists (
			select 1 from campaign_item n where n.campaign_id = @id and n.account_id = i.account_id and n.kind = i.kind and n.ref = i.ref)`,
		args{"first": c.Follows, "id": c.ID})
	if err != nil || unseen == 0 {
		return err
	}
	return t.raiseAlarm(ctx, schema.Alarm{
		AccessReviewID: c.ReviewID, CampaignID: c.ID, Code: schema.AlarmReturnUnseen,
		Message: fmt.Sprintf("%d of what came back after campaign %s was signed is in no campaign: %s found it ended again or outside of access review %s",
			unseen, c.Follows, c.ID, c.Review),
		Fix: "see what came back with sendoff review returns " + string(c.Follows) +
			"; what is still there take away by hand, or have the review cover it and start a campaign; then end the alarm with sendoff alarms end",
	})
}
