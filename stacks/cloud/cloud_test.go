// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"encoding/base64"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/environments"
	"spine.nhs.uk/controlplane/stacks/catalogue"
	shared "spine.nhs.uk/controlplane/stacks/platform"
	"spine.nhs.uk/controlplane/stacks/platform/platformtest"
)

const project = "../.."

// files are the environments in AWS.
func files(t *testing.T) []catalogue.File {
	t.Helper()
	all, err := catalogue.Read(os.DirFS(project))
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(f catalogue.File) bool { return f.Kind != environments.KindAWS })
	if len(all) == 0 {
		t.Fatal("no environments")
	}
	return all
}

// engine stands in for the engine in a preview, and remembers what is asked for.
type engine struct {
	recorder
	resources []pulumi.MockResourceArgs
}

func (e *engine) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	e.mu.Lock()
	e.resources = append(e.resources, args)
	e.mu.Unlock()
	id, out, err := e.recorder.NewResource(args)
	if args.TypeToken == "aws:eks/cluster:Cluster" {
		// Mocks cannot read a secret that is not known yet, and the kubeconfig is one.
		out = out.Copy()
		out["endpoint"] = resource.NewStringProperty("https://eks.invalid")
		out["certificateAuthority"] = resource.NewObjectProperty(resource.PropertyMap{"data": resource.NewStringProperty("UEVN")})
	}
	return id, out, err
}

// preview plans an environment; config is the stack's besides.
func preview(t *testing.T, stack string, environment []byte, config map[string]string) (*engine, error) {
	t.Helper()
	e := &engine{recorder: recorder{types: map[string]bool{}}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error { return Build(ctx, environment) }, pulumi.WithMocks("spine", stack, e),
		func(info *pulumi.RunInfo) { info.DryRun, info.RootDirectory, info.Config = true, project, config })
	return e, err
}

// configured are the secrets that a stack's configuration has.
func configured(t *testing.T, stack string) map[string]string {
	t.Helper()
	service, _, _ := strings.Cut(stack, "-")
	return map[string]string{
		brokerPasswordKey: "a-long-password", databasePasswordKey: "another-long-password",
		shared.MailboxesKey: platformtest.MailboxSecrets(t, project+"/environments/catalogue/"+service+".yaml"),
	}
}

func TestEveryEnvironmentPlans(t *testing.T) {
	for _, f := range files(t) {
		t.Run(f.Stack, func(t *testing.T) {
			e, err := preview(t, f.Stack, f.Environment, configured(t, f.Stack))
			if err != nil {
				t.Fatal(err)
			}
			parents := map[string]string{}
			for _, r := range e.resources {
				self := r.TypeToken + " " + r.Name
				if _, twice := parents[self]; twice {
					t.Errorf("%s is asked for twice", self)
				}
				parent := urn.URN(r.RegisterRPC.GetParent())
				parents[self] = parent.Name()
				if !strings.HasPrefix(r.TypeToken, "aws:") {
					continue
				}
				if !strings.HasPrefix(string(parent.Type()), "spine:aws:") {
					t.Errorf("%s is in no component, but in %s", self, parent)
				}
				if !strings.Contains(r.Provider, "pulumi:providers:aws::"+f.Stack) {
					t.Errorf("%s has the provider %q, not one of the environment's", self, r.Provider)
				}
			}
		})
	}
}

// find returns the only resource of a type.
func (e *engine) find(t *testing.T, typ string) pulumi.MockResourceArgs {
	t.Helper()
	i := slices.IndexFunc(e.resources, func(r pulumi.MockResourceArgs) bool { return r.TypeToken == typ })
	if i < 0 {
		t.Fatalf("there is no %s", typ)
	}
	return e.resources[i]
}

func environment(t *testing.T, stack string) []byte {
	t.Helper()
	all := files(t)
	return all[slices.IndexFunc(all, func(f catalogue.File) bool { return f.Stack == stack })].Environment
}

