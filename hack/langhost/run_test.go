// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func TestProgramEnv(t *testing.T) {
	env, err := programEnv([]string{"PATH=/bin", "PULUMI_STACK=old"}, "127.0.0.1:1", &pulumirpc.RunRequest{
		Project: "p", Stack: "s", Organization: "o", DryRun: true, Parallel: 8, MonitorAddress: "127.0.0.1:2",
		Config: map[string]string{"p:k": "v"}, ConfigSecretKeys: []string{"p:k"},
		Info: &pulumirpc.ProgramInfo{RootDirectory: "/root/dir"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"PATH=/bin", "PULUMI_PROJECT=p", "PULUMI_STACK=s", "PULUMI_ORGANIZATION=o", "PULUMI_DRY_RUN=true", "PULUMI_PARALLEL=8",
		"PULUMI_MONITOR=127.0.0.1:2", "PULUMI_ENGINE=127.0.0.1:1", `PULUMI_CONFIG={"p:k":"v"}`,
		`PULUMI_CONFIG_SECRET_KEYS=["p:k"]`, "PULUMI_ROOT_DIRECTORY=/root/dir",
	} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is not in %q", want, env)
		}
	}
	env, err = programEnv(nil, "e", &pulumirpc.RunRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PULUMI_CONFIG={}", "PULUMI_CONFIG_SECRET_KEYS=[]", "PULUMI_DRY_RUN=false"} {
		if !slices.Contains(env, want) {
			t.Errorf("without config: %s is not in %q", want, env)
		}
	}
}

// signalled ends a context once the command has written something.
type signalled struct {
	text    bytes.Buffer
	started context.CancelFunc
}

func (s *signalled) Write(p []byte) (int, error) {
	defer s.started()
	return s.text.Write(p)
}

func TestRunEndsTheProgramWithItsCaller(t *testing.T) {
	for name, pick := range map[string]func(ending, other context.Context) (call, host context.Context){
		"the call": func(ending, other context.Context) (context.Context, context.Context) { return ending, other },
		"the host": func(ending, other context.Context) (context.Context, context.Context) { return other, ending },
	} {
		t.Run(name, func(t *testing.T) {
			ending, end := context.WithCancel(t.Context())
			defer end()
			call, host := pick(ending, t.Context())
			out := &signalled{started: end}
			cmd := exec.Command("/bin/sh", "-c", `trap 'echo orderly; exit 7' TERM; echo started; while :; do sleep 0.01; done`)
			cmd.Stdout = out
			start := time.Now()
			err := run(call, host, cmd)
			if cmd.ProcessState.ExitCode() != 7 || !strings.Contains(out.text.String(), "orderly") {
				t.Errorf("want an orderly end, got %v, %q", err, out.text.String())
			}
			if took := time.Since(start); took >= grace {
				t.Errorf("it took %s", took)
			}
		})
	}
}
