// SPDX-License-Identifier: Apache-2.0

package environments

// LiveAccount is the 12-digit number of an account of AWS in which patients are served, or
// which serves one of those.
type LiveAccount string

// NonLiveAccount is the 12-digit number of any other account.
type NonLiveAccount string

// Account is a number of either side of the fence. A reference from one side
// to the other does not compile.
type Account interface{ LiveAccount | NonLiveAccount }

// Fence is one side of the fence between what serves patients and what does not:
// everything that an environment refers to beyond itself.
type Fence[A Account] struct {
	// account is the environment's own: 12 digits in quotes.
	Account A `json:"account"`
	// backupAccount holds copies of its backups, which nobody of its own account can
	// delete: 12 digits in quotes, another than account. Omit it without a vault.
	BackupAccount A `json:"backupAccount"`
	// standbyOf is the environment that this one takes over from. Omit it for one that
	// stands for itself.
	StandbyOf Reference[A] `json:"standbyOf"`
}

// Reference is the name of another environment on the same side.
type Reference[A Account] string

// References are the environments that may be referred to, by name, each with its
// account's type in its own: one of the other side cannot be entered.
type References[A Account] map[Reference[A]]*Fence[A]

// Numbers are the accounts of the side, as text: its own and that of backups, which is
// empty where there is none.
func (f *Fence[A]) Numbers() (own, backup string) {
	return string(f.Account), string(f.BackupAccount)
}

// Accounts are the environment's own account and that of its backups, as text.
func (c *Cloud) Accounts() (own, backup string) {
	switch {
	case c.Live != nil:
		return c.Live.Numbers()
	case c.NonLive != nil:
		return c.NonLive.Numbers()
	}
	return "", ""
}
