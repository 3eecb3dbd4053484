package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/knobot/knobot/e2e/internal/system"
)

// profile takes a CPU profile of each program while do runs, into a folder; without one it only runs do.
func profile(ctx context.Context, dir, what string, length time.Duration, programs []*system.Program, do func() error) error {
	if dir == "" {
		return do()
	}
	var taking sync.WaitGroup
	for _, p := range programs {
		taking.Go(func() {
			path := filepath.Join(dir, what+"-"+p.Name+".pprof")
			if err := takeProfile(ctx, p.Listener("debug"), path, length); err != nil {
				fmt.Fprintf(os.Stderr, "no profile of %s: %v\n", p.Name, err)
				return
			}
			fmt.Printf("profile: go tool pprof -top %s\n", path)
		})
	}
	err := do()
	taking.Wait()
	return err
}

func takeProfile(ctx context.Context, address, path string, length time.Duration) error {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, max(int(length.Seconds()), 1))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	file, err := os.Create(path) //nolint:gosec // whoever runs this chose the folder
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, response.Body); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}
