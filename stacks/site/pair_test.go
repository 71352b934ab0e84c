// SPDX-License-Identifier: Apache-2.0

package site

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"sigs.k8s.io/yaml"
)

const zoneKey = "VGhpcyBrZXkgb2YgdGhpcnR5LXR3byBieXRlcyBoaWRlcy4="

// paired is the local environment as one of two sites, with the files that it refers to.
func paired(t *testing.T, edit func(folder string)) []byte {
	t.Helper()
	rack(t)
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"platform", "clients"} {
		certificate, key := authority(t)
		write(name+".crt", certificate)
		write(name+".key", key)
	}
	write("zone-key", zoneKey+"\n")
	write("west.kubeconfig", "kind: Config\n")
	if edit != nil {
		edit(folder)
	}
	at := func(name string) string { return filepath.Join(folder, name) }
	return local(t, func(env map[string]any) {
		env["pair"] = map[string]any{
			"role": "Standby", "acknowledge": "BothSites", "automatic": "Automatic",
			"peer":       map[string]any{"name": "west", "subnet": "10.94.0.0/24", "edgeAddress": "10.94.0.101", "kubeconfigFile": at("west.kubeconfig")},
			"platform":   map[string]any{"certificateFile": at("platform.crt"), "keyFile": at("platform.key")},
			"clients":    map[string]any{"certificateFile": at("clients.crt"), "keyFile": at("clients.key")},
			"thirdPlace": map[string]any{"nameServer": "10.95.0.11:53", "zone": "pair.test", "key": "local", "secretFile": at("zone-key")},
		}
	})
}

func authority(t *testing.T) (certificate, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return text("CERTIFICATE", der), text("PRIVATE KEY", keyDER)
}

func TestPair(t *testing.T) {
	e := &engine{}
	if err := run(t, e, paired(t, nil)); err != nil {
		t.Fatal(err)
	}
	objects := e.objects()
	service := objects["messaging.spine.nhs.uk/v1alpha1/MessagingService/spine-messaging/spine"].ObjectValue()["spec"].ObjectValue()
	want := resource.NewPropertyMapFromMap(map[string]any{
		"name": "local", "role": "Standby", "networks": []any{"10.90.0.0/24"}, "databasePort": 5433, "opsPort": 9443,
		"peer": map[string]any{"name": "west", "networks": []any{"10.94.0.0/24"}, "databaseHost": "10.94.0.101", "databasePort": 5433},
	})
	if got := service["site"].ObjectValue(); !got.DeepEquals(want) || service["acknowledge"].StringValue() != "BothSites" {
		t.Errorf("site is %v", got)
	}
	if names := service["exposure"].ObjectValue()["hostNames"].ArrayValue(); len(names) != 1 || names[0].StringValue() != "messages.pair.test" {
		t.Errorf("clients call it %v", names)
	}
	policy := objects["resilience.spine.nhs.uk/v1alpha1/FailoverPolicy/spine-system/site"].ObjectValue()["spec"].ObjectValue()
	var probes []string
	for _, s := range policy["services"].ArrayValue() {
		probes = append(probes, s.ObjectValue()["kind"].StringValue()+" "+s.ObjectValue()["peerProbe"].StringValue())
	}
	if got := strings.Join(probes, ", "); got != "MessagingService 10.94.0.101:9443, BookingService 10.94.0.101:9445" || policy["site"].StringValue() != "local" {
		t.Errorf("the policy of %v probes %s", policy["site"], got)
	}
	// The authorities are given: none is made here that the other site would not believe.
	if _, made := objects["cert-manager.io/v1/Certificate/cert-manager/spine-ca"]; made {
		t.Error("the site makes an authority of its own")
	}
	for _, key := range []string{
		"v1/Secret/cert-manager/spine-ca", "v1/Secret/cert-manager/spine-clients", "v1/Secret/spine-system/witness", "v1/Secret/spine-system/traffic",
		"v1/Secret/spine-system/peer", "networking.k8s.io/v1/NetworkPolicy/spine-system/spine-manager-sites",
	} {
		if _, ok := objects[key]; !ok {
			t.Errorf("there is no %s", key)
		}
	}
	text := mounted(t, e, "traffic", "config.yaml")
	var traffic struct {
		Server, Zone string
		Names        []string
		Sites        map[string]string
		TTLSeconds   int
		Key          struct{ Name, Algorithm, Secret string }
	}
	if err := yaml.UnmarshalStrict([]byte(text), &traffic); err != nil {
		t.Fatal(err)
	}
	if traffic.Zone != "pair.test." || traffic.Key.Name != "local." || traffic.Key.Secret != zoneKey || traffic.TTLSeconds != 5 ||
		strings.Join(traffic.Names, " ") != "messages.pair.test. booking.pair.test." || traffic.Sites["local"] != "10.90.0.101" || traffic.Sites["west"] != "10.94.0.101" {
		t.Errorf("traffic is led by %+v", traffic)
	}
}

