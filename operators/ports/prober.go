// SPDX-License-Identifier: Apache-2.0

// Package ports holds the narrow interfaces through which controllers reach the outside
// of the Kubernetes API, and their typed errors.
package ports

import (
	"context"
	"fmt"
	"time"
)

// Target is one operations endpoint of a program of ours.
type Target struct {
	// Address to dial: host:port, where host is a name or an IP address.
	Address string
	// ServerName that its certificate must carry.
	ServerName string
}

// Stage is one part of the path that a deep probe took.
type Stage struct {
	// Name of the stage: ledger, broker, consumer, settle.
	Name string
	// OK says that the probe got through it.
	OK bool
	// Took is how long it was in it.
	Took time.Duration
	// Error in words, when it did not get through.
	Error string
}

// DeepResult is what one deep probe found.
type DeepResult struct {
	// OK says that the probe got through the whole path.
	OK bool
	// Stages in the order in which they were passed.
	Stages []Stage
}

// FailedStage returns the first stage that failed, or an empty one.
func (r DeepResult) FailedStage() Stage {
	for _, s := range r.Stages {
		if !s.OK {
			return s
		}
	}
	return Stage{}
}

// Prober asks the programs that do the work. Its methods return an *UnreachableError when
// nobody answered and an *AnswerError when the answer makes no sense.
type Prober interface {
	// Deep sends one synthetic request through the whole path. A path that is broken is a
	// result, not an error.
	Deep(ctx context.Context, target Target) (DeepResult, error)
	// Status decodes the program's counts into a struct with JSON tags.
	Status(ctx context.Context, target Target, into any) error
}

// UnreachableError: nobody answered, so nothing is known.
type UnreachableError struct {
	// Target that was asked.
	Target Target
	// Err is the cause.
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s does not answer: %v", e.Target.Address, e.Err)
}
func (e *UnreachableError) Unwrap() error { return e.Err }

// AnswerError: somebody answered something else than the contract says.
type AnswerError struct {
	// Target that was asked.
	Target Target
	// Problem in words.
	Problem string
}

func (e *AnswerError) Error() string { return e.Target.Address + " answered " + e.Problem }
