// SPDX-License-Identifier: Apache-2.0

package ports

import (
	"context"
	"fmt"
)

// PowerState of a machine, as its management controller tells it.
type PowerState string

const (
	// PowerOn: the machine has power. It says nothing of what runs on it.
	PowerOn PowerState = "On"
	// PowerOff: the machine has no power, so nothing runs on it.
	PowerOff PowerState = "Off"
	// PowerChanging: it is on its way from one to the other. Nothing may be concluded.
	PowerChanging PowerState = "Changing"
)

// Machine is what a management controller tells about the machine that it manages.
type Machine struct {
	// Power of the machine.
	Power PowerState
	// UUID of the machine, and the HostName that its operating system gave; empty when the
	// controller does not tell.
	UUID, HostName string
}

// Power switches hosts by their management controllers. Its methods return an
// *UnmanagedError, a *SilentControllerError or a *ControllerError.
type Power interface {
	// Hosts that have a controller in the inventory, sorted.
	Hosts() ([]string, error)
	// State asks the controller now; nothing is remembered.
	State(ctx context.Context, host string) (Machine, error)
	// ForceOff cuts the power. The caller reads back that the machine is off.
	ForceOff(ctx context.Context, host string) error
	// On gives power.
	On(ctx context.Context, host string) error
}

// UnmanagedError: the inventory has no controller for the host, or cannot be read.
type UnmanagedError struct {
	// Host by the name of its node.
	Host string
	// Err is why the inventory cannot be read; nil when the host is not in it.
	Err error
}

func (e *UnmanagedError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("the inventory of management controllers cannot be used: %v", e.Err)
	}
	return fmt.Sprintf("host %s has no management controller in the inventory", e.Host)
}
func (e *UnmanagedError) Unwrap() error { return e.Err }

// SilentControllerError: the host's controller did not answer, so nothing is known; what
// was asked may or may not have been done.
type SilentControllerError struct {
	// Host by the name of its node.
	Host string
	// Err is the cause.
	Err error
}

func (e *SilentControllerError) Error() string {
	return fmt.Sprintf("the management controller of host %s does not answer: %v", e.Host, e.Err)
}
func (e *SilentControllerError) Unwrap() error { return e.Err }

// ControllerError: the host's controller answered and did not do what was asked.
type ControllerError struct {
	// Host by the name of its node.
	Host string
	// Problem in words.
	Problem string
}

func (e *ControllerError) Error() string {
	return fmt.Sprintf("the management controller of host %s: %s", e.Host, e.Problem)
}
