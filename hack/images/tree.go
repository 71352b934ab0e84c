// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// sticky is how tar and Unix write the bit that Go keeps elsewhere.
const sticky = 0o1000

// tree makes a layer of a whole root file system, with the owners that files
// have there. Programs lose the right to run as their owner: nothing in a
// container may become root. Devices and sockets are left out.
func tree(system string) (Layer, error) {
	var layer Layer
	err := filepath.WalkDir(system, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == system {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("%s: this system does not say who owns files", path)
		}
		f := File{
			Path: strings.TrimPrefix(path, system), Mode: int64(info.Mode().Perm()),
			UID: int(owner.Uid), GID: int(owner.Gid),
		}
		switch mode := info.Mode(); {
		case mode.IsRegular():
			f.Source = path
		case mode.IsDir():
			f.Dir = true
			if mode&fs.ModeSticky != 0 {
				f.Mode |= sticky
			}
		case mode&fs.ModeSymlink != 0:
			if f.Link, err = os.Readlink(path); err != nil {
				return err
			}
		default:
			return nil
		}
		layer = append(layer, f)
		return nil
	})
	return layer, err
}
