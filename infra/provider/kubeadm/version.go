// SPDX-License-Identifier: Apache-2.0

package kubeadm

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

// Version is a released Kubernetes version.
type Version struct{ Major, Minor, Patch int }

var versionPattern = regexp.MustCompile(`^v(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})$`)

// oldest is the first minor version whose kubeadm reads what this package renders.
var oldest = Version{Major: 1, Minor: 36}

// ParseVersion reads "v1.36.3".
func ParseVersion(s string) (Version, error) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("version %q is malformed: expected a release such as v1.36.3", s)
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // the pattern bounds the digits
	}
	return Version{n[0], n[1], n[2]}, nil
}

func (v Version) String() string { return fmt.Sprintf("v%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Compare orders versions: negative when v is older than o.
func (v Version) Compare(o Version) int {
	return cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor), cmp.Compare(v.Patch, o.Patch))
}

// CheckVersion refuses a version that a new cluster cannot have.
func CheckVersion(s string) error {
	v, err := ParseVersion(s)
	if err != nil {
		return err
	}
	if v.Major != oldest.Major || v.Minor < oldest.Minor {
		return fmt.Errorf("version %s is not supported: use v%d.%d.x or newer", v, oldest.Major, oldest.Minor)
	}
	return nil
}

// CheckUpgrade refuses a way from one version to another that kubeadm refuses.
func CheckUpgrade(from, to string) error {
	f, err := ParseVersion(from)
	if err != nil {
		return err
	}
	if err := CheckVersion(to); err != nil {
		return err
	}
	t, _ := ParseVersion(to) // just checked
	switch {
	case t.Compare(f) < 0:
		return fmt.Errorf("downgrade from %s to %s: kubeadm does not support it, stay at %s or go up", f, t, f)
	case t.Minor > f.Minor+1:
		return fmt.Errorf("upgrade from %s to %s skips a minor version: go to v%d.%d.x first", f, t, f.Major, f.Minor+1)
	}
	return nil
}
