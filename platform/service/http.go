package service

import (
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// httpListener is an HTTP server that is opened by Serve.
type httpListener struct {
	name, addr string
	server     *http.Server
	listener   net.Listener
}

// newHTTPListener bounds what a slow or hostile client can hold. A handler
// with a longer answer extends its own deadline by http.ResponseController.
func newHTTPListener(name, addr string, h http.Handler, log *zap.Logger) *httpListener {
	return &httpListener{name: name, addr: addr, server: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          zap.NewStdLog(log.WithOptions(zap.IncreaseLevel(zap.WarnLevel))),
	}}
}
