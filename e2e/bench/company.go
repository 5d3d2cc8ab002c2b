package main

import (
	"fmt"

	"sendoff/connectors/box/boxsim"
)

// person is somebody with an account in the simulated company.
type person struct{ id, login string }

// hire adds somebody to the company.
func (in *installation) hire(kind string, n int) (person, error) {
	p := person{login: fmt.Sprintf("%s%04d@example.com", kind, n)}
	var err error
	p.id, err = in.sim.AddUser(boxsim.UserSpec{Name: fmt.Sprintf("%s %04d", kind, n), Login: p.login})
	return p, err
}

// hireLeaver adds somebody who owns a folder with three files in it, whose
// transfers go as the mode says.
func (in *installation) hireLeaver(kind string, n int, mode boxsim.Mode) (person, error) {
	p, err := in.hire(kind, n)
	if err != nil {
		return p, err
	}
	folder, err := in.sim.AddFolder(boxsim.ItemSpec{Owner: p.id, Name: "Projects"})
	if err != nil {
		return p, err
	}
	for i := range 3 {
		spec := boxsim.ItemSpec{Parent: folder, Name: fmt.Sprintf("%d.txt", i), SizeBytes: int64(i+1) << 20}
		if _, err := in.sim.AddFile(spec); err != nil {
			return p, err
		}
	}
	return p, in.sim.SetTransferMode(p.id, mode, 0)
}
