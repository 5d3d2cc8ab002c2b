package schema

import "time"

// An alarm AlarmCampaignFailed is about a review; which campaign it is of, its words
// say. It ends when that campaign goes on or ends, or another one has begun.

// NotBegun begins the message of an alarm about a campaign that did not begin.
const NotBegun = "the campaign of "

// Stumbling begins the message of an alarm about a campaign that cannot go on.
func Stumbling(id CampaignID) string { return "campaign " + string(id) + " cannot go on" }

// StumblingAlarm says what a campaign failed with.
func StumblingAlarm(c Campaign, why string) Alarm {
	return Alarm{
		AccessReviewID: c.ReviewID, Code: AlarmCampaignFailed, Message: Stumbling(c.ID) + ": " + why, Fix: "mend the cause; it tries again each hour",
	}
}

// NotBegunAlarm says that the campaign of a scheduled time did not begin.
func NotBegunAlarm(review AccessReviewID, at time.Time) Alarm {
	return Alarm{
		AccessReviewID: review, Code: AlarmCampaignFailed, Message: NotBegun + FormatInstant(at) + " did not begin: the one before is not signed yet",
		Fix: "sign or cancel that one, then start a campaign",
	}
}
