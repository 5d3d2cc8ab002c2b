package boxsim

import (
	"encoding/json"
	"strconv"
	"time"
)

// TrackingCode is one attribute that an enterprise attaches to accounts.
type TrackingCode struct {
	Type  string `json:"type"` // tracking_code
	Name  string `json:"name"`
	Value string `json:"value"`
}

// trackingCodes sets the type where it was left out.
func trackingCodes(codes []TrackingCode) []TrackingCode {
	for i := range codes {
		codes[i].Type = "tracking_code"
	}
	return codes
}

// sight is a user as seen at an instant. Status overrides what reads show.
type sight struct {
	*user
	now    time.Time
	status string
}

// see renders a user with the fields that were asked for.
func (s *Sim) see(u *user, asked []string, now time.Time) json.RawMessage {
	return s.userFields().choose(asked).append(nil, sight{user: u, now: now})
}

func text(of func(sight) string) func([]byte, sight) []byte {
	return func(b []byte, x sight) []byte { return appendText(b, of(x)) }
}

// userFields are the properties of a user: first those of the mini form, then
// the standard ones, then those that show only when they are asked for.
func (s *Sim) userFields() fields[sight] {
	all := fields[sight]{
		{"type", true, literal[sight](`"user"`)},
		{"id", true, text(func(x sight) string { return x.id })},
		{"name", true, text(func(x sight) string { return x.name })},
		{"login", true, text(func(x sight) string { return x.login })},
		{"created_at", true, func(b []byte, x sight) []byte { return appendStamp(b, x.createdAt) }},
		{"modified_at", true, func(b []byte, x sight) []byte { return appendStamp(b, x.modifiedAt) }},
		{"language", true, text(func(x sight) string { return x.language })},
		{"timezone", true, text(func(x sight) string { return x.timezone })},
		{"space_amount", true, func(b []byte, x sight) []byte { return strconv.AppendInt(b, s.spaceAmount(x.user), 10) }},
		{"space_used", true, func(b []byte, x sight) []byte { return strconv.AppendInt(b, s.spaceUsed(x.user, x.now), 10) }},
		{"max_upload_size", true, literal[sight](strconv.FormatInt(5<<30, 10))},
		{"status", true, func(b []byte, x sight) []byte {
			if x.status != "" {
				return appendText(b, x.status)
			}
			return appendText(b, s.shownStatus(x.user, x.now))
		}},
		{"job_title", true, text(func(x sight) string { return x.jobTitle })},
		{"phone", true, text(func(x sight) string { return x.phone })},
		{"address", true, text(func(x sight) string { return x.address })},
		{"avatar_url", true, text(func(x sight) string { return "https://app.box.com/api/avatar/large/" + x.id })},
		{"notification_email", true, appendNotification},
	}
	return append(all, fullUserFields()...)
}

func fullUserFields() fields[sight] {
	all := fields[sight]{
		{"role", false, text(func(x sight) string { return x.role })},
		{"tracking_codes", false, func(b []byte, x sight) []byte {
			if len(x.trackingCodes) == 0 {
				return append(b, "[]"...)
			}
			return appendCodes(b, x.trackingCodes)
		}},
		{"enterprise", false, appendEnterprise},
		{"my_tags", false, literal[sight]("[]")},
		{"hostname", false, literal[sight](`"https://example.app.box.com/"`)},
		{"is_platform_access_only", false, func(b []byte, x sight) []byte { return appendFlag(b, x.app || x.service) }},
	}
	for _, flag := range userFlags() {
		all = append(all, field[sight]{flag, false, func(b []byte, x sight) []byte { return appendFlag(b, x.flag(flag)) }})
	}
	return all
}

func appendCodes(b []byte, codes []TrackingCode) []byte {
	for i, c := range codes {
		b = append(b, "[,"[min(i, 1)])
		b = append(b, `{"type":"tracking_code","name":`...)
		b = appendText(b, c.Name)
		b = append(b, `,"value":`...)
		b = appendText(b, c.Value)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendNotification(b []byte, x sight) []byte {
	if x.notificationEmail == "" {
		return append(b, "null"...)
	}
	return appendJSON(b, map[string]any{"email": x.notificationEmail, "is_confirmed": true})
}

func appendEnterprise(b []byte, x sight) []byte {
	if x.external {
		return append(b, `{"type":"enterprise","id":"`+otherEnterpriseID+`","name":"Another Company (simulated)"}`...)
	}
	return append(b, `{"type":"enterprise","id":"`+EnterpriseID+`","name":"Example Company (simulated)"}`...)
}

func userFlags() []string {
	return []string{
		"can_see_managed_users", "is_sync_enabled", "is_external_collab_restricted",
		"is_exempt_from_device_limits", "is_exempt_from_login_verification",
	}
}

// flag is a setting of an account; of a new one the sync alone is on.
func (u *user) flag(name string) bool {
	if on, isSet := u.flags[name]; isSet {
		return on
	}
	return name == "is_sync_enabled"
}

func (u *user) setFlag(name string, on bool) {
	if u.flags == nil {
		u.flags = map[string]bool{}
	}
	u.flags[name] = on
}

// membershipFields are the properties of a membership, all of them standard.
func (w *world) membershipFields() fields[*membership] {
	return fields[*membership]{
		{"type", true, literal[*membership](`"group_membership"`)},
		{"id", true, func(b []byte, m *membership) []byte { return appendText(b, m.id) }},
		{"role", true, func(b []byte, m *membership) []byte { return appendText(b, m.role) }},
		{"user", true, func(b []byte, m *membership) []byte { return w.appendMini(b, m.user) }},
		{"group", true, func(b []byte, m *membership) []byte { return w.groups[m.group].appendMini(b) }},
		{"created_at", true, func(b []byte, m *membership) []byte { return appendStamp(b, m.createdAt) }},
		{"modified_at", true, func(b []byte, m *membership) []byte { return appendStamp(b, m.modifiedAt) }},
		{"configurable_permissions", true, func(b []byte, m *membership) []byte {
			if m.permissions == nil {
				return b
			}
			return appendJSON(b, m.permissions)
		}},
	}
}

func (g *group) appendMini(b []byte) []byte {
	b = append(b, `{"type":"group","id":"`...)
	b = append(b, g.id...)
	b = append(b, `","name":`...)
	b = appendText(b, g.name)
	b = append(b, `,"group_type":"`...)
	b = append(b, g.kind()...)
	return append(b, `"}`...)
}
