package boxsim

// KnownSwitches is the table of all switches, in the order of the documents.
func KnownSwitches() []SwitchInfo {
	var all []SwitchInfo
	for _, part := range [][]SwitchInfo{transferSwitches(), deleteSwitches(), accountSwitches(), listingSwitches(), accessSwitches(), eventSwitches()} {
		all = append(all, part...)
	}
	return all
}

func yesNo(name, means string) SwitchInfo {
	return SwitchInfo{Name: name, Values: []string{"false", "true"}, Means: means}
}

func number(name, means string) SwitchInfo {
	return SwitchInfo{Name: name, Values: []string{"0"}, Means: means}
}

func oneOf(name, means string, values ...string) SwitchInfo {
	return SwitchInfo{Name: name, Values: values, Means: means}
}

func transferSwitches() []SwitchInfo {
	return []SwitchInfo{
		yesNo("change_ids", "transferred items get new ids"),
		yesNo("root_items_nested", "root items of the source arrive one folder below the destination folder"),
		oneOf("busy_answer", "a transfer that names an account of a running job: 409 operation_blocked_temporary, \"User is locked\", or a second job",
			Busy409, BusyLocked403, BusyLocked400, BusyStart),
		yesNo("refuse_inactive_source", "the transfer of a deactivated account is refused"),
		oneOf("inactive_source_answer", "the status of that refusal", "403", "400", "401"),
		yesNo("accept_inactive_destination", "a deactivated receiver is accepted"),
		oneOf("external_destination", "the status for a receiver of another enterprise", "403", "404", "400"),
		oneOf("same_destination", "source and receiver are one account: a status, or a transfer into a folder of the source's own", "400", "403", "accepted"),
		oneOf("storage_full", "a receiver without room: 403 storage_limit_exceeded, 507, or a job that dies once the room is used up", "403", "507", "dies"),
		oneOf("dead_job_answer", "the answer of a quick call whose job died", "500", "200"),
		oneOf("folder_name", "the destination folder is called \"LOGIN - NAME's Files and Folders\" or \"NAME's Files and Folders\"", "login", "name"),
		oneOf("second_folder_name", "a destination folder whose name is taken gets \" (1)\" or the same name", "numbered", "same"),
		yesNo("trash_stays", "all trash stays with the source; otherwise only what is retained"),
		yesNo("workflows_stay", "Relay workflows stay with the source, as where the receiver has no Relay"),
		oneOf("transfer_events", "whether a transfer emits MOVE events of its items", "none", "some"),
		yesNo("content_stays_open", "collaborators reach content of a deactivated owner and of a running job; otherwise 403"),
	}
}

func deleteSwitches() []SwitchInfo {
	return []SwitchInfo{
		yesNo("delete_ignores_trash", "an un-forced delete passes with trash, and destroys it"),
		yesNo("delete_ignores_zero_byte", "it passes with items of zero bytes, and destroys them"),
		yesNo("delete_ignores_workflows", "it passes with Relay workflows, and destroys them"),
		yesNo("delete_ignores_running_job", "it passes while a job still moves content, and destroys what has not moved"),
		oneOf("running_delete_answer", "the refusal while a job runs: 400 \"User has managed content\", 403 \"User is locked\", 409 operation_blocked_temporary", "400", "403", "409"),
		oneOf("retained_delete_answer", "the refusal where only retained items are left: 400 \"User has managed content\" or 403 forbidden", "400", "403"),
		oneOf("recently_active_answer", "refuses the un-forced delete of accounts used or made within 30 days", "off", "400", "403"),
		oneOf("held_delete_answer", "refuses the delete of an account under a legal hold", "off", "403", "400"),
		oneOf("delete_event_source", "the source of DELETE_USER: the user, its id alone, null", "user", "id", "null"),
	}
}

