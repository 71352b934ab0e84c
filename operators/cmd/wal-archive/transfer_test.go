// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// store is an S3 store of one bucket, "spine". The same is done with a real one in engines_test.go.
type store struct {
	mu      sync.Mutex
	objects map[string][]byte
	// status has it answer with an error; hangs, not at all; cuts, with half of an object; stalls, after half of it. slow
	// has it take and give an object bit by bit.
	status                    int
	hangs, cuts, stalls, slow bool
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.hangs {
		_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the client has gone
		<-r.Context().Done()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := strings.CutPrefix(r.URL.Path, "/spine")
	key = strings.TrimPrefix(key, "/")
	switch {
	case s.status != 0:
		w.WriteHeader(s.status)
	case !ok || r.Header.Get("Authorization") == "":
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodPut:
		var got bytes.Buffer
		if s.slow {
			paced(&got, r.Body)
		}
		_, _ = got.ReadFrom(r.Body)
		s.objects[key] = got.Bytes()
	case key == "":
		type object struct{ Key string }
		var found struct {
			XMLName  xml.Name `xml:"ListBucketResult"`
			Contents []object
		}
		for k := range s.objects {
			if strings.HasPrefix(k, r.URL.Query().Get("prefix")) {
				found.Contents = append(found.Contents, object{k})
			}
		}
		_ = xml.NewEncoder(w).Encode(found)
	case s.slow:
		paced(w, bytes.NewReader(s.objects[key]))
	case s.stalls:
		w.Header().Set("Content-Length", strconv.Itoa(len(s.objects[key])))
		_, _ = w.Write(s.objects[key][:len(s.objects[key])/2])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case s.cuts:
		_, _ = w.Write(s.objects[key][:len(s.objects[key])/2])
	default:
		_, _ = w.Write(s.objects[key])
	}
}

// credentials are in the environment.
func credentials(t *testing.T) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for key, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
	} {
		t.Setenv(key, value)
	}
}

