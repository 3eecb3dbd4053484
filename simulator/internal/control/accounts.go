package control

import (
	"fmt"
	"net/http"

	"github.com/knobot/knobot/simulator"
)

func (a *API) health(w http.ResponseWriter, _ *http.Request) error {
	return respond(w, http.StatusOK, map[string]any{"status": "ok", "pending_webhooks": a.Webhooks.Pending()})
}

func (a *API) accounts(w http.ResponseWriter, _ *http.Request) error {
	return respond(w, http.StatusOK, simulator.Accounts{Numbers: a.Graph.Numbers(), Bots: a.Bots.Bots()})
}

func (a *API) addNumber(w http.ResponseWriter, r *http.Request) error {
	var n simulator.Number
	if err := decode(w, r, &n); err != nil {
		return err
	}
	added, err := a.Graph.AddNumber(n)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, added)
}

func (a *API) addBot(w http.ResponseWriter, r *http.Request) error {
	var b simulator.Bot
	if err := decode(w, r, &b); err != nil {
		return err
	}
	added, err := a.Bots.AddBot(b)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, added)
}

func (a *API) verify(w http.ResponseWriter, r *http.Request) error {
	answer, err := a.Graph.Verify(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, answer)
}

func (a *API) getSettings(w http.ResponseWriter, _ *http.Request) error {
	return respond(w, http.StatusOK, a.Settings.Load())
}

// changeSettings replaces the members that the body names.
func (a *API) changeSettings(w http.ResponseWriter, r *http.Request) error {
	next := *a.Settings.Load()
	if err := decode(w, r, &next); err != nil {
		return err
	}
	if next.RetryScale <= 0 || min(next.SentDelay, next.DeliveredDelay, next.ReadDelay) < 0 {
		return fmt.Errorf("retry_scale must be above 0 and delays may not be negative")
	}
	a.Settings.Store(&next)
	return respond(w, http.StatusOK, next)
}
