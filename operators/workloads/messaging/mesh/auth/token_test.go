// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2020, 5, 4, 13, 5, 42, 0, time.UTC)

const (
	nonce = "bd0e2bd5-218e-41d0-83a9-73fdec414803"
	// published was made by the example implementation in the published document.
	published = "NHSMESH AMP01HC001:" + nonce + ":0:202005041305:9738043bc8d980d7daa77ca8d188f2b52126f6c513e2b0484858661e4f42a813"
)

func TestTokenIsThePublishedOne(t *testing.T) {
	if got := Token("AMP01HC001", "secret-pass", "BackBone", nonce, 0, noon.In(time.FixedZone("x", 3600))); got != published {
		t.Errorf("made  %s\n want %s", got, published)
	}
}

func TestParse(t *testing.T) {
	hash := published[strings.LastIndex(published, ":")+1:]
	for name, tc := range map[string]struct {
		value string
		want  error
	}{
		"as published":         {published, nil},
		"other case, spaces":   {" nhsmesh  " + published[8:] + " ", nil},
		"upper-case hash":      {strings.Replace(published, hash, strings.ToUpper(hash), 1), nil},
		"none":                 {" ", ErrMissing},
		"another scheme":       {"Basic YWxhZGRpbjpvcGVuc2VzYW1l", ErrMalformed},
		"no scheme":            {published[8:], ErrMalformed},
		"scheme only":          {"NHSMESH", ErrMalformed},
		"too few parts":        {strings.Replace(published, ":0:", ":", 1), ErrMalformed},
		"too many parts":       {strings.Replace(published, ":0:", ":0:0:", 1), ErrMalformed},
		"no mailbox":           {strings.Replace(published, "AMP01HC001", "", 1), ErrMalformed},
		"no nonce":             {strings.Replace(published, nonce, "", 1), ErrMalformed},
		"long nonce":           {strings.Replace(published, nonce, strings.Repeat("n", 129), 1), ErrMalformed},
		"negative count":       {strings.Replace(published, ":0:", ":-1:", 1), ErrMalformed},
		"count beyond 64 bits": {strings.Replace(published, ":0:", ":18446744073709551616:", 1), ErrMalformed},
		"time with letters":    {strings.Replace(published, "202005041305", "2020May41305", 1), ErrMalformed},
		"time to the second":   {strings.Replace(published, "202005041305", "20200504130500", 1), ErrMalformed},
		"month 13":             {strings.Replace(published, "202005041305", "202013041305", 1), ErrMalformed},
		"short hash":           {published[:len(published)-2], ErrMalformed},
		"hash not hexadecimal": {published[:len(published)-1] + "x", ErrMalformed},
		"control characters":   {strings.Replace(published, nonce, "a\x00b", 1), ErrMalformed},
		"very long":            {published + strings.Repeat(" x", 600), ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := Parse(tc.value)
			if !errors.Is(err, tc.want) {
				t.Fatalf("%v, want %v", err, tc.want)
			}
			if err == nil && (h.Mailbox != "AMP01HC001" || h.Nonce != nonce || h.Check("secret-pass", "BackBone", noon) != nil) {
				t.Errorf("read as %+v", h)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	parse := func(value string) Header {
		h, err := Parse(value)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for name, tc := range map[string]struct {
		value, password, key string
		now                  time.Time
		want                 error
	}{
		"good":                {published, "secret-pass", "BackBone", noon, nil},
		"two hours late":      {published, "secret-pass", "BackBone", noon.Truncate(time.Minute).Add(Window), nil},
		"later":               {published, "secret-pass", "BackBone", noon.Add(Window), ErrTime},
		"two hours early":     {published, "secret-pass", "BackBone", noon.Truncate(time.Minute).Add(-Window), nil},
		"earlier":             {published, "secret-pass", "BackBone", noon.Add(-Window - time.Minute), ErrTime},
		"another password":    {published, "secret-past", "BackBone", noon, ErrHash},
		"another key":         {published, "secret-pass", "Backbone", noon, ErrHash},
		"another mailbox":     {strings.Replace(published, "AMP01", "AMP02", 1), "secret-pass", "BackBone", noon, ErrHash},
		"another count":       {strings.Replace(published, ":0:", ":1:", 1), "secret-pass", "BackBone", noon, ErrHash},
		"a moved timestamp":   {strings.Replace(published, "1305", "1306", 1), "secret-pass", "BackBone", noon, ErrHash},
		"both: hash is first": {strings.Replace(published, "1305", "1306", 1), "secret-pass", "BackBone", noon.Add(9 * time.Hour), ErrHash},
	} {
		h := parse(tc.value)
		if err := h.Check(tc.password, tc.key, tc.now); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(published)
	f.Add("NHSMESH a:b:00:000000000000:")
	f.Add("NHSMESH ::::")
	f.Fuzz(func(t *testing.T, value string) {
		h, err := Parse(value)
		if err != nil {
			if !errors.Is(err, ErrMissing) && !errors.Is(err, ErrMalformed) {
				t.Fatalf("an unknown error: %v", err)
			}
			return
		}
		// What was read and what is signed must be the same text, or two readings of one token could differ.
		again, err := Parse(Token(h.Mailbox, "p", "k", h.Nonce, h.count, h.at))
		if err != nil || again.Mailbox != h.Mailbox || again.Nonce != h.Nonce || again.count != h.count || !again.at.Equal(h.at) {
			t.Fatalf("%q read as %+v, then as %+v (%v)", value, h, again, err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		h, _ := Parse(published)
		if h.Check("secret-pass", "BackBone", noon) != nil {
			b.Fatal("refused")
		}
	}
}
