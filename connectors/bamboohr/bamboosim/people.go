package bamboosim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hire makes an employee and returns the id.
func (s *Sim) Hire(p Person) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.hire(p)
	if err != nil {
		return "", err
	}
	now := s.now()
	e.inserted = later(e.inserted, now)
	e.touch(now)
	s.tell(e, actionCreated, nil)
	s.tell(e, actionUpdated, []string{"firstName", "lastName", "workEmail", "hireDate", "status"}) // both come, in this order
	return e.ID(), nil
}

// hire makes an employee whom nobody is told of.
func (s *Sim) hire(p Person) (*employee, error) {
	today := s.today()
	e := &employee{
		number: p.Number, first: p.First, last: p.Last, email: p.Email, department: p.Department, location: p.Location,
		hired: today.AddDate(-2, 0, 0), jobTitle: "Analyst", wasActive: true,
	}
	var err error
	if p.HireDate != "" {
		if e.hired, err = readDate(p.HireDate); err != nil {
			return nil, err
		}
	}
	if e.manager, err = s.known(p.Manager); err != nil {
		return nil, err
	}
	if e.id, err = s.idFor(p.ID); err != nil {
		return nil, err
	}
	if e.number == "" {
		e.number = strconv.Itoa(1000 + e.id)
	}
	status := p.Status
	if status == "" {
		status = "Full-Time"
	}
	e.rows = []statusRow{s.row(e.hired, status)}
	e.inserted = today.AddDate(0, -1, 0)
	e.changed, e.tabled = e.inserted, e.inserted
	s.employees[e.id] = e
	return e, nil
}

// idFor is the number of a new employee.
func (s *Sim) idFor(wanted string) (int, error) {
	if wanted == "" {
		s.lastID++
		return s.lastID, nil
	}
	id, err := strconv.Atoi(wanted)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("the id %q is not a number from 1", wanted)
	}
	if s.employees[id] != nil {
		return 0, fmt.Errorf("employee %d is there already", id)
	}
	s.lastID = max(s.lastID, id)
	return id, nil
}

// known reads an id that may be empty; the manager may come later.
func (s *Sim) known(id string) (int, error) {
	if id == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(id)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("the id %q is not a number from 1", id)
	}
	return n, nil
}

func (s *Sim) row(on time.Time, status string) statusRow {
	s.lastRow++
	return statusRow{id: s.lastRow, date: on, status: status}
}

// find returns an employee who was not deleted.
func (s *Sim) find(id string) (*employee, error) {
	n, _ := strconv.Atoi(id)
	if e := s.employees[n]; e != nil && !e.deleted {
		return e, nil
	}
	return nil, fmt.Errorf("employee %q does not exist", id)
}

// Termination ends an employment.
type Termination struct {
	ID     string `json:"id"`
	Date   string `json:"date,omitempty"` // YYYY-MM-DD; empty = today
	Reason string `json:"reason,omitempty"`
}

// Terminate enters a termination, of any day; another one that is still to come
// gives way to it.
func (s *Sim) Terminate(t Termination) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(t.ID)
	if err != nil {
		return err
	}
	today := s.today()
	on := today
	if t.Date != "" {
		if on, err = readDate(t.Date); err != nil {
			return err
		}
	}
	e.rows = slices.DeleteFunc(e.rows, func(r statusRow) bool { return r.ends() && r.date.After(today) })
	row := s.row(on, terminated)
	row.reason, row.typ = t.Reason, "Resignation (Voluntary)"
	e.rows = append(e.rows, row)
	s.rowsChanged(e, on.After(today))
	return nil
}

// ClearTermination takes the last termination back, as if it had not been entered.
func (s *Sim) ClearTermination(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return err
	}
	rows := e.sorted()
	for i := len(rows) - 1; i >= 0; i-- {
		if rows[i].ends() {
			ahead := rows[i].date.After(s.today())
			e.rows = slices.Delete(rows, i, i+1)
			s.rowsChanged(e, ahead)
			return nil
		}
	}
	return fmt.Errorf("employee %q has no termination", id)
}

// Rehire lets somebody who left work again.
func (s *Sim) Rehire(t Termination) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(t.ID)
	if err != nil {
		return err
	}
	on := s.today()
	if t.Date != "" {
		if on, err = readDate(t.Date); err != nil {
			return err
		}
	}
	e.rows = append(e.rows, s.row(on, "Full-Time"))
	s.rowsChanged(e, on.After(s.today()))
	return nil
}

