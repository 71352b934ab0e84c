// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	// lockTaken is the exit code when somebody else holds the lock.
	lockTaken = 210
	// heartbeat keeps the lock; without one for lockTimeout the host drops it,
	// so that a provisioner cut off by the network does not hold it for ever.
	heartbeat   = 5 * time.Second
	lockTimeout = 30 * time.Second
)

// Lock implements Host. A session holds an flock for as long as it hears from
// us, so that no dead provisioner leaves a lock behind.
func (h *host) Lock(ctx context.Context, purpose string) (func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	in, beats := io.Pipe()
	out, answer := io.Pipe()
	done := make(chan struct{})
	var code int
	var stderr string
	var err error
	go func() {
		defer close(done)
		code, stderr, err = h.exec(ctx, in, answer)
		answer.Close()
		in.Close()
	}()
	go func() {
		_, werr := io.WriteString(beats, lockScript(purpose))
		for werr == nil {
			select {
			case <-ctx.Done():
				beats.Close()
				return
			case <-done:
				return
			case <-time.After(heartbeat):
				_, werr = io.WriteString(beats, "still here\n")
			}
		}
	}()
	line, _ := bufio.NewReader(out).ReadString('\n')
	if line == "locked\n" {
		go io.Copy(io.Discard, out) // the session must not block on output
		var once sync.Once
		return func() { once.Do(func() { cancel(); <-done }) }, nil
	}
	<-done
	cancel()
	switch {
	case err != nil:
		return nil, err
	case code == lockTaken:
		return nil, &LockedError{Host: h.target.Name, Holder: strings.TrimSpace(stderr)}
	}
	return nil, &ExitError{Host: h.target.Name, Script: "taking the provisioning lock", Code: code, Stderr: stderr}
}

// lockScript is one line, because the shell reads the rest of its standard
// input as it goes: what follows are heartbeats for the inner reader.
func lockScript(purpose string) string {
	purpose = strings.Join(strings.Fields(purpose), " ")
	return fmt.Sprintf(`mkdir -p %[5]s; exec 9>>%[1]s; flock -n 9 || { cat %[1]s >&2; exit %[2]d; }; echo %[3]s >%[1]s; echo locked; while beat=$(timeout %[4]d head -n 1) && [ -n "$beat" ]; do :; done; : >%[1]s; exit 0
`, runFolder+"/lock", lockTaken, Quote(purpose+", since "+time.Now().UTC().Format(time.RFC3339)), int(lockTimeout.Seconds()), runFolder)
}