// serve starts the store and gives the credentials for it.
func serve(t *testing.T, s *store) (endpoint string) {
	t.Helper()
	credentials(t)
	s.objects = map[string][]byte{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

// aSegment is a full segment's content: some that compresses, some that does not.
func aSegment() []byte {
	content := bytes.Repeat([]byte{0}, 16<<20)
	for i := range len(content) / 2 {
		content[i] = byte(i * i >> 7)
	}
	return content
}

const soon = 200 * time.Millisecond

func always(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

// frozen is a store that takes connections and neither reads nor says anything. The channel gets a value for each.
func frozen(t *testing.T) (endpoint string, connected <-chan struct{}) {
	t.Helper()
	credentials(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	taken := make(chan struct{}, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			taken <- struct{}{}
		}
	}()
	return "http://" + l.Addr().String(), taken
}

// aLargeFile does not get smaller, nor does it fit into what two systems hold for a connection that nobody reads.
func aLargeFile(t *testing.T, name string) {
	t.Helper()
	content := make([]byte, 64<<20)
	rand.NewChaCha8([32]byte{}).Read(content)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A store that stops reading in the middle of a file is given up as soon as one that says nothing after it.
func TestStoreThatReadsNothing(t *testing.T) {
	endpoint, _ := frozen(t)
	file := filepath.Join(t.TempDir(), whole)
	aLargeFile(t, file)
	r := request{endpoint: endpoint, bucket: "spine", key: "db/wals/" + whole, file: file}
	err := archive(t.Context(), r, always(soon), time.Minute)
	if err == nil || !strings.Contains(err.Error(), "the store was silent for 200ms") {
		t.Errorf("archived: %v", err)
	}
}

// A store that is slow is not silent: it takes and gives for longer than it may say nothing.
func TestSlowStore(t *testing.T) {
	r := request{endpoint: serve(t, &store{slow: true}), bucket: "spine", key: "db/wals/" + whole, file: filepath.Join(t.TempDir(), whole)}
	aLargeFile(t, r.file)
	const silence = 4 * time.Second // on a machine that is busy with other things
	for _, goes := range []func() error{
		func() error { return archive(t.Context(), r, always(silence), time.Minute) },
		func() error { return restore(t.Context(), r, time.Minute, always(silence), time.Minute) },
	} {
		began := time.Now()
		if err := goes(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < silence {
			t.Errorf("it took no more than %s", took)
		}
	}
}

// paced copies 4 MiB each 300 ms.
func paced(to io.Writer, from io.Reader) {
	for {
		if _, err := io.CopyN(to, from, 4<<20); err != nil {
			return
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// PostgreSQL may begin to stop while a file is on its way to a store that has fallen silent.
func TestStopsDuringATransfer(t *testing.T) {
	endpoint, connected := frozen(t)
	t.Chdir(t.TempDir())
	aLargeFile(t, whole)
	state := func(word string) {
		t.Helper()
		if err := os.WriteFile(postmaster, []byte("1\n\n\n\n\n\n\n"+word+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	state("ready")
	began, code := time.Now(), make(chan int, 1)
	go func() {
		code <- run(archiving, []string{"--lz4", "--endpoint-url", endpoint, "--cloud-provider", "aws-s3", "s3://spine", "db", whole})
	}()
	select {
	case <-connected:
	case got := <-code:
		t.Fatalf("exit code %d before it connected", got)
	}
	state("stopping")
	if got := <-code; got != exitNoAnswer {
		t.Errorf("exit code %d", got)
	}
	if took := time.Since(began); took > answering-time.Second {
		t.Errorf("it waited %s", took)
	}
	if !foundSilent(stopBegan()) {
		t.Error("the next try does not know")
	}
}

func TestThereAndBack(t *testing.T) {
	s := &store{}
	endpoint := serve(t, s)
	dir := t.TempDir()
	content := aSegment()
	for _, name := range []string{whole, "00000002.history"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		out, known := parseArchive([]string{"--lz4", "--endpoint-url", endpoint, "--cloud-provider", "aws-s3", "s3://spine/a", "db", file})
		if !known {
			t.Fatal("the arguments to archive are not known")
		}
		if err := archive(t.Context(), out, always(time.Minute), time.Minute); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, "RECOVERY")
		back, known := parseRestore([]string{"--endpoint-url", endpoint, "--cloud-provider", "aws-s3", "s3://spine/a", "db", name, to})
		if !known {
			t.Fatal("the arguments to restore are not known")
		}
		if err := restore(t.Context(), back, time.Minute, always(time.Minute), time.Minute); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(to)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s comes back as %d bytes, %v", name, len(got), err)
		}
	}
	if len(s.objects["a/db/wals/"+whole[:16]+"/"+whole+".lz4"]) == 0 || len(s.objects["a/db/wals/00000002.history.lz4"]) == 0 {
		t.Error("the objects are not where Barman looks for them")
	}
}

// The store's first word decides: nobody takes a segment that is not there, or not known, for one that is, or none.
func TestRestoreOf(t *testing.T) {
	const at = "db/wals/00000002000000A1/" + whole
	for name, test := range map[string]struct {
		there []string
		// want is the one that is restored; is, the error when none is.
		want string
		is   error
	}{
		"as it is":                {there: []string{at}, want: at},
		"with a label":            {there: []string{at + ".00000028.backup", at}, want: at},
		"a part only":             {there: []string{at + ".partial"}, want: at + ".partial"},
		"a part and the whole":    {there: []string{at + ".partial", at}, want: at},
		"nothing":                 {is: fs.ErrNotExist},
		"a label only":            {there: []string{at + ".00000028.backup.lz4"}, is: fs.ErrNotExist},
		"another segment":         {there: []string{"db/wals/00000002000000A1/00000002000000A1000000FE"}, is: fs.ErrNotExist},
		"in another of its forms": {there: []string{at + ".gz"}, is: errUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			s := &store{}
			r := request{endpoint: serve(t, s), bucket: "spine", key: at, file: filepath.Join(t.TempDir(), "x")}
			for _, key := range test.there {
				s.objects[key] = []byte(key)
			}
			err := restore(t.Context(), r, time.Minute, always(time.Minute), time.Minute)
			got, _ := os.ReadFile(r.file)
			if !errors.Is(err, test.is) || string(got) != test.want {
				t.Errorf("restored %q, %v, want %q, %v", got, err, test.want, test.is)
			}
		})
	}
}

// What did not come is not known to be missing, and leaves nothing behind; what did not get there is not archived.
func TestOutOfReach(t *testing.T) {
	for name, s := range map[string]*store{"refuses": {status: http.StatusForbidden}, "hangs": {hangs: true}, "cuts off": {cuts: true}, "stalls": {stalls: true}} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), whole)
			r := request{endpoint: serve(t, s), bucket: "spine", key: "db/wals/" + whole, file: file}
			if err := os.WriteFile(file, aSegment(), 0o600); err != nil {
				t.Fatal(err)
			}
			if s.cuts || s.stalls {
				if err := archive(t.Context(), r, always(time.Minute), time.Minute); err != nil {
					t.Fatal(err)
				}
			} else if err := archive(t.Context(), r, always(soon), time.Minute); err == nil {
				t.Error("archived")
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := restore(t.Context(), r, soon, always(soon), time.Minute); err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errUnknown) {
				t.Errorf("restored: %v", err)
			}
			if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file is left: %v", err)
			}
		})
	}
}

// One that stops waits for a store that does not answer as long as its successor can wait, and no longer.
func TestArchiveOfOneThatStops(t *testing.T) {
	endpoint := serve(t, &store{hangs: true})
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{whole: "x", postmaster: "1\n\n\n\n\n\n\nstopping\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	try := func(endpoint string, want int, within time.Duration) {
		t.Helper()
		began := time.Now()
		if got := run(archiving, []string{"--lz4", "--endpoint-url", endpoint, "--cloud-provider", "aws-s3", "s3://spine", "db", whole}); got != want {
			t.Errorf("exit code %d, want %d", got, want)
		}
		if took := time.Since(began); took > within {
			t.Errorf("it waited %s", took)
		}
	}
	try(endpoint, exitNoAnswer, answering-time.Second)
	try(endpoint, exitNoAnswer, patience/2) // it knows

	// It knows nothing of a store that it found silent when it stopped before, nor of one that answers.
	answers := serve(t, &store{})
	if err := os.Chtimes(postmaster, time.Time{}, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	try(answers, 0, time.Minute)
	if err := os.Remove(silent); err != nil {
		t.Fatal(err)
	}
	try(serve(t, &store{status: http.StatusServiceUnavailable}), exitNoAnswer, time.Minute)
	if foundSilent(time.Time{}) {
		t.Error("a store that answers was found silent")
	}
}

// One that follows, or takes a primary's place, asks for several files in a row: it waits once for a store that does not
// answer, and asks it again a little later.
func TestRestoreByOneThatGoesOn(t *testing.T) {
	endpoint, _ := frozen(t)
	t.Chdir(t.TempDir())
	try := func(endpoint string, standsBy bool, want int, within time.Duration) {
		t.Helper()
		began := time.Now()
		args := []string{"--endpoint-url", endpoint, "--cloud-provider", "aws-s3", "s3://spine", "db", whole, "x"}
		if got := runRestore(restoring, args, standsBy); got != want {
			t.Errorf("exit code %d, want %d", got, want)
		}
		if took := time.Since(began); took > within {
			t.Errorf("it waited %s", took)
		}
	}
	try(endpoint, true, exitNoAnswer, time.Minute)
	try(endpoint, true, exitNoAnswer, patience/2)
	answers := serve(t, &store{})
	try(answers, false, exitNoFile, time.Minute) // a recovery believes nobody
	if err := os.Chtimes(silent, time.Time{}, time.Now().Add(-believed)); err != nil {
		t.Fatal(err)
	}
	try(answers, true, exitNoFile, time.Minute)

	// It is no fault of the store that a file cannot be written.
	if err := os.Remove(silent); err != nil {
		t.Fatal(err)
	}
	full := &store{}
	answers = serve(t, full)
	full.objects["db/wals/"+whole[:16]+"/"+whole] = []byte("x")
	if err := os.Mkdir("x", 0o700); err != nil {
		t.Fatal(err)
	}
	try(answers, true, exitNoAnswer, time.Minute)
	try(serve(t, &store{status: http.StatusServiceUnavailable}), true, exitNoAnswer, time.Minute)
	if foundSilent(time.Time{}) {
		t.Error("a store that answers was found silent")
	}
}

// Only one that can go on without the archive is told that it does not answer; nobody else takes that for its end.
func TestExitCodes(t *testing.T) {
	s := &store{}
	endpoint := serve(t, s)
	args := []string{"--endpoint-url", endpoint, "--cloud-provider", "aws-s3", "s3://spine", "db", whole, filepath.Join(t.TempDir(), "x")}
	for name, test := range map[string]struct {
		status   int
		standsBy bool
		want     int
	}{
		"a standby, not there":    {standsBy: true, want: exitNoFile},
		"a recovery, not there":   {want: exitNoFile},
		"a standby, out of reach": {status: http.StatusForbidden, standsBy: true, want: exitNoAnswer},
		"a recovery, handed over": {status: http.StatusForbidden, want: exitOther}, // no Barman here
	} {
		t.Run(name, func(t *testing.T) {
			s.status = test.status
			if got := runRestore(restoring, args, test.standsBy); got != test.want {
				t.Errorf("exit code %d, want %d", got, test.want)
			}
		})
	}
	file := filepath.Join(t.TempDir(), whole)
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	for name, test := range map[string]struct {
		endpoint string
		status   int
		want     int
	}{
		"archived":             {endpoint: endpoint, want: 0},
		"refused, handed over": {endpoint: endpoint, status: http.StatusForbidden, want: exitOther}, // no Barman here
		"out of order":         {endpoint: endpoint, status: http.StatusBadGateway, want: exitNoAnswer},
		"nobody, tried again":  {endpoint: nobody.URL, want: exitNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			s.status = test.status
			got := run(archiving, []string{"--lz4", "--endpoint-url", test.endpoint, "--cloud-provider", "aws-s3", "s3://spine", "db", file})
			if got != test.want {
				t.Errorf("exit code %d, want %d", got, test.want)
			}
		})
	}
	t.Chdir(t.TempDir())
	s.status = http.StatusServiceUnavailable
	history := slices.Replace(slices.Clone(args), 6, 7, "00000002.history")
	if got := runRestore(restoring, history, false); got != exitOther {
		t.Errorf("a recovery, out of reach: exit code %d", got) // no Barman here
	}
	if got := runRestore(restoring, slices.Replace(slices.Clone(args), 6, 7, "00000001.history"), false); got != exitNoFile {
		t.Errorf("the first timeline's history, out of reach: exit code %d", got)
	}
	if err := os.MkdirAll("pg_wal", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00000002.history", whole} {
		if err := os.WriteFile(filepath.Join("pg_wal", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := runRestore(restoring, history, false); got != exitNoAnswer {
		t.Errorf("the history of its own timeline: exit code %d", got)
	}
	if got := runRestore(restoring, args, false); got != exitOther {
		t.Errorf("a segment of which it may have a part: exit code %d", got)
	}
	if standsBy() {
		t.Error("a standby without its signal")
	}
	if err := os.WriteFile(standby, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !standsBy() {
		t.Error("no standby, with its signal")
	}
	for state, want := range map[string]bool{"stopping": true, "ready   ": false, "standby ": false} {
		lines := "1\n/pgdata\n1795426464\n5432\n/run\n*\n  1234  5\n" + state + "\n"
		if err := os.WriteFile(postmaster, []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := stopping(); got != want {
			t.Errorf("%q: stopping %t", state, got)
		}
	}
	if err := os.WriteFile(postmaster, []byte("1\n"), 0o600); err != nil || stopping() {
		t.Errorf("half a file says that it stops: %v", err)
	}
	if got := run("wal-archive", args); got != exitUsage {
		t.Errorf("by no name of Barman's: exit code %d", got)
	}
}