// TestDeploymentRoleFits holds the list of types, found by a trial, to what is planned.
func TestDeploymentRoleFits(t *testing.T) {
	for _, stack := range []string{"ers-live", "ers-ft1", "spine-dev"} {
		e, err := preview(t, stack, environment(t, stack), configured(t, stack))
		if err != nil {
			t.Fatal(err)
		}
		config := configured(t, stack)
		p, err := read(stack, environment(t, stack), secrets{
			database: config[databasePasswordKey], broker: config[brokerPasswordKey], mailboxes: config[shared.MailboxesKey],
		}, os.DirFS(project))
		if err != nil {
			t.Fatal(err)
		}
		used, err := usedTypes(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range used {
			if !e.types[typ] {
				t.Errorf("%s: the role has rights on %s, and nothing is one", stack, typ)
			}
		}
		if len(used) != len(e.types) || len(used) < 40 {
			t.Errorf("%s: the role has rights on %d types, and %d are planned", stack, len(used), len(e.types))
		}
	}
}

func TestLiveIsProtected(t *testing.T) {
	for _, stack := range []string{"ers-live", "ers-dr", "ers-prelive", "ers-ft1"} {
		e, err := preview(t, stack, environment(t, stack), configured(t, stack))
		if err != nil {
			t.Fatal(err)
		}
		serving := stack == "ers-live" || stack == "ers-dr"
		for _, typ := range []string{"aws:s3/bucketV2:BucketV2", "aws:kms/key:Key", "aws:eks/cluster:Cluster", "aws:cloudtrail/trail:Trail"} {
			if got := e.find(t, typ).RegisterRPC.GetProtect(); got != serving {
				t.Errorf("%s: %s is protected: %t", stack, typ, got)
			}
		}
		// No environment's database goes by a mistaken destroy, nor what stands before it.
		if !e.find(t, "aws:rds/cluster:Cluster").RegisterRPC.GetProtect() {
			t.Errorf("%s: the database is not protected", stack)
		}
	}
}

func TestProviders(t *testing.T) {
	e, err := preview(t, "ers-live", environment(t, "ers-live"), configured(t, "ers-live"))
	if err != nil {
		t.Fatal(err)
	}
	accounts := map[string]string{}
	for _, r := range e.resources {
		if r.TypeToken == "pulumi:providers:aws" {
			accounts[r.Name] = r.Inputs["allowedAccountIds"].String() + r.Inputs["region"].String() + r.Inputs["assumeRole"].String()
			for _, want := range []string{"spine.nhs.uk/environment", "spine.nhs.uk/owner", "ER-1001", "PatientIdentifiable", "gold"} {
				if !strings.Contains(r.Inputs["defaultTags"].String(), want) {
					t.Errorf("the tags of %s lack %s", r.Name, want)
				}
			}
		}
	}
	if len(accounts) != 2 || !strings.Contains(accounts["ers-live"], "100000000101") || !strings.Contains(accounts["ers-live-backups"], "role/spine-backup-copies") {
		t.Errorf("the providers are %v", accounts)
	}
}

func TestPasswordsAreSecret(t *testing.T) {
	e, err := preview(t, "ers-live", environment(t, "ers-live"), configured(t, "ers-live"))
	if err != nil {
		t.Fatal(err)
	}
	var hidden []string
	for _, secret := range []string{"a-long-password", "another-long-password", "the-shared-key", "password-of-"} {
		hidden = append(hidden, secret, base64.StdEncoding.EncodeToString([]byte(secret)))
	}
	told := 0
	for _, r := range e.resources {
		var look func(v resource.PropertyValue, secret bool)
		look = func(v resource.PropertyValue, secret bool) {
			switch {
			case v.IsSecret():
				look(v.SecretValue().Element, true)
			case v.IsArray():
				for _, item := range v.ArrayValue() {
					look(item, secret)
				}
			case v.IsObject():
				for _, item := range v.ObjectValue() {
					look(item, secret)
				}
			case v.IsString() && slices.ContainsFunc(hidden, func(one string) bool { return strings.Contains(v.StringValue(), one) }):
				told++
				if !secret {
					t.Errorf("%s %s holds the password in plain text", r.TypeToken, r.Name)
				}
			}
		}
		look(resource.NewObjectProperty(r.Inputs), false)
	}
	if told == 0 {
		t.Error("nothing has the password")
	}
}

func TestMistakesRegisterNothing(t *testing.T) {
	live := string(environment(t, "ers-live"))
	whole := configured(t, "ers-live")
	with := func(key, value string) map[string]string {
		c := maps.Clone(whole)
		c[key] = value
		return c
	}
	for name, c := range map[string]struct {
		stack, environment string
		config             map[string]string
		want               []string
	}{
		"none":        {"ers-live", "", whole, []string{"spine:environment is missing"}},
		"no password": {"ers-live", live, with(brokerPasswordKey, ""), []string{"1 problem", "spine:brokerPassword: Required value"}},
		"no secrets":  {"ers-live", live, nil, []string{"3 problems", "spine:brokerPassword", "spine:databasePassword: Required value", "spine:mailboxSecrets: Required value"}},
		"no release": {"ers-live", strings.Replace(live, `"class":"Live"`, `"class":"Live","images":{"releaseFile":"environments/releases/none.json"}`, 1), whole,
			[]string{"1 problem", "images.releaseFile", "cannot be read"}},
		"no list": {"ers-live", strings.Replace(live, `"class":"Live"`, `"class":"Live","images":{"releaseFile":"environments/authorities/tokens-live.json"}`, 1), whole,
			[]string{"release: Invalid value"}},
		"providers without a way": {"ers-live", strings.Replace(live, `"networks":["198.51.100.0/24"]`, `"networks":["203.0.113.0/24"]`, 1), whole,
			[]string{"1 problem", "booking.providers.networks[0]", "no route"}},
		"short password": {"ers-live", live, with(brokerPasswordKey, "short-secret,"), []string{"1 problem", `spine:brokerPassword: Invalid value: "(secret)"`}},
		"no authorities": {"ers-live", strings.Replace(live, "authorities/live.pem", "authorities/gone.pem", 1), whole,
			[]string{"1 problem", "edge.clientAuthoritiesFile", "edge.clientAuthoritiesFile", "no such file"}},
		"not a certificate": {"ers-live", strings.Replace(live, "authorities/live.pem", "README.md", 1), whole,
			[]string{"1 problem", "edge.clientAuthoritiesFile", "holds no certificate"}},
		"other stack": {"ers-dr", live, whole, []string{"name: Invalid value", "must be the name of the stack, ers-dr"}},
		"two at once": {"ers-live", strings.Replace(live, `"class":"Live"`, `"class":"Live","region":"eu-west-1","teir":"gold"`, 1), whole,
			[]string{"2 problems", `did you mean "tier"?`, "region"}},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := preview(t, c.stack, []byte(c.environment), c.config)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing from:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), "short-secret") {
				t.Errorf("a secret is in the error:\n%v", err)
			}
			if n := len(e.resources); n > 1 {
				t.Errorf("%d resources were registered besides the stack", n-1)
			}
		})
	}
}
