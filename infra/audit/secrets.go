// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"spine.nhs.uk/controlplane/infra/policy"
)

// hidden stands where something looks like a secret that nobody marked. Two are equal when what they hide is.
type hidden struct{ sum [sha256.Size]byte }

func (hidden) String() string { return policy.Secret{}.String() }

// MarshalText keeps what is hidden out of JSON.
func (h hidden) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// Secrets takes secrets out of values and texts. Marked ones are gone before; this is for the others: values under
// names such as "password", keys and tokens by their form, and every further place where the same text turns up.
type Secrets struct {
	known    map[string]bool
	public   map[string]bool // what no secret is, wherever it stands
	names    map[string]bool // whether a name is sensitive: few names stand for all values
	replacer *strings.Replacer
}

// NewSecrets knows the given secrets from the start.
func NewSecrets(known []string) *Secrets {
	s := &Secrets{known: map[string]bool{}, public: map[string]bool{}, names: map[string]bool{}}
	for _, text := range known {
		s.learn(text)
	}
	return s
}

// Public says what is no secret though it stands beside one, or is one's value: the names of an environment and its
// project, which everything is called by.
func (s *Secrets) Public(names ...string) {
	for _, name := range names {
		s.public[name] = true
		delete(s.known, name)
	}
	s.replacer = nil
}

// shortest is the least length at which a text is looked for everywhere: shorter ones would blot out ordinary words.
const shortest = 8

func (s *Secrets) learn(text string) {
	if s.public[text] || pointsOnly(text) {
		return
	}
	for _, form := range []string{text, base64.StdEncoding.EncodeToString([]byte(text)), quoted(text)} {
		if form = strings.TrimSpace(form); len(strings.TrimSpace(text)) >= shortest && !s.known[form] {
			s.known[form] = true
			s.replacer = nil
		}
	}
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && len(decoded) >= shortest && !s.known[string(decoded)] {
		s.known[string(decoded)] = true
		s.replacer = nil
	}
	var inner any
	if strings.HasPrefix(strings.TrimSpace(text), "{") && json.Unmarshal([]byte(text), &inner) == nil {
		s.learnAll(inner)
	}
}

// learnAll learns every text of a structured secret, such as a map of passwords.
func (s *Secrets) learnAll(v any) {
	switch v := v.(type) {
	case string:
		s.learn(v)
	case []any:
		for _, item := range v {
			s.learnAll(item)
		}
	case map[string]any:
		for _, item := range v {
			s.learnAll(item)
		}
	}
}

// quoted is a text as it stands inside JSON.
func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return string(out[1 : len(out)-1])
}

// Values replaces what looks like a secret. It must have seen all values before Text sees the first text.
func (s *Secrets) Values(properties map[string]any) map[string]any {
	if properties == nil {
		return nil
	}
	out, _ := s.value("", properties, false).(map[string]any)
	return out
}

func (s *Secrets) value(key string, v any, sensitive bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		below := sensitive || holdsSecrets(key)
		for name, item := range v {
			out[name] = s.value(name, item, below || s.sensitiveName(name) || isSecretData(v, name) || s.isSecretVariable(v, name))
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = s.value(key, item, sensitive)
		}
		return out
	case string:
		if v != "" && (sensitive && !reference(key) || formOfSecret.MatchString(v)) {
			s.learn(v)
			return hidden{sha256.Sum256([]byte(v))}
		}
		return s.embedded(v)
	}
	return v
}

// embedded takes secrets out of a text that is itself JSON, or settings line by line.
func (s *Secrets) embedded(text string) any {
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		var inner any
		if json.Unmarshal([]byte(text), &inner) == nil {
			return document{s.value("", inner, false)}
		}
	}
	if !strings.ContainsAny(text, ":=") || pointsOnly(text) {
		return text
	}
	found := assignment.FindAllStringSubmatch(text, -1)
	if len(found) == 0 {
		return text
	}
	for _, m := range found {
		s.learn(m[3])
	}
	return masked{shown: assignment.ReplaceAllString(text, "${1}${2}[secret]"), sum: sha256.Sum256([]byte(text))}
}

// masked is a text with secrets in it, without them. Two are equal when the whole texts are.
type masked struct {
	shown string
	sum   [sha256.Size]byte
}

func (m masked) String() string { return m.shown }

