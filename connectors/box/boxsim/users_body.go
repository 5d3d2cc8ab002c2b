package boxsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// userBody is what POST and PUT accept; nil means not sent.
type userBody struct {
	Name                *string         `json:"name"`
	Login               *string         `json:"login"`
	Role                *string         `json:"role"`
	Status              *string         `json:"status"`
	Language            *string         `json:"language"`
	Timezone            *string         `json:"timezone"`
	JobTitle            *string         `json:"job_title"`
	Phone               *string         `json:"phone"`
	Address             *string         `json:"address"`
	SpaceAmount         *int64          `json:"space_amount"`
	PlatformOnly        bool            `json:"is_platform_access_only"`
	TrackingCodes       []TrackingCode  `json:"tracking_codes"`
	CanSeeManagedUsers  *bool           `json:"can_see_managed_users"`
	SyncEnabled         *bool           `json:"is_sync_enabled"`
	ExternalRestricted  *bool           `json:"is_external_collab_restricted"`
	ExemptDeviceLimits  *bool           `json:"is_exempt_from_device_limits"`
	ExemptVerification  *bool           `json:"is_exempt_from_login_verification"`
	Enterprise          json.RawMessage `json:"enterprise"`
	NotificationAddress *struct {
		Email string `json:"email"`
	} `json:"notification_email"`
}

func (b userBody) check() *apiError {
	switch {
	case b.Role != nil && *b.Role != roleCoadmin && *b.Role != roleUser:
		return badRequest("role", "Invalid value '"+*b.Role+"'. The role must be coadmin or user")
	case b.Status != nil && !validStatus(*b.Status):
		return fail(http.StatusBadRequest, "invalid_status", "Invalid value '"+*b.Status+"' of status")
	case b.Name != nil && (*b.Name == "" || len(*b.Name) > maxUserName):
		return badRequest("name", "The name must have 1 to 50 characters")
	case b.Login != nil && !strings.Contains(*b.Login, "@"):
		return badRequest("login", "The login must be an e-mail address")
	}
	return nil
}

func validStatus(status string) bool {
	switch status {
	case statusActive, statusInactive, "cannot_delete_edit", "cannot_delete_edit_upload":
		return true
	}
	return false
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (b userBody) apply(u *user, now time.Time) {
	set(&u.name, b.Name)
	set(&u.login, b.Login)
	set(&u.role, b.Role)
	if b.Status != nil {
		u.setStatus(*b.Status, now)
	}
	set(&u.language, b.Language)
	set(&u.timezone, b.Timezone)
	set(&u.jobTitle, b.JobTitle)
	set(&u.phone, b.Phone)
	set(&u.address, b.Address)
	set(&u.spaceAmount, b.SpaceAmount)
	if u.spaceAmount < 0 {
		u.spaceAmount = unlimitedSpaceBytes
	}
	if b.TrackingCodes != nil {
		u.trackingCodes = trackingCodes(b.TrackingCodes)
	}
	if b.NotificationAddress != nil {
		u.notificationEmail = b.NotificationAddress.Email
	}
	for name, v := range map[string]*bool{
		"can_see_managed_users": b.CanSeeManagedUsers, "is_sync_enabled": b.SyncEnabled,
		"is_external_collab_restricted": b.ExternalRestricted, "is_exempt_from_device_limits": b.ExemptDeviceLimits,
		"is_exempt_from_login_verification": b.ExemptVerification,
	} {
		if v != nil {
			u.setFlag(name, *v)
		}
	}
}
