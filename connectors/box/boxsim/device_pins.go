package boxsim

// listDevicePins answers that nobody has pinned a device. It is what an
// application can read with manage_enterprise_properties besides events.
func (q *request) listDevicePins() reply {
	if q.id() != EnterpriseID {
		return failed(notFound("enterprise", q.id()))
	}
	return ok(map[string]any{
		"entries": []any{}, "limit": 100, "next_marker": nil,
		"order": []any{map[string]any{"by": "id", "direction": "asc"}},
	})
}
