// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
)

// All kinds of files give the same history.
func TestFilesOfBackends(t *testing.T) {
	want, err := (&managed{files: tree{recorded(t)}, project: "spine"}).History(t.Context(), "ers-live")
	if err != nil || len(want) != 3 {
		t.Fatalf("%d updates, %v", len(want), err)
	}
	onDisk, err := fileblob.OpenBucket(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	server := serveBucket(t, "state", recorded(t))
	s3, err := openBucket(t.Context(), server.url("state/of/spine"))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]files{
		"memory": bucket{filled(t, memblob.OpenBucket(nil)), "memory"}, "disk": bucket{filled(t, onDisk), "disk"}, "S3": s3,
	} {
		t.Run(name, func(t *testing.T) {
			m := &managed{files: f, project: "spine"}
			got, err := m.History(t.Context(), "ers-live")
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v", got, err)
			}
			if none, err := m.History(t.Context(), "ers-dev"); err != nil || len(none) != 0 {
				t.Errorf("a stack that was never updated: %v, %v", none, err)
			}
			m.project = "other"
			if _, err := m.History(t.Context(), "ers-live"); err == nil || !strings.Contains(err.Error(), "knows no project other") {
				t.Errorf("another project: %v", err)
			}
		})
	}
}

// filled is a bucket with the recorded updates, and with a stack that was never updated.
func filled(t *testing.T, b *blob.Bucket) *blob.Bucket {
	t.Helper()
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, file := range recorded(t) {
		if strings.HasSuffix(name, ".attrs") {
			continue // The library's own, in folders.
		}
		if err := b.WriteAll(t.Context(), name, file.Data, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.WriteAll(t.Context(), "stacks/spine/ers-dev.json", []byte("{}"), nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// A folder's URL may tell Pulumi how to write; the histories are read all the same.
func TestFolderOfAURL(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "Pulumi.yaml"), []byte("name: spine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, ".pulumi"), recorded(t)); err != nil {
		t.Fatal(err)
	}
	for _, parameters := range []string{"", "?metadata=skip"} {
		t.Setenv("PULUMI_BACKEND_URL", "file://"+dir+parameters)
		b, err := (&app{root: root}).backend(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		updates, err := b.History(t.Context(), "ers-live")
		if err != nil || len(updates) != 3 {
			t.Errorf("%q: %d updates, %v", parameters, len(updates), err)
		}
	}
}

// The command finds bucket and credentials as Pulumi does, and what goes wrong is one clear error without a secret.
func TestHistoryFromS3(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "Pulumi.yaml"), []byte("name: spine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := serveBucket(t, "state", recorded(t))
	tests := map[string]struct {
		url, answer string
		env         map[string]string
		want        string
	}{
		"no such bucket":       {url: server.url("elsewhere"), want: "there is no bucket s3://elsewhere"},
		"no credentials":       {url: server.url("state"), env: map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, want: "there are no credentials to read s3://state with"},
		"no access":            {url: server.url("state"), answer: "AccessDenied", want: "access to s3://state is denied: it takes s3:ListBucket"},
		"credentials too old":  {url: server.url("state"), answer: "ExpiredToken", want: "AWS does not accept the credentials (ExpiredToken)"},
		"another region":       {url: server.url("state"), answer: "AuthorizationHeaderMalformed", want: "AWS answers AuthorizationHeaderMalformed"},
		"no bucket":            {url: "s3://?region=eu-west-2", want: "names no bucket"},
		"an unknown parameter": {url: server.url("state") + "&colour=blue", want: `cannot be opened: unknown query parameter "colour"`},
		"an unknown profile":   {url: server.url("state") + "&profile=nobody", want: "nobody"},
		"another cloud":        {url: "gs://state", want: `begins with "gs"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			credentials(t)
			t.Setenv("PULUMI_BACKEND_URL", test.url)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			server.refuses(test.answer)
			out, errs, code := stackdiff(t, root, "history", "-s", "ers-live")
			if code != exitError || out != "" || !strings.Contains(errs, test.want) || strings.Count(strings.TrimSpace(errs), "\n") > 0 {
				t.Errorf("exit code %d, wrote %q, said %q, want %q", code, out, errs, test.want)
			}
			noSecrets(t, errs)
		})
	}
}

// credentials are those of a user, and nothing else of this machine counts.
func credentials(t *testing.T) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for key, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": planted + "-id", "AWS_SECRET_ACCESS_KEY": planted + "-key", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_PROFILE": "", "AWS_SESSION_TOKEN": "",
	} {
		t.Setenv(key, value)
	}
}

// bucketServer is as much of S3 as a reader of a bucket needs: a list, by pages of two, and objects.
type bucketServer struct {
	*httptest.Server
	bucket  string
	objects map[string][]byte
	refusal string
}

// serveBucket serves files of a backend that is below of/spine, and of one at the top.
func serveBucket(t *testing.T, name string, all fstest.MapFS) *bucketServer {
	t.Helper()
	credentials(t)
	s := &bucketServer{bucket: name, objects: map[string][]byte{}}
	for _, prefix := range []string{"", "of/spine/"} {
		for path, file := range all {
			s.objects[prefix+".pulumi/"+path] = file.Data
		}
		s.objects[prefix+".pulumi/stacks/spine/ers-dev.json"] = []byte("{}")
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *bucketServer) url(where string) string {
	return "s3://" + where + "?region=eu-west-2&use_path_style=true&endpoint=" + s.URL
}

// refuses has every request answered by an error; empty for none.
func (s *bucketServer) refuses(code string) { s.refusal = code }

func (s *bucketServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	object, there := s.objects[key]
	switch {
	case s.refusal != "":
		fail(w, http.StatusForbidden, s.refusal)
	case name != s.bucket:
		fail(w, http.StatusNotFound, "NoSuchBucket")
	case key == "":
		s.list(w, r)
	case !there:
		fail(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("Last-Modified", "Sat, 21 Nov 2026 10:00:00 GMT")
		_, _ = w.Write(object)
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>for %s-id</Message></Error>", code, planted)
}

// list answers ListObjectsV2.
func (s *bucketServer) list(w http.ResponseWriter, r *http.Request) {
	type object struct {
		Key          string
		LastModified string
		Size         int
	}
	var answer struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Contents              []object
		IsTruncated           bool
		NextContinuationToken string
	}
	q := r.URL.Query()
	var keys []string
	for key := range s.objects {
		below, ok := strings.CutPrefix(key, q.Get("prefix"))
		if ok && !strings.Contains(below, q.Get("delimiter")) && key > q.Get("continuation-token") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys[:min(2, len(keys))] {
		answer.Contents = append(answer.Contents, object{key, "2026-11-21T10:00:00Z", len(s.objects[key])})
		answer.NextContinuationToken = key
	}
	answer.IsTruncated = len(keys) > 2
	if text, err := xml.Marshal(answer); err == nil {
		_, _ = w.Write(text)
	}
}
