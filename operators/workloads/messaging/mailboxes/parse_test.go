// SPDX-License-Identifier: Apache-2.0

package mailboxes

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const good = `sharedKey: correct-horse-battery
mailboxes:
  - id: X26HC005
    name: Leeds Chest Clinic
    password: first-password
    organisation: X26
    partyKey: X26-822080
    asid: "200000000123"
    certificateNames: [X26HC005.x26.api.mesh-client.nhs.uk, leeds]
    workflows: [SCR_UPDATE, SCR_UPDATE_ACK]
    supplier: acme
  - id: ERS
    password: 1234567890123
    organisation: X24
    certificateNames: [ers.spine-booking.svc]
    workflows: ["*"]
    supplier: ers
    internal: true
`

func parse(t *testing.T, text string) *Directory {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParse(t *testing.T) {
	d := parse(t, good)
	if len(d.All()) != 2 || d.SharedKey.Reveal() != "correct-horse-battery" {
		t.Fatalf("%d mailboxes, shared key of %d characters", len(d.All()), len(d.SharedKey))
	}
	leeds, ers := d.Lookup("X26HC005"), d.Lookup("ERS")
	if leeds == nil || ers == nil || d.Lookup("NOBODY") != nil || d.Lookup("ers") != nil {
		t.Fatal("a mailbox is not found by its ID")
	}
	if leeds.Name != "Leeds Chest Clinic" || leeds.PartyKey != "X26-822080" || leeds.ASID != "200000000123" || leeds.Internal {
		t.Errorf("read as %+v", leeds)
	}
	if ers.Name != "ERS" || ers.Password.Reveal() != "1234567890123" || !ers.Internal {
		t.Errorf("read as %+v", ers)
	}
	if !leeds.Owns([]string{"other", "LEEDS"}) || leeds.Owns([]string{"ers.spine-booking.svc"}) || leeds.Owns(nil) {
		t.Error("certificate names are matched wrongly")
	}
	if p := leeds.Party(); p.Mailbox != "X26HC005" || p.Organisation != "X26" || p.Supplier != "acme" || len(p.Workflows) != 2 {
		t.Errorf("party %+v", p)
	}
	if p := ers.Party(); len(p.Workflows) != 0 || !p.Internal {
		t.Errorf("party %+v", p)
	}
}

func TestReceivers(t *testing.T) {
	d := parse(t, good)
	ids := func(list []*Mailbox) (out []string) {
		for _, m := range list {
			out = append(out, m.ID)
		}
		return out
	}
	for name, tc := range map[string]struct {
		workflow, organisation string
		want                   []string
	}{
		"of a workflow":      {"SCR_UPDATE", "", []string{"X26HC005", "ERS"}},
		"of an organisation": {"SCR_UPDATE", "x26", []string{"X26HC005"}},
		"through all":        {"ANYTHING", "", []string{"ERS"}},
		"none":               {"ANYTHING", "X26", nil},
	} {
		if got := ids(d.Receivers(tc.workflow, tc.organisation)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	if got := ids(d.Named([]string{"LEEDS", "leeds", "x26hc005.X26.api.mesh-client.nhs.uk"})); !slices.Equal(got, []string{"X26HC005"}) {
		t.Errorf("named: %v", got)
	}
}

func TestParseTellsAllProblems(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"empty":         {"", []string{"line 1: the file is empty"}},
		"not YAML":      {"sharedKey: [hunter2", []string{"line 1: this is not YAML"}},
		"a list":        {"- a", []string{"line 1: must be a mapping"}},
		"two documents": {good + "---\n" + good, []string{"more than one YAML document"}},
		"an alias":      {strings.Replace(good, "organisation: X24", "organisation: &o X24", 1) + "    name: *o\n", []string{"line 19: mailboxes[1].name must be text"}},
		"nothing in it": {"{}", []string{"line 1: mailboxes is missing", "line 1: sharedKey is missing"}},
		"unknown and repeated keys": {
			strings.Replace(good, "    supplier: acme\n", "    suplier: acme\n    id: OTHER\n", 1),
			[]string{"line 3: mailboxes[0].supplier is missing", "line 11: mailboxes[0].suplier is not a known key", "line 12: mailboxes[0].id is given twice"},
		},
		"wrong kinds": {
			strings.NewReplacer("internal: true", "internal: hunter2hunter2", "password: first-password", "password: {a: hunter2}",
				"workflows: [SCR_UPDATE, SCR_UPDATE_ACK]", "workflows: hunter2", "id: ERS", "id: true").Replace(good),
			[]string{"line 5: mailboxes[0].password must be text", "line 10: mailboxes[0].workflows must be a list",
				"line 12: mailboxes[1].id must be text", "line 18: mailboxes[1].internal must be true or false"},
		},
		"wrong values": {
			strings.NewReplacer("X26HC005\n", "x26hc005\n", "first-password", "hunter2", "organisation: X26", "organisation: Leeds City",
				`"200000000123"`, "12", "X26-822080", "none", "leeds]", `"*.leeds", leeds, leeds]`, "correct-horse-battery", "pass word").Replace(good),
			[]string{"line 1: sharedKey must be 8 to 256 characters", "line 3: mailboxes[0].id must be 1 to 64 upper-case",
				"line 5: mailboxes[0].password must be 8 to 256", "line 6: mailboxes[0].organisation must be an ODS code",
				"line 7: mailboxes[0].partyKey must be a party key", "line 8: mailboxes[0].asid must be 12 digits",
				"line 9: mailboxes[0].certificateNames[1] must be the common name", "line 9: mailboxes[0].certificateNames[3] is listed twice"},
		},
		"no entries": {
			strings.NewReplacer("[SCR_UPDATE, SCR_UPDATE_ACK]", "[]", "    certificateNames: [ers.spine-booking.svc]\n", "").Replace(good),
			[]string{"line 10: mailboxes[0].workflows needs at least one entry", "line 12: mailboxes[1].certificateNames needs at least one entry"},
		},
		"all beside others": {strings.Replace(good, `["*"]`, `["*", SCR]`, 1), []string{`line 16: mailboxes[1].workflows has "*" beside others`}},
		"a taken ID":        {strings.Replace(good, "id: ERS", "id: X26HC005", 1), []string{"line 12: mailboxes[1].id is taken by mailboxes[0]"}},
		"a reserved ID":     {strings.Replace(good, "id: ERS", "id: ENDPOINTLOOKUP", 1), []string{"line 12: mailboxes[1].id is a word of the API"}},
		"two internal owners of one certificate": {
			strings.Replace(good, "supplier: acme", "supplier: acme\n    internal: true", 1) + strings.Replace(good[strings.Index(good, "  - id: ERS"):], "ERS", "ERS2", 1),
			[]string{"line 23: mailboxes[2].certificateNames[0] is named by mailboxes[1] too"},
		},
		"too long": {"# " + strings.Repeat("x", MaxBytes), []string{"at most 16777216 are read"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(tc.text))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("no problem was found: %v", err)
			}
			if len(e.Problems) != len(tc.want) {
				t.Errorf("%d problems, want %d:\n%v", len(e.Problems), len(tc.want), err)
			}
			for i, want := range tc.want {
				if i < len(e.Problems) && !strings.Contains(e.Problems[i].String(), want) {
					t.Errorf("problem %d is %q, want %q", i, e.Problems[i], want)
				}
			}
			for _, secret := range []string{"hunter2", "first-password", "correct-horse", "pass word"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("sharedKey: [x"))
	f.Add([]byte("mailboxes: [{id: A, workflows: [*, a]}]"))
	f.Add([]byte("a: &a [*a]\n<<: *a"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if (d == nil) == (err == nil) {
			t.Fatalf("directory %v with error %v", d, err)
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || len(e.Problems) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			return
		}
		for _, m := range d.All() {
			if d.Lookup(m.ID) != m || !m.Owns(m.CertificateNames) || m.Supplier == "" || len(m.Password) < minSecret {
				t.Fatalf("an unusable mailbox was taken: %+v", m)
			}
		}
	})
}
