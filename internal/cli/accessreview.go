package cli

type campaignCommands struct {
	Lint        lintAccessReviewsCommand   `cmd:"" help:"Check files of access reviews. Needs no server."`
	Schema      accessReviewSchemaCommand  `cmd:"" help:"Print the JSON Schema of access reviews, for editors."`
	Create      createAccessReviewsCommand `cmd:"" help:"Make what files or flags say so: all of them or none."`
	Definitions definitionCommands         `cmd:"" help:"Look at access reviews, the definitions of campaigns."`
	History     definitionHistoryCommand   `cmd:"" help:"List the versions of an access review, and what each changed."`
	Pause       pauseDefinitionCommand     `cmd:"" help:"Let an access review make no more campaigns by itself."`
	Resume      resumeDefinitionCommand    `cmd:"" help:"Let a paused access review make campaigns again."`
	Start       startCampaignCommand       `cmd:"" help:"Begin a campaign of an access review, or a draft."`
	List        listCampaignsCommand       `cmd:"" help:"List campaigns, newest first."`
	Show        showCampaignCommand        `cmd:"" help:"Show how far a campaign is, and what stands against its sign-off."`
	Items       campaignItemsCommand       `cmd:"" help:"List the items of a campaign, highest risk first."`
	Item        campaignItemCommand        `cmd:"" help:"Show an item with everything that helps to decide."`
	Queue       reviewQueueCommand         `cmd:"" help:"List your own open items, of all campaigns."`
	Decide      decideItemsCommand         `cmd:"" help:"Decide about items: named, from a file, or one after the other."`
	Remind      remindCommand              `cmd:"" help:"Remind reviewers with open items."`
	Reassign    reassignCommand            `cmd:"" help:"Give items to somebody else."`
	Extend      extendCampaignCommand      `cmd:"" help:"Move the deadline of a campaign."`
	Close       closeCampaignCommand       `cmd:"" help:"Take no more answers."`
	Cancel      cancelCampaignCommand      `cmd:"" help:"End a campaign without a sign-off."`
	Reviewers   campaignReviewersCommand   `cmd:"" help:"List the reviewers of a campaign, what they decided, and why that is doubted."`
	Look        secondLookCommand          `cmd:"" help:"Take a second look at a reviewer's decisions."`
	Removals    removalsCommand            `cmd:"" help:"List what a campaign takes away, and how far that is."`
	Returns     returnsCommand             `cmd:"" help:"List access that came back after its removal."`
	Sign        signCampaignCommand        `cmd:"" help:"Sign a closed campaign, as its owner."`
	Export      exportCampaignCommand      `cmd:"" help:"Write the evidence of a campaign."`
	Verify      verifyEvidenceCommand      `cmd:"" help:"Compute the hash of exported evidence. Needs no server."`
	Away        awayCommands               `cmd:"" help:"Say who is away, and who decides meanwhile."`
}
