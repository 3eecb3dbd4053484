package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/e2e/internal/crowd"
	"github.com/knobot/knobot/e2e/internal/model"
)

// diskFull fills the disk below the database, and makes room again: webhooks are refused meanwhile, nobody crashes, and all
// comes back by itself.
func diskFull(c *stage) {
	disk := smallDisk(c)
	of, dir := c.ownDatabase()
	data, err := os.Stat(filepath.Join(dir, "data"))
	require.NoError(c, err)
	space := filepath.Join(disk, "space")
	require.NoError(c, os.Mkdir(space, 0o700))
	owner := data.Sys().(*syscall.Stat_t)
	require.NoError(c, os.Chown(space, int(owner.Uid), int(owner.Gid)))
	admin, err := pgx.Connect(c.ctx, of.Postgres.URL("postgres").Reveal())
	require.NoError(c, err)
	for _, sql := range []string{fmt.Sprintf("create tablespace small location '%s'", space), "create database knobot_small tablespace small"} {
		_, err = admin.Exec(c.ctx, sql)
		require.NoError(c, err)
	}
	require.NoError(c, admin.Close(c.ctx))

	c.open(set{stores: of, database: "knobot_small"})
	c.model.Make(model.Slowly(50 * time.Millisecond))
	times := size(1, 5)
	c.during(crowd.Plan{Customers: 40, Every: 50 * time.Millisecond}, func(ctx context.Context) error {
		for range times {
			if err := c.crowd.AwaitAnswered(ctx, c.crowd.Answered()+20); err != nil {
				return err
			}
			ballast := filepath.Join(disk, "ballast")
			if err := fill(ballast); err != nil {
				return err
			}
			if _, err := c.awaitStatus(ctx, http.StatusServiceUnavailable); err != nil {
				return fmt.Errorf("refused while the disk is full: %w", err)
			}
			if err := pause(ctx, size(time.Second, 5*time.Second)); err != nil {
				return err
			}
			if err := os.Remove(ballast); err != nil {
				return err
			}
			if _, err := c.awaitStatus(ctx, http.StatusOK); err != nil {
				return fmt.Errorf("taken once there is room: %w", err)
			}
		}
		return nil
	})
	r := c.close(fmt.Sprintf("full %d times", times))
	require.Zero(c, r.Dead)
	for _, p := range c.Services() {
		require.NotContains(c, p.Log().String(), "panic", p.Name)
	}
}

// smallDisk mounts a file system in memory that is soon full. Only root may.
func smallDisk(c *stage) string {
	c.Helper()
	dir, err := os.MkdirTemp("", "kd-")
	require.NoError(c, err)
	require.NoError(c, os.Chmod(dir, 0o755))
	c.Cleanup(func() { _ = os.Remove(dir) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m,mode=755"); err != nil {
		c.Skipf("no small disk can be mounted (root may): %v", err)
	}
	c.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	return dir
}

// fill writes a file until the disk is full.
func fill(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	for block := make([]byte, 4096); err == nil; {
		_, err = file.Write(block)
	}
	if errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return err
}