// MarshalText keeps what is masked out of JSON.
func (m masked) MarshalText() ([]byte, error) { return []byte(m.shown), nil }

// document is JSON inside a text: two are equal when they say the same, whatever their form.
type document struct{ value any }

// MarshalJSON writes the document in one form, whatever its own.
func (d document) MarshalJSON() ([]byte, error) { return json.Marshal(d.value) }

// isSecretData says whether a field is the contents of a Kubernetes Secret.
func isSecretData(object map[string]any, field string) bool {
	return object["kind"] == "Secret" && (field == "data" || field == "stringData")
}

// isSecretVariable says whether a field is the value of a variable with a sensitive name: {name: DB_PASSWORD, value: x}.
func (s *Secrets) isSecretVariable(object map[string]any, field string) bool {
	name, _ := object["name"].(string)
	return field == "value" && s.sensitiveName(name)
}

var (
	sensitive = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|api[-_]?key|private[-_]?key|shared[-_]?key|access[-_]?key|credential|kubeconfig|connection[-_]?string|authorization|cookie)s?$`)
	holders   = regexp.MustCompile(`(?i)^(passwords|secrets|tokens|credentials|stringData)$`)
	// references are names of things that only point at a secret.
	references = regexp.MustCompile(`(?i)(name|ref|refs|id|ids|arn|file|files|path|dir|issuer|url|uri|namespace|type|class|version|policy|key|kind|audience|mode|httpTokens)$`)
	// keyed are names that end in "key" and are secrets all the same.
	keyed = regexp.MustCompile(`(?i)(api|private|shared|access)[-_]?key$`)
	// formOfSecret knows secrets by what they look like, whole or within a text.
	formOfSecret = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\bA(KIA|SIA)[0-9A-Z]{16}\b|client-key-data:`)
	inText       = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\z)|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\bA(?:KIA|SIA)[0-9A-Z]{16}\b`)
	userInfo     = regexp.MustCompile(`(\w+://[^/\s:@]*:)([^/\s@]+)@`)
	bearer       = regexp.MustCompile(`(?i)\b(bearer|basic)\s+([A-Za-z0-9+/=._~-]{8,})`)
	assignment   = regexp.MustCompile(`(?i)\b([\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|private[-_]?key|shared[-_]?key|access[-_]?key|credential))(["']?\s*(?:=|:)\s*["']?)([^\s"',;{}\[\]]{3,})`)
)

func (s *Secrets) sensitiveName(name string) bool {
	is, known := s.names[name]
	if !known {
		is = sensitive.MatchString(name) && !reference(name)
		s.names[name] = is
	}
	return is
}

// pointsOnly says that a text tells where something is: an ARN, even of a secret, or a region.
func pointsOnly(text string) bool {
	return strings.HasPrefix(text, "arn:") && !strings.ContainsAny(text, " \n") || text != "" && region.FindString(text) == text
}

func holdsSecrets(name string) bool { return holders.MatchString(name) }

func reference(name string) bool {
	return references.MatchString(name) && !keyed.MatchString(name)
}

// Text takes secrets out of what somebody wrote.
func (s *Secrets) Text(text string) string {
	return assignment.ReplaceAllString(s.Known(text), "${1}${2}[secret]")
}

// Known takes secrets out of words of our own: they assign nothing, but may repeat a value.
func (s *Secrets) Known(text string) string {
	text = s.Name(text)
	text = inText.ReplaceAllString(text, "[secret]")
	text = userInfo.ReplaceAllString(text, "${1}[secret]@")
	return bearer.ReplaceAllString(text, "${1} [secret]")
}

// Name takes secrets out of what things are called: there only those that are known are looked for.
func (s *Secrets) Name(text string) string {
	if s.replacer == nil {
		// The longest first: one secret may be the beginning of another.
		all := make([]string, 0, len(s.known))
		for k := range s.known {
			all = append(all, k)
		}
		slices.SortFunc(all, func(a, b string) int {
			if len(a) != len(b) {
				return len(b) - len(a)
			}
			return strings.Compare(a, b)
		})
		pairs := make([]string, 0, 2*len(all))
		for _, k := range all {
			pairs = append(pairs, k, policy.Secret{}.String())
		}
		s.replacer = strings.NewReplacer(pairs...)
	}
	return s.replacer.Replace(text)
}
