package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that PostgreSQL runs as: it refuses root.
type account struct {
	name       string
	credential *syscall.Credential // nil: ourselves
}

func lookupAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errUID == nil && errGID == nil {
			return account{name, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
		}
	}
	return account{}, errors.New("PostgreSQL refuses root, and there is no user postgres or nobody")
}

// makeDir makes the data folder, which is the account's alone. Others may pass
// through parents that we make, as the account may be another user.
func (a account) makeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o711); err != nil { //nolint:gosec // see above
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := a.own(dir); err != nil {
		return err
	}
	return a.canReach(dir)
}

func (a account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// canReach finds the parent folder that keeps the account out, which initdb
// would report without naming it.
func (a account) canReach(dir string) error {
	if a.credential == nil {
		return nil
	}
	for p := filepath.Dir(dir); ; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		if !a.canEnter(info) {
			return fmt.Errorf("the user %s, which PostgreSQL runs as, cannot enter %s: choose another data folder", a.name, p)
		}
		if p == filepath.Dir(p) {
			return nil
		}
	}
}

func (a account) canEnter(info os.FileInfo) bool {
	const owner, group, other = 0o100, 0o010, 0o001
	st, ok := info.Sys().(*syscall.Stat_t)
	switch mode := info.Mode().Perm(); {
	case !ok:
		return true
	case st.Uid == a.credential.Uid:
		return mode&owner != 0
	case st.Gid == a.credential.Gid:
		return mode&group != 0
	default:
		return mode&other != 0
	}
}
