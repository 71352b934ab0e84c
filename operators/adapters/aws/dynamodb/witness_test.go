// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spine.nhs.uk/controlplane/operators/adapters/aws/session"
	"spine.nhs.uk/controlplane/operators/operatortest/conformance"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

func endpoint(url string) session.Endpoint { return session.Endpoint(url) }

func TestWitness(t *testing.T) {
	s := newTable(t)
	last := conformance.Witness(t, s.witness(t))
	// Another service's vote is another one.
	other := s.config()
	other.Service = "spine"
	conformance.Recorded(t, NewWitness(folder(t, other)), ports.Vote{})
	s.server.Close()
	conformance.Silent(t, s.witness(t))
	if item := s.items["ers"]; item["vote"]["S"] == "" || len(item) != 2 || last.Site != "b" {
		t.Errorf("the item is %v", item)
	}
}

func TestWitnessHasOneWinner(t *testing.T) {
	s := newTable(t)
	conformance.OneWinner(t, 5, 20, func() ports.Witness { return s.witness(t) })
}

// After an answer was lost it is not known whether the vote is on record: the witness must not
// ask again by itself, find its own vote, and call that another one's.
func TestLostAnswer(t *testing.T) {
	s := newTable(t)
	w := s.witness(t)
	s.after = func(w http.ResponseWriter, _ *http.Request) bool {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return false
		}
		_ = c.Close()
		return true
	}
	var unknown *ports.WitnessError
	if err := w.Swap(t.Context(), ports.Vote{}, conformance.Vote); !errors.As(err, &unknown) {
		t.Errorf("a lost answer: %v", err)
	}
	if s.asked != 1 {
		t.Errorf("it was asked %d times", s.asked)
	}
	s.after = nil
	conformance.Recorded(t, w, conformance.Vote)
}

// Answers that are no witness's are no vote, and no lack of one.
func TestAnswers(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"nothing":          func(http.ResponseWriter) {},
		"an empty object":  func(w http.ResponseWriter) { _, _ = w.Write([]byte("{}")) },
		"a page":           func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>please sign in</html>")) },
		"another table":    func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"ConsumedCapacity":{"TableName":"x"}}`)) },
		"a wrong checksum": func(w http.ResponseWriter) { w.Header().Set("X-Amz-Crc32", "1"); _, _ = w.Write([]byte("{}")) },
		"a redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://192.0.2.1/")
			w.WriteHeader(http.StatusFound)
		},
		"no right":   func(w http.ResponseWriter) { fail(w, http.StatusBadRequest, "AccessDeniedException") },
		"no table":   func(w http.ResponseWriter) { fail(w, http.StatusBadRequest, "ResourceNotFoundException") },
		"too much":   func(w http.ResponseWriter) { fail(w, http.StatusBadRequest, "ProvisionedThroughputExceededException") },
		"a failure":  func(w http.ResponseWriter) { fail(w, http.StatusInternalServerError, "InternalServerError") },
		"no service": func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newTable(t)
			s.before = func(w http.ResponseWriter, _ *http.Request) bool { answer(w); return true }
			conformance.Silent(t, s.witness(t))
			if s.asked != 3 {
				t.Errorf("three questions were asked %d times", s.asked)
			}
		})
	}
}

func TestItems(t *testing.T) {
	for name, item := range map[string]map[string]map[string]string{
		"no vote":        {"service": {"S": "ers"}},
		"another's vote": {"service": {"S": "ers"}, "vote": {"S": "a"}},
		"no text":        {"service": {"S": "ers"}, "vote": {"N": "1"}},
	} {
		s := newTable(t)
		s.items["ers"] = item
		var bad *ports.WitnessError
		if v, err := s.witness(t).Read(t.Context()); !errors.As(err, &bad) {
			t.Errorf("%s is taken for the vote %+v", name, v)
		}
	}
}

func TestTimeout(t *testing.T) {
	s := newTable(t)
	s.before = conformance.Never(t)
	w := s.witness(t)
	conformance.Late[*ports.WitnessError](t, session.Limit, func() error { _, err := w.Read(t.Context()); return err })
}

// A new key counts at once, and none is in an error.
func TestCredentials(t *testing.T) {
	s := newTable(t)
	dir := folder(t, s.config())
	w := NewWitness(dir)
	conformance.Recorded(t, w, ports.Vote{})
	path := filepath.Join(dir, "credentials")
	for name, text := range map[string]string{
		"another key":  "[default]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = " + secretKey + "\n",
		"no profile":   "aws_access_key_id = " + accessKey + "\naws_secret_access_key = " + secretKey + "\n",
		"half":         "[default]\naws_access_key_id = " + accessKey + "\n",
		"no such form": secretKey,
		"huge":         "[default]\n" + strings.Repeat("#", thirdplace.MaxConfig),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := w.Read(t.Context())
			var bad *ports.WitnessError
			if !errors.As(err, &bad) {
				t.Fatalf("accepted: %v", err)
			}
			if strings.Contains(err.Error(), secretKey) {
				t.Errorf("the key is in the error: %v", err)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	const good = "region: eu-west-2\ntable: ers-live-witness\nservice: ers\n"
	conformance.Configs[WitnessConfig](t, "", map[string]conformance.Text{
		"good":           {good, nil},
		"an endpoint":    {good + "endpoint: https://vpce-1a2b.dynamodb.eu-west-2.vpce.amazonaws.com\n", nil},
		"an emulator":    {good + "endpoint: http://127.0.0.1:5000\n", nil},
		"in clear":       {good + "endpoint: http://192.0.2.1\n", []string{"endpoint: "}},
		"with a path":    {good + "endpoint: https://a/b\n", []string{"endpoint: "}},
		"with a key":     {good + "endpoint: https://a:b@c\n", []string{"endpoint: "}},
		"a typo":         {good + "tabel: x\n", []string{"nothing but region, endpoint, table, service"}},
		"all of it":      {"region: London\ntable: x\nservice: ERS\n", []string{`region: "London"`, `table: "x"`, `service: "ERS"`}},
		"nothing of it":  {"{}", []string{"region:", "table:", "service:"}},
		"for RFC 2136":   {"server: 192.0.2.1:53\nzone: z.\nvote: vote.z.\n", []string{"nothing but region"}},
		"not even YAML":  {"\t{", []string{"must be YAML"}},
		"a table's ARN?": {strings.Replace(good, "ers-live-witness", "arn:aws:dynamodb:eu-west-2:1:table/x", 1), []string{"table: "}},
	})
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("region: eu-west-2\ntable: ers-live-witness\nservice: ers\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := thirdplace.Decode[WitnessConfig](data); err == nil && (c.Table == "" || c.Service == "" || c.Region == "") {
			t.Error("an invalid configuration was accepted")
		}
	})
}
