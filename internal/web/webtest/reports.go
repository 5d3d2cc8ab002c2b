package webtest

import (
	"context"
	"time"

	"sendoff/schema"
)

// ReportFuncs is a web.ReportStore of functions.
type ReportFuncs struct {
	ReportUsageFunc     func(schema.UsageFilter) (schema.UsageReport, error)
	ReportLicensesFunc  func(schema.ConnectionID, time.Duration) (schema.LicenseReport, error)
	ReportInactiveFunc  func(schema.InactiveFilter) (schema.InactiveReport, error)
	ReportOrphansFunc   func(schema.OrphanFilter) (schema.OrphanReport, error)
	ReportUnmanagedFunc func(after string, limit int) ([]schema.Unmanaged, string, error)
	ReportChangesFunc   func(schema.ChangeFilter) (schema.ChangeReport, error)
	SetLicenseFunc      func(schema.License) (schema.License, error)
	LicensesFunc        func() ([]schema.License, error)
}

// ReportUsage calls its function, as does each method below.
func (f *ReportFuncs) ReportUsage(_ context.Context, filter schema.UsageFilter) (schema.UsageReport, error) {
	return f.ReportUsageFunc(filter)
}

// ReportLicenses calls its function.
func (f *ReportFuncs) ReportLicenses(_ context.Context, c schema.ConnectionID, threshold time.Duration, _ time.Time) (schema.LicenseReport, error) {
	return f.ReportLicensesFunc(c, threshold)
}

// ReportInactive calls its function.
func (f *ReportFuncs) ReportInactive(_ context.Context, filter schema.InactiveFilter) (schema.InactiveReport, error) {
	return f.ReportInactiveFunc(filter)
}

// ReportOrphans calls its function.
func (f *ReportFuncs) ReportOrphans(_ context.Context, filter schema.OrphanFilter) (schema.OrphanReport, error) {
	return f.ReportOrphansFunc(filter)
}

// ReportUnmanaged calls its function.
func (f *ReportFuncs) ReportUnmanaged(_ context.Context, _ time.Time, after string, limit int) ([]schema.Unmanaged, string, error) {
	return f.ReportUnmanagedFunc(after, limit)
}

// ReportChanges calls its function.
func (f *ReportFuncs) ReportChanges(_ context.Context, filter schema.ChangeFilter, _ time.Time) (schema.ChangeReport, error) {
	return f.ReportChangesFunc(filter)
}

// SetLicense calls its function.
func (f *ReportFuncs) SetLicense(_ context.Context, l schema.License, _ schema.Principal) (schema.License, error) {
	return f.SetLicenseFunc(l)
}

// Licenses calls its function.
func (f *ReportFuncs) Licenses(context.Context) ([]schema.License, error) { return f.LicensesFunc() }