// mounted is what the manager finds in a file.
func mounted(t *testing.T, e *engine, secret, file string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(e.objects()["v1/Secret/spine-system/"+secret].ObjectValue()["data"].ObjectValue()[resource.PropertyKey(file)].StringValue())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The third place in AWS: the vote in a table, the names in a zone of Route 53.
func TestPairWithThePlaceInAWS(t *testing.T) {
	const credentials = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n"
	e := &engine{}
	environment := paired(t, nil)
	change := func(credentials string) []byte {
		var env map[string]any
		if err := yaml.Unmarshal(environment, &env); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "credentials")
		if err := os.WriteFile(file, []byte(credentials), 0o600); err != nil {
			t.Fatal(err)
		}
		env["pair"].(map[string]any)["thirdPlace"] = map[string]any{"zone": "pair.test", "aws": map[string]any{
			"table": "pair-witness", "hostedZone": "Z0123456789ABC", "credentialsFile": file, "networks": []any{"192.0.2.0/24"},
			"tableEndpoint": "https://vpce-1a2b.dynamodb.eu-west-2.vpce.amazonaws.com",
		}}
		text, err := json.Marshal(env)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if err := run(t, e, change(credentials)); err != nil {
		t.Fatal(err)
	}
	for secret, want := range map[string]string{
		"witness": `{"region": "eu-west-2", "table": "pair-witness", "service": "pair.test", "endpoint": "https://vpce-1a2b.dynamodb.eu-west-2.vpce.amazonaws.com"}`,
		"traffic": `{"hostedZone": "Z0123456789ABC", "zone": "pair.test.", "names": ["messages.pair.test.", "booking.pair.test."], "sites": {"local": "local", "west": "west"}, "endpoint": ""}`,
	} {
		var got, wanted any
		if err := errors.Join(json.Unmarshal([]byte(mounted(t, e, secret, "config.yaml")), &got), json.Unmarshal([]byte(want), &wanted)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, wanted) {
			t.Errorf("%s is %v", secret, got)
		}
		if mounted(t, e, secret, "credentials") != credentials {
			t.Errorf("%s has no credentials", secret)
		}
	}
	args := e.objects()["apps/v1/Deployment/spine-system/spine-manager"].String()
	if !strings.Contains(args, "--third-place=AWS") {
		t.Error("the manager is not told that the third place is in AWS")
	}
	way := e.objects()["networking.k8s.io/v1/NetworkPolicy/spine-system/spine-manager-sites"].String()
	if !strings.Contains(way, "192.0.2.0/24") || strings.Contains(way, "10.95.0.11") {
		t.Errorf("the manager is let out to %s", way)
	}
	err := run(t, &engine{}, change("no-such-thing"))
	if err == nil || !strings.Contains(err.Error(), "pair.thirdPlace.aws.credentialsFile") || strings.Contains(err.Error(), "no-such-thing") {
		t.Errorf("no credentials: %v", err)
	}
}

// A pair whose sites are not joined yet has no kubeconfig of the other one.
func TestPairBeforeItIsJoined(t *testing.T) {
	e := &engine{}
	if err := run(t, e, paired(t, func(folder string) { _ = os.Truncate(filepath.Join(folder, "west.kubeconfig"), 0) })); err != nil {
		t.Fatal(err)
	}
	if _, ok := e.objects()["v1/Secret/spine-system/peer"]; ok {
		t.Error("an empty kubeconfig is given to the manager")
	}
}

func TestPairWithBadFiles(t *testing.T) {
	err := run(t, &engine{}, paired(t, func(folder string) {
		_ = os.Rename(filepath.Join(folder, "platform.key"), filepath.Join(folder, "gone"))
		_ = os.WriteFile(filepath.Join(folder, "clients.key"), []byte("-----BEGIN PRIVATE KEY-----\nSecretSecret\n-----END PRIVATE KEY-----\n"), 0o600)
		_ = os.WriteFile(filepath.Join(folder, "zone-key"), []byte("c2hvcnQ="), 0o600)
	}))
	if err == nil {
		t.Fatal("accepted")
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, want := range []string{
		"pair.platform.keyFile", "cannot be read: no such file or directory", "pair.clients.certificateFile", "does not go with keyFile",
		"pair.thirdPlace.secretFile", "must hold a key of at least 32 bytes in base64",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in: %s", want, text)
		}
	}
	if strings.Contains(text, "SecretSecret") || strings.Contains(text, "c2hvcnQ") {
		t.Errorf("a secret is in the error: %s", text)
	}
}
