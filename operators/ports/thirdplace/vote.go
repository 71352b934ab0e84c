// SPDX-License-Identifier: Apache-2.0

package thirdplace

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"spine.nhs.uk/controlplane/operators/ports"
)

// untilFormat is UTC to the millisecond.
const untilFormat = "2006-01-02T15:04:05.000Z"

// SiteName is how sites are named.
var SiteName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?$`)

// WriteVote is the vote as a register keeps it. Two votes that differ are written differently,
// and ReadVote reads only what WriteVote wrote.
func WriteVote(v ports.Vote) (string, error) {
	text := fmt.Sprintf("v=1 site=%s epoch=%d alone=%t until=%s", v.Site, v.Epoch, v.Alone, v.Until.UTC().Format(untilFormat))
	back, err := ReadVote(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("a vote that cannot be recorded: %w", err)
	case back.Site != v.Site || back.Epoch != v.Epoch || back.Alone != v.Alone || !back.Until.Equal(v.Until):
		return "", fmt.Errorf("a vote that cannot be recorded: until is finer than a millisecond: %s", v.Until.UTC().Format(time.RFC3339Nano))
	}
	return text, nil
}

// WriteSwap is both votes of a swap; before is empty when there was none.
func WriteSwap(old, next ports.Vote) (before, after string, err error) {
	if old != (ports.Vote{}) {
		if before, err = WriteVote(old); err != nil {
			return "", "", err
		}
	}
	after, err = WriteVote(next)
	return before, after, err
}

// ReadVote reads a vote strictly: what was written by anything else is no vote.
func ReadVote(text string) (ports.Vote, error) {
	var v ports.Vote
	fields := strings.Split(text, " ")
	if len(fields) != 5 || fields[0] != "v=1" {
		return v, badVote(text)
	}
	values := make([]string, 4)
	for i, key := range []string{"site=", "epoch=", "alone=", "until="} {
		value, ok := strings.CutPrefix(fields[i+1], key)
		if !ok {
			return v, badVote(text)
		}
		values[i] = value
	}
	epoch, err := strconv.ParseInt(values[1], 10, 64)
	until, bad := time.Parse(untilFormat, values[3])
	if err != nil || bad != nil || epoch < 1 || strconv.FormatInt(epoch, 10) != values[1] || !SiteName.MatchString(values[0]) ||
		values[2] != "true" && values[2] != "false" {
		return v, badVote(text)
	}
	return ports.Vote{Site: values[0], Epoch: epoch, Alone: values[2] == "true", Until: until}, nil
}

func badVote(text string) error {
	return fmt.Errorf(`the record says %.80q, which is no vote: expected "v=1 site=NAME epoch=NUMBER alone=true|false until=%s"`, text, untilFormat)
}
