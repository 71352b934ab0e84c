// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

// runFolder is on tmpfs: what is in it means nothing after a reboot, as units
// and locks are gone then as well. Tests move it.
var runFolder = "/run/spine"

// vanished is the exit code of the follower when the unit ended without leaving
// its own.
const vanished = 211

var unitName = regexp.MustCompile(`^spine-[a-z0-9][a-z0-9-]{0,50}$`)

// RunUnit implements Host. The script's exit code is kept in a file by the
// unit itself, because systemd forgets a transient unit when it ends.
func (h *host) RunUnit(ctx context.Context, unit, script string, progress func(line string)) error {
	if !unitName.MatchString(unit) {
		return fmt.Errorf("unit %q: expected spine- and lower-case letters, digits and dashes", unit)
	}
	lines := &lineWriter{emit: progress}
	code, stderr, err := h.exec(ctx, strings.NewReader(unitScript(unit, script)), lines)
	lines.flush()
	if err != nil {
		return err
	}
	if code == vanished {
		return &UnreachableError{Host: h.target.Name, Address: h.target.Address, Err: fmt.Errorf("unit %s ended without a result: the host was restarted or the unit was killed", unit)}
	}
	if code != 0 {
		return &ExitError{Host: h.target.Name, Script: unit, Code: code, Stderr: stderr + lines.tail()}
	}
	return nil
}

// unitScript starts the unit unless it runs, then follows its output. The
// follower reads with a process whose death tail waits for, so that the last
// lines are never lost.
func unitScript(unit, script string) string {
	return fmt.Sprintf(`# run %[1]s
set -eu
umask 077
mkdir -p %[2]s
cd %[2]s
running() { case $(systemctl show -p ActiveState --value %[1]s.service) in active|activating|deactivating|reloading) return 0;; esac; return 1; }
if ! running; then
	rm -f %[1]s.code
	: >%[1]s.log
	base64 -d >%[1]s.sh <<'END'
%[3]s
END
	systemd-run --quiet --collect --unit=%[1]s --property=KillMode=mixed --setenv=LC_ALL=C --setenv=HOME=/root \
		/bin/sh -c 'sh %[2]s/%[1]s.sh >>%[2]s/%[1]s.log 2>&1; code=$?; rm -f %[2]s/%[1]s.sh; echo $code >%[2]s/%[1]s.new; mv %[2]s/%[1]s.new %[2]s/%[1]s.code' >&2
fi
(
	n=0
	while [ ! -e %[1]s.code ]; do
		n=$((n + 1))
		if [ $((n %% 25)) = 0 ] && ! running; then break; fi
		sleep 0.2
	done
) >/dev/null 2>&1 &
tail -n +1 -s 0.2 -f --pid=$! %[1]s.log
[ -e %[1]s.code ] || exit %[4]d
exit "$(cat %[1]s.code)"
`, unit, runFolder+"/units", wrap(base64.StdEncoding.EncodeToString([]byte(script))), vanished)
}

// lineWriter hands on whole lines and keeps the last ones for the error.
type lineWriter struct {
	emit    func(string)
	partial []byte
	last    []string
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.partial = append(w.partial, p...)
	for {
		i := bytes.IndexByte(w.partial, '\n')
		if i < 0 {
			return len(p), nil
		}
		w.line(string(w.partial[:i]))
		w.partial = w.partial[i+1:]
	}
}

func (w *lineWriter) flush() {
	if len(w.partial) > 0 {
		w.line(string(w.partial))
		w.partial = nil
	}
}

func (w *lineWriter) line(s string) {
	const keep = 20
	if w.last = append(w.last, s); len(w.last) > keep {
		w.last = w.last[1:]
	}
	if w.emit != nil {
		w.emit(s)
	}
}

func (w *lineWriter) tail() string { return strings.Join(w.last, "\n") }
