package store_test

import "time"

const reportDay = 24 * time.Hour

// reportNow is the instant that the reports of the fixture are made at: a Saturday.
var reportNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
