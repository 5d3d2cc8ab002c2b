package web

// registerHR registers everything of HR: sources, what they tell, who leaves by
// it, and what is held.
func (s *server) registerHR() {
	if s.hr == nil {
		return
	}
	s.registerSources()
	s.registerSourceTokens()
	s.registerHREvents()
	s.registerHRImport()
	s.registerLeavers()
	s.registerSites()
	s.registerBatches()
}
