//go:build unix

package storagetest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	sys "syscall" // another file has a type of that name
)

// asServer has a program of the server run by somebody who is not root, which
// it refuses, and gives them the folder.
func asServer(cmd *exec.Cmd, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		who, err = user.Lookup("nobody")
	}
	if err != nil {
		return fmt.Errorf("find a user for PostgreSQL: %w", err)
	}
	uid, errUID := strconv.ParseUint(who.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(who.Gid, 10, 32)
	if errUID != nil || errGID != nil {
		return fmt.Errorf("user %s has no number", who.Username)
	}
	cmd.SysProcAttr = &sys.SysProcAttr{Credential: &sys.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(dir, int(uid), int(gid))
}

// onItsOwn has cmd outlive a signal to the whole group of this process.
func onItsOwn(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &sys.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}