func accountSwitches() []SwitchInfo {
	return []SwitchInfo{
		oneOf("admin_refusal", "the status for suspending or deleting the primary admin, oneself, or (delete) the service account", "403", "400"),
		number("space_lag_s", "space_used shows the value of so many simulated seconds ago"),
		yesNo("space_ignores_trash", "space_used leaves out the trash"),
		oneOf("unlimited_space", "space_amount of an unlimited account: 10^15 or -1", "large", "minus_one"),
		number("status_lag_s", "reads show the status of so many simulated seconds ago"),
		yesNo("status_not_applied", "a change of status is answered with 200 and the new status, and never happens"),
		oneOf("login_case", "logins are compared without case or exactly", "fold", "exact"),
		yesNo("filter_matches_aliases", "filter_term also matches e-mail aliases"),
		oneOf("foreign_user", "the status for the id of a user of another enterprise who shares nothing with this one", "403", "404"),
		yesNo("list_service_account", "GET /users shows the service account"),
		number("seats", "so many managed users and no more; 0 is no limit"),
		oneOf("no_seat_answer", "the status for a user without a seat", "403", "400"),
		oneOf("offset_code", "the code of the 400 for an offset above 9999", "bad_request", "invalid_offset"),
		oneOf("unknown_fields", "unknown names in fields are ignored, or a 400", "ignored", "error"),
		yesNo("provenance_locks", "memberships of a group with a provenance cannot be changed: 403"),
	}
}

func listingSwitches() []SwitchInfo {
	return []SwitchInfo{
		number("marker_pages", "a marker is refused with 400 once so many pages came before it; 0 is no limit"),
		number("marker_life_s", "a marker is refused with 400 after so many wall seconds; 0 is no limit"),
		oneOf("marker_expiry", "whether that happens to every listing (an operation on a subject) again and again, or once", "always", "once"),
		oneOf("shifting_pages", "while an offset listing is read for the first time, an entry before the second page comes (the last one of the first page shows again) or goes (one entry shows nowhere)", "off", "added", "removed"),
		oneOf("total_count", "total_count of offset listings is right, half of it, or 250 more", "right", "low", "high"),
		yesNo("short_pages", "pages hold half of limit although more exist; by offset every second place is of somebody whom nobody may see"),
		yesNo("repeated_entries", "the last entry of a page comes again on the next one, by marker"),
		oneOf("deleted_creator", "who made a collaboration, once that account is deleted: the user with is_active false, without name and login too, null", "inactive", "nameless", "null"),
	}
}

func accessSwitches() []SwitchInfo {
	return []SwitchInfo{
		yesNo("no_governance_scope", "no client has the scopes of retention and legal holds: 403"),
		yesNo("no_as_user", "the app may not act as users: 403 for every As-User"),
		yesNo("no_user_tokens", "the app may not get tokens of users, only of the service account"),
		yesNo("coadmins_restricted", "coadmins lack the permissions to manage users and groups"),
		oneOf("app_state", "the app: authorized, not authorized (tokens are refused), or disabled in the enterprise (calls get 401 with JSON)", "authorized", "unauthorized", "disabled"),
		oneOf("scope_refusal", "the code of the 403 for a scope that the token lacks: access_denied_insufficient_permissions or insufficient_scope", "denied", "insufficient_scope"),
		oneOf("removed_app_grant", "token requests of an app that was removed from the enterprise: unauthorized_client or invalid_grant", "unauthorized_client", "invalid_grant"),
		oneOf("removed_app_call", "calls with its tokens: 401 with JSON or without a body", "json", "empty"),
		oneOf("deactivated_answer", "the status for tokens of, and As-User to, a deactivated account", "401", "403"),
		yesNo("terminate_kills_tokens", "terminating sessions also revokes access tokens"),
		oneOf("as_user_debits", "whom an As-User call counts against", "both", "caller", "acting"),
		number("clock_skew_s", "so many wall seconds the simulator's clock is ahead (or, negative, behind); its Date header too"),
	}
}

func eventSwitches() []SwitchInfo {
	return []SwitchInfo{
		yesNo("plan_without_events", "the enterprise's plan has no events: 403 as for a missing permission"),
		yesNo("coadmins_without_reports", "coadmins lack the permission to run new reports, which events need: 403"),
		number("late_events_s", "one event of five shows in admin_logs so many simulated seconds later than the others, at its own place"),
		number("stream_reach_s", "the streaming stream reaches back so many wall seconds; 0 is 14 days"),
		number("event_skew_s", "created_at of all events is so many wall seconds ahead (or, negative, behind)"),
		oneOf("as_user_events", "content calls by As-User make no events, events by the impersonated user, or the same with the service account in action_by and the app in additional_details", "none", "plain", "marked"),
		yesNo("empty_page_keeps_position", "an empty page of events echoes the stream position; otherwise it is 0"),
		oneOf("position_type", "next_stream_position of the enterprise's streams is a number or a text", "number", "text"),
		yesNo("edit_event_details", "EDIT_USER tells the change of status in additional_details"),
	}
}
