package control

import (
	"net/http"
	"strconv"

	"github.com/knobot/knobot/simulator"
)

func (a *API) listFaults(w http.ResponseWriter, _ *http.Request) error {
	return respond(w, http.StatusOK, a.Faults.List())
}

func (a *API) addFault(w http.ResponseWriter, r *http.Request) error {
	var f simulator.Fault
	if err := decode(w, r, &f); err != nil {
		return err
	}
	added, err := a.Faults.Add(f)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, added)
}

func (a *API) removeFaults(w http.ResponseWriter, _ *http.Request) error {
	a.Faults.Remove(0)
	return respond(w, http.StatusOK, a.Faults.List())
}

func (a *API) removeFault(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return respond(w, http.StatusNotFound, map[string]string{"error": "no such fault"})
	}
	a.Faults.Remove(id)
	return respond(w, http.StatusOK, a.Faults.List())
}
