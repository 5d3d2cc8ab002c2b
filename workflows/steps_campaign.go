package workflows

import (
	"go.temporal.io/sdk/workflow"

	"sendoff/activities"
	"sendoff/schema"
)

func beginCampaign(ctx workflow.Context, in activities.BeginCampaignInput) (activities.CampaignOutline, error) {
	return call(ctx, database(), campaigns.BeginCampaign, in)
}

func loadCampaign(ctx workflow.Context, id schema.CampaignID) (activities.CampaignOutline, error) {
	return call(ctx, database(), campaigns.LoadCampaign, activities.CampaignInput{CampaignID: id})
}

func gatherCampaign(ctx workflow.Context, id schema.CampaignID) (activities.Piece, error) {
	return call(ctx, database(), campaigns.GatherCampaign, activities.CampaignInput{CampaignID: id})
}

func listCampaign(ctx workflow.Context, id schema.CampaignID) error {
	return run(ctx, judging(), campaigns.ListCampaign, activities.CampaignInput{CampaignID: id})
}

func assignCampaign(ctx workflow.Context, id schema.CampaignID) (activities.Piece, error) {
	return call(ctx, judging(), campaigns.AssignCampaign, activities.CampaignInput{CampaignID: id})
}

func tendCampaign(ctx workflow.Context, in activities.TendInput) (activities.Tended, error) {
	return call(ctx, judging(), campaigns.TendCampaign, in)
}

func closeItems(ctx workflow.Context, id schema.CampaignID) (activities.Piece, error) {
	return call(ctx, judging(), campaigns.CloseItems, activities.CampaignInput{CampaignID: id})
}

func removeAccess(ctx workflow.Context, id schema.CampaignID) (activities.Piece, error) {
	return call(ctx, judging(), campaigns.RemoveAccess, activities.CampaignInput{CampaignID: id})
}

func watchCampaign(ctx workflow.Context, id schema.CampaignID) (activities.Piece, error) {
	return call(ctx, judging(), campaigns.WatchCampaign, activities.CampaignInput{CampaignID: id})
}

func stumbleCampaign(ctx workflow.Context, id schema.CampaignID, why string) (activities.CampaignOutline, error) {
	return call(ctx, database(), campaigns.StumbleCampaign, activities.StumbleInput{CampaignID: id, Why: why})
}

func endCampaign(ctx workflow.Context, id schema.CampaignID, end schema.CampaignEnd, why string) error {
	return run(ctx, database(), campaigns.EndCampaign, activities.EndCampaignInput{CampaignID: id, End: end, Why: why})
}
