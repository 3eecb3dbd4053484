package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/ring"
)

func (a *API) listChats(w http.ResponseWriter, r *http.Request) error {
	list := []simulator.ChatInfo{}
	for _, info := range a.Store.List() {
		if selected(r, info.Chat) {
			list = append(list, info)
		}
	}
	return respond(w, http.StatusOK, list)
}

func (a *API) listMessages(w http.ResponseWriter, r *http.Request) error {
	return respond(w, http.StatusOK, a.Store.Messages(chatOf(r), after(r)))
}

func (a *API) journal(w http.ResponseWriter, r *http.Request) error {
	method := r.URL.Query().Get("method")
	return respond(w, http.StatusOK, pick(r, a.Calls, func(c simulator.Call) bool {
		return selected(r, c.Chat) && (method == "" || method == c.Method)
	}))
}

func (a *API) deliveries(w http.ResponseWriter, r *http.Request) error {
	return respond(w, http.StatusOK, pick(r, a.Attempts, func(d simulator.Delivery) bool { return selected(r, d.Chat) }))
}

func pick[T any](r *http.Request, log *ring.Log[T], wanted func(T) bool) []T {
	all, _ := log.Since(after(r))
	found := []T{}
	for _, entry := range all {
		if wanted(entry) {
			found = append(found, entry)
		}
	}
	return found
}

// selected applies the query's platform, account and user.
func selected(r *http.Request, c simulator.Chat) bool {
	query := r.URL.Query()
	named := func(name, value string) bool { return query.Get(name) == "" || query.Get(name) == value }
	return named("platform", string(c.Platform)) && named("account", c.Account) && named("user", c.User)
}

func after(r *http.Request) int64 {
	n, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	return n
}

// keepAlive is how often a quiet stream shows that it lives.
const keepAlive = 15 * time.Second

// events streams what happens as server-sent events. It starts now, after the
// number in after, or after Last-Event-ID when a client comes back.
func (a *API) events(w http.ResponseWriter, r *http.Request) error {
	seq := a.Store.Events().Last()
	if from := r.URL.Query().Get("after"); from != "" {
		seq = after(r)
	}
	if last, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		seq = last
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = fmt.Fprint(w, ": following\n\n")
	ticker := time.NewTicker(keepAlive)
	defer ticker.Stop()
	for {
		batch, more := a.Store.Events().Since(seq)
		for _, event := range batch {
			seq = event.Seq
			if selected(r, event.Chat) {
				writeEvent(w, event)
			}
		}
		if out.Flush() != nil {
			return nil
		}
		select {
		case <-more:
		case <-ticker.C:
			_, _ = fmt.Fprint(w, ": \n\n")
		case <-r.Context().Done():
			return nil
		case <-a.Stopping:
			return nil
		}
	}
}

func writeEvent(w http.ResponseWriter, event simulator.Event) {
	data, err := json.Marshal(event)
	if err != nil { // events hold plain values and valid JSON
		panic(err)
	}
	_, _ = fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", event.Seq, event.Type, data)
}
