// SPDX-License-Identifier: Apache-2.0

package cluster_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"spine.nhs.uk/controlplane/infra/aws/awstest"
	"spine.nhs.uk/controlplane/infra/aws/cluster"
	"spine.nhs.uk/controlplane/infra/aws/network"
	"spine.nhs.uk/controlplane/infra/naming"
)

const account = "111122223333"

func args() *cluster.Args {
	key := pulumi.String("arn:key")
	return &cluster.Args{
		Names: naming.New("ers-test"), Account: account, Version: "1.33",
		Groups:        []cluster.Group{{Name: "apps", InstanceTypes: []string{"m6i.xlarge"}, PerZone: 2, MostPerZone: 4, DiskGiB: 100}},
		SecretsKeyArn: key, VolumesKeyArn: key, LogKeyArn: key, LogDays: 365,
		AdminRoles: []pulumi.StringInput{pulumi.String("arn:deploy")}, Clients: []string{"10.0.8.0/24"},
		Tags: map[string]string{"spine.nhs.uk/owner": "platform"}, Protect: true,
	}
}

// outputs are what EKS tells of what it made.
var outputs = map[string]resource.PropertyMap{
	"aws:eks/cluster:Cluster": resource.NewPropertyMapFromMap(map[string]any{
		"endpoint":             "https://x.eks.amazonaws.com",
		"certificateAuthority": map[string]any{"data": base64.StdEncoding.EncodeToString([]byte("PEM"))},
	}),
	"aws:eks/nodeGroup:NodeGroup": resource.NewPropertyMapFromMap(map[string]any{
		"resources": []any{map[string]any{"autoscalingGroups": []any{map[string]any{"name": "eks-group"}}}},
	}),
}

func plan(t *testing.T, check func(*cluster.Cluster)) awstest.Plan {
	t.Helper()
	return planOf(t, "1.33", check)
}

