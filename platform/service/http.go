package service

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// httpListener is an HTTP server that is opened by Serve.
type httpListener struct {
	name, addr string
	server     *http.Server
	listener   net.Listener
	parting    atomic.Bool
	most       int // connections at the same time
}

// maxConnections bounds the connections of a listener; further ones wait in the kernel's queue, and cost us nothing. Meta and
// Telegram together open some hundred.
const maxConnections = 4096

// part has every answer from now on end its connection, so that clients move on by themselves. Idle connections stay open: a
// request may be on its way on them, and nobody would answer it.
func (l *httpListener) part() { l.parting.Store(true) }

func (l *httpListener) serve(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.parting.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// newHTTPListener bounds what a slow or hostile client can hold. A handler
// with a longer answer extends its own deadline by http.ResponseController.
func newHTTPListener(name, addr string, h http.Handler, log *zap.Logger) *httpListener {
	l := &httpListener{name: name, addr: addr, most: maxConnections}
	l.server = &http.Server{
		Handler:           l.serve(h),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          zap.NewStdLog(log.WithOptions(zap.IncreaseLevel(zap.WarnLevel))),
	}
	return l
}