// rowsChanged tells of a change of the table. One that is dated ahead fires no
// webhook: fields of tables fire on their day.
func (s *Sim) rowsChanged(e *employee, ahead bool) {
	now := s.now()
	if ahead && s.switches.QuietFuture {
		e.tabled = later(e.tabled, now)
	} else {
		e.touch(now)
	}
	if !ahead {
		e.wasActive = e.active(s.today())
		s.tell(e, actionUpdated, []string{"status", "terminationDate", "employmentHistoryStatus"})
	}
}

// Delete removes an employee for good.
func (s *Sim) Delete(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return err
	}
	e.deleted = true
	e.touch(s.now())
	s.tell(e, actionDeleted, nil)
	return nil
}

// PersonChange changes what is not nil.
type PersonChange struct {
	ID         string  `json:"id"`
	Email      *string `json:"email,omitempty"`
	First      *string `json:"first,omitempty"`
	Last       *string `json:"last,omitempty"`
	Manager    *string `json:"manager,omitempty"`
	Department *string `json:"department,omitempty"`
	Location   *string `json:"location,omitempty"`
}

// Change changes an employee's record.
func (s *Sim) Change(c PersonChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(c.ID)
	if err != nil {
		return err
	}
	var aliases []string
	set := func(to *string, from *string, alias string) {
		if from != nil {
			*to = *from
			aliases = append(aliases, alias)
		}
	}
	set(&e.email, c.Email, "workEmail")
	set(&e.first, c.First, "firstName")
	set(&e.last, c.Last, "lastName")
	set(&e.department, c.Department, "department")
	set(&e.location, c.Location, "location")
	if c.Manager != nil {
		if e.manager, err = s.known(*c.Manager); err != nil {
			return err
		}
		aliases = append(aliases, "supervisorEId")
	}
	e.touch(s.now())
	s.tell(e, actionUpdated, aliases)
	return nil
}

// MoveDay lets days pass in the company: what was dated ahead takes effect, and
// tells itself. Times of changes stay those of the wall.
func (s *Sim) MoveDay(days int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if days < 0 {
		return fmt.Errorf("days is %d: time goes forward", days)
	}
	s.days += days
	now, today := s.now(), s.today()
	for _, e := range s.roll() {
		if active := e.active(today); !e.deleted && active != e.wasActive {
			e.wasActive = active
			e.touch(now)
			s.tell(e, actionUpdated, []string{"status", "terminationDate", "employmentHistoryStatus"})
		}
	}
	return nil
}

// roll is everybody, by number.
func (s *Sim) roll() []*employee {
	out := make([]*employee, 0, len(s.employees))
	for _, e := range s.employees {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *employee) int { return a.id - b.id })
	return out
}

// Record is an employee as control endpoints show it.
type Record struct {
	ID          string `json:"id"`
	Email       string `json:"email"`
	Name        string `json:"name"`
	Manager     string `json:"manager"`
	Active      bool   `json:"active"`
	Termination string `json:"termination_date"` // also one to come; empty = none
	Deleted     bool   `json:"deleted"`
}

// Employees is everybody.
func (s *Sim) Employees() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Record{}
	for _, e := range s.roll() {
		r := Record{ID: e.ID(), Email: e.email, Name: e.name(), Active: e.active(s.today()), Deleted: e.deleted}
		if e.manager != 0 {
			r.Manager = strconv.Itoa(e.manager)
		}
		if t := e.terminationDate(s.today(), true); !t.IsZero() {
			r.Termination = date(t)
		}
		out = append(out, r)
	}
	return out
}

// makeUp makes employees of no particular kind; everybody but the first has a
// manager among those before.
func (s *Sim) makeUp(n int) error {
	first := []string{"Ada", "Bela", "Chen", "Dina", "Emil", "Fatima", "Gala", "Hugo", "Ines", "Jonas", "Kira", "Luca", "Maya", "Nils", "Olga", "Paula"}
	last := []string{"Abel", "Berg", "Costa", "Dahl", "Evans", "Fox", "Garcia", "Hall", "Ito", "Jensen", "Khan", "Lopez", "Mori", "Novak", "Okafor", "Park"}
	departments, locations := []string{"Design", "Engineering", "Finance", "Sales"}, []string{"Berlin", "Boston", "Singapore"}
	for i := range n {
		p := Person{
			First: first[s.rng.IntN(len(first))], Last: last[s.rng.IntN(len(last))],
			Department: departments[s.rng.IntN(len(departments))], Location: locations[s.rng.IntN(len(locations))],
		}
		p.Email = fmt.Sprintf("%s.%s.%d@example.com", strings.ToLower(p.First), strings.ToLower(p.Last), s.lastID+1)
		if s.rng.IntN(12) == 0 {
			p.Status = "Contractor"
		}
		if i > 0 {
			p.Manager = strconv.Itoa(s.lastID - s.rng.IntN(i))
		}
		if _, err := s.hire(p); err != nil {
			return err
		}
	}
	return nil
}