func planOf(t *testing.T, version string, check func(*cluster.Cluster)) awstest.Plan {
	t.Helper()
	p, err := awstest.Run(t, outputs, func(ctx *pulumi.Context) error {
		n, err := network.New(ctx, "net", &network.Args{
			Names: naming.New("net"), Account: account, CIDR: "10.64.0.0/16", EgressZones: 1,
			Allowed:   []network.Allowed{{CIDR: "192.0.2.0/24", Purpose: "Providers"}},
			LogKeyArn: pulumi.String("arn:key"), LogDays: 365,
		})
		if err != nil {
			return err
		}
		a := args()
		a.Network, a.Version = n, version
		c, err := cluster.New(ctx, "ers-test", a)
		if err == nil && check != nil {
			check(c)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestControlPlane(t *testing.T) {
	p := plan(t, nil)
	c := p.One(t, "aws:eks/cluster:Cluster", "ers-test")
	vpc := c.Inputs["vpcConfig"].(map[string]any)
	if vpc["endpointPublicAccess"] != false || vpc["endpointPrivateAccess"] != true || fmt.Sprint(vpc["subnetIds"]) != "[net-control-a net-control-b net-control-c]" {
		t.Errorf("the API is reached by %v", vpc)
	}
	if access := c.Inputs["accessConfig"].(map[string]any); access["authenticationMode"] != "API" || access["bootstrapClusterCreatorAdminPermissions"] != false {
		t.Errorf("whoever makes the cluster gets rights: %v", access)
	}
	if logs := fmt.Sprint(c.Inputs["enabledClusterLogTypes"]); !strings.Contains(logs, "audit") || !strings.Contains(logs, "authenticator") {
		t.Errorf("logs are %s", logs)
	}
	if at := c.Inputs["encryptionConfig"].(map[string]any)["provider"].(map[string]any); at["keyArn"] != "arn:key" || !c.Protect {
		t.Errorf("secrets have key %v, protected: %v", at, c.Protect)
	}
	if e := p.Of("aws:eks/accessEntry:AccessEntry"); len(e) != 1 || e[0].Inputs["principalArn"] != "arn:deploy" {
		t.Errorf("let in are %v", e)
	}
	p.One(t, "aws:cloudwatch/logGroup:LogGroup", "ers-test-control-plane")
}

// TestNodes holds that the zones are even, and disks encrypted, and credentials kept
// from pods.
func TestNodes(t *testing.T) {
	p := plan(t, nil)
	zones := map[string]bool{}
	for _, g := range p.Of("aws:eks/nodeGroup:NodeGroup") {
		subnets := g.Inputs["subnetIds"].([]any)
		scaling := g.Inputs["scalingConfig"].(map[string]any)
		// Another type of machine has another name: the new group comes before the old goes.
		if !strings.HasSuffix(g.Inputs["nodeGroupName"].(string), "-m6i-xlarge") {
			t.Errorf("group %s is called %v in AWS", g.Name, g.Inputs["nodeGroupName"])
		}
		if len(subnets) != 1 || scaling["desiredSize"] != 2.0 || scaling["maxSize"] != 4.0 {
			t.Errorf("group %s has subnets %v and size %v", g.Name, subnets, scaling)
		}
		zones[fmt.Sprint(subnets)] = true
	}
	if len(zones) != len(network.Zones) {
		t.Errorf("nodes are in %v", zones)
	}
	template := p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "ers-test-apps")
	if m := template.Inputs["metadataOptions"].(map[string]any); m["httpTokens"] != "required" || m["httpPutResponseHopLimit"] != 1.0 {
		t.Errorf("metadata is given to %v", m)
	}
	for _, d := range template.Inputs["blockDeviceMappings"].([]any) {
		if ebs := d.(map[string]any)["ebs"].(map[string]any); ebs["encrypted"] != "true" || ebs["kmsKeyId"] != "arn:key" {
			t.Errorf("a disk is %v", ebs)
		}
	}
	if !strings.Contains(fmt.Sprint(template.Inputs["tagSpecifications"]), "spine.nhs.uk/owner:platform") {
		t.Error("machines do not carry the environment's tags")
	}
}

// TestAddons holds that each release has all of them at a version that is written down.
func TestAddons(t *testing.T) {
	for _, version := range cluster.Versions() {
		addons := planOf(t, version, nil).Of("aws:eks/addon:Addon")
		if len(addons) != 5 {
			t.Errorf("release %s has %d add-ons", version, len(addons))
		}
		for _, a := range addons {
			if v, _ := a.Inputs["addonVersion"].(string); !strings.Contains(v, "-eksbuild.") {
				t.Errorf("release %s has add-on %s at version %q", version, a.Name, v)
			}
			if text, ok := a.Inputs["configurationValues"].(string); ok && !json.Valid([]byte(text)) {
				t.Errorf("add-on %s has settings that are no JSON: %s", a.Name, text)
			}
		}
	}
}

func TestNobodyIsLetInFromAnywhere(t *testing.T) {
	for _, r := range plan(t, nil).Of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		if c, _ := r.Inputs["cidrIpv4"].(string); c != "" && c != "10.0.8.0/24" && c != "10.64.0.0/16" {
			t.Errorf("rule %s lets %s in", r.Name, c)
		}
	}
	for _, r := range plan(t, nil).Of("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") {
		if c, _ := r.Inputs["cidrIpv4"].(string); c == "0.0.0.0/0" {
			t.Errorf("rule %s lets out to anywhere", r.Name)
		}
	}
}

func TestResult(t *testing.T) {
	plan(t, func(c *cluster.Cluster) {
		if c.Name != "ers-test" || c.API.Port != 443 || len(c.APIServers) != 4 || len(c.Groups) != 3 ||
			c.NodeGroups["apps-eu-west-2b"] != "ers-test-apps-b-m6i-xlarge" || c.Resource == nil || c.Addons == nil {
			t.Errorf("the result is %+v", c.Cluster)
		}
		pulumi.All(c.Kubeconfig, c.CACertificate, c.Groups["apps-eu-west-2a"]).ApplyT(func(known []any) error {
			if !json.Valid([]byte(known[0].(string))) || !strings.Contains(known[0].(string), "get-token") {
				t.Errorf("the kubeconfig is %v", known[0])
			}
			if known[1] != "PEM" || known[2] != "eks-group" {
				t.Errorf("authority %v, group %v", known[1], known[2])
			}
			return nil
		})
	})
}

func TestValidate(t *testing.T) {
	bad := &cluster.Args{
		Account: "1", Version: "1.12", LogDays: 1, Clients: []string{"8.8.8.0/24"},
		Groups: []cluster.Group{{Name: "A", InstanceTypes: []string{"m7g.large"}, PerZone: 3, MostPerZone: 2, DiskGiB: 1}},
	}
	err := bad.Validate()
	for _, field := range []string{
		"account:", "version:", "network:", "groups[0].name:", "groups[0].instanceTypes[0]:", "groups[0].perZone:", "groups[0].diskGiB:",
		"secretsKeyArn:", "volumesKeyArn:", "logKeyArn:", "logDays:", "adminRoles:", "clients[0]:",
	} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in: %v", field, err)
		}
	}
}
