package service

import (
	"net/http"
	"net/http/pprof"

	"go.uber.org/zap"
)

// maxLevelBytes bounds the request that changes the level.
const maxLevelBytes = 1 << 10

// debugHandler serves the metrics, the profiles and the level of the log.
func (s *Service) debugHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.telemetry.Handler())
	level := http.MaxBytesHandler(s.logLevel(), maxLevelBytes)
	mux.Handle("GET /log/level", level)
	mux.Handle("PUT /log/level", level)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	return mux
}

// logLevel shows the level of the log and changes it, for this process and until it ends: {"level":"debug"}.
func (s *Service) logLevel() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before := s.cfg.level.Level()
		s.cfg.level.ServeHTTP(w, r)
		if now := s.cfg.level.Level(); now != before {
			s.log.Warn("the level of the log was changed", zap.Stringer("from", before), zap.Stringer("to", now))
		}
	})
}
