package web

import (
	"context"
	"time"

	"sendoff/schema"
)

// ReportStore counts and lists what reports tell. An empty connection is all that
// are not removed.
type ReportStore interface {
	ReportUsage(ctx context.Context, f schema.UsageFilter) (schema.UsageReport, error)
	ReportLicenses(ctx context.Context, c schema.ConnectionID, threshold time.Duration, now time.Time) (schema.LicenseReport, error)
	ReportInactive(ctx context.Context, f schema.InactiveFilter) (schema.InactiveReport, error)
	ReportOrphans(ctx context.Context, f schema.OrphanFilter) (schema.OrphanReport, error)
	ReportUnmanaged(ctx context.Context, now time.Time, after string, limit int) (people []schema.Unmanaged, next string, err error)
	ReportChanges(ctx context.Context, f schema.ChangeFilter, now time.Time) (schema.ChangeReport, error)
	// SetLicense keeps what the contract says of a connection's seats.
	SetLicense(ctx context.Context, l schema.License, by schema.Principal) (schema.License, error)
	Licenses(ctx context.Context) ([]schema.License, error)
}
