// SPDX-License-Identifier: Apache-2.0

//go:build e2eaws

package e2eaws

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdkdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sdkroute53 "github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"spine.nhs.uk/controlplane/operators/adapters/aws/dynamodb"
	"spine.nhs.uk/controlplane/operators/adapters/aws/route53"
	"spine.nhs.uk/controlplane/operators/adapters/aws/session"
	"spine.nhs.uk/controlplane/operators/operatortest/conformance"
	"spine.nhs.uk/controlplane/operators/ports"
)

// TestThirdPlace holds the third place in AWS to what one on bare metal is held to.
func TestThirdPlace(t *testing.T) {
	if given.bridge == nil {
		t.Log("not against a plugin of one's own: votes and names are of an emulator only")
		return
	}
	p := &place{}
	for _, v := range given.bridge.emulator(t) {
		if at, ok := strings.CutPrefix(v, "AWSBRIDGE_ENDPOINT="); ok {
			p.endpoint = at
		}
	}
	p.config = aws.Config{
		Region: "eu-west-2", BaseEndpoint: aws.String(p.endpoint), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	p.table(t)
	t.Run("a register", func(t *testing.T) { conformance.Witness(t, p.witness(t, "register")) })
	t.Run("of 20 at once one wins", func(t *testing.T) {
		conformance.OneWinner(t, 5, 20, func() ports.Witness { return p.witness(t, "race") })
	})
	p.zone(t)
	t.Run("names", func(t *testing.T) {
		conformance.Traffic(t, conformance.Director{
			Another: func() ports.TrafficDirector { return p.traffic(t) },
			Before:  ports.Direction{Site: "a", Stay: 65 * time.Second}, Stay: 65 * time.Second,
			ByHand: func(t *testing.T) {
				p.change(t, p.share(referrals, "first", 0), p.share(referrals, "second", 100))
			},
			TornStay: 65 * time.Second,
		})
	})
}

const (
	witnesses = "pair-witness"
	domain    = "pair.example."
	messages  = "messages." + domain
	referrals = "booking." + domain
	// kept is how long clients keep an address, in seconds.
	kept = 5
)

// place is what stands ready at the third place: a table, and a zone with weighted records.
type place struct {
	endpoint, zoneID string
	config           aws.Config
}

func (p *place) table(t *testing.T) {
	t.Helper()
	client := sdkdynamodb.NewFromConfig(p.config)
	_, err := client.CreateTable(t.Context(), &sdkdynamodb.CreateTableInput{
		TableName: aws.String(witnesses), BillingMode: dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("service"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("service"), KeyType: dynamodbtypes.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// What reads and writes is loaded by the emulator when it is first asked, and takes longer than
	// a witness may.
	item := map[string]dynamodbtypes.AttributeValue{"service": &dynamodbtypes.AttributeValueMemberS{Value: "loaded"}}
	_, read := client.GetItem(t.Context(), &sdkdynamodb.GetItemInput{TableName: aws.String(witnesses), Key: item})
	_, written := client.PutItem(t.Context(), &sdkdynamodb.PutItemInput{
		TableName: aws.String(witnesses), Item: item, ConditionExpression: aws.String("attribute_not_exists(service)"),
	})
	if err := errors.Join(read, written); err != nil {
		t.Fatal(err)
	}
}

func (p *place) zone(t *testing.T) {
	t.Helper()
	made, err := sdkroute53.NewFromConfig(p.config).CreateHostedZone(t.Context(), &sdkroute53.CreateHostedZoneInput{
		Name: aws.String(domain), CallerReference: aws.String(t.Name()),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.zoneID = strings.TrimPrefix(aws.ToString(made.HostedZone.Id), "/hostedzone/")
	p.change(t, p.share(messages, "first", 100), p.share(messages, "second", 0), p.share(referrals, "first", 100), p.share(referrals, "second", 0))
}

func (p *place) share(name, set string, weight int64) route53types.Change {
	return route53types.Change{Action: route53types.ChangeActionUpsert, ResourceRecordSet: &route53types.ResourceRecordSet{
		Name: aws.String(name), Type: route53types.RRTypeA, SetIdentifier: aws.String(set), Weight: aws.Int64(weight), TTL: aws.Int64(kept),
		ResourceRecords: []route53types.ResourceRecord{{Value: aws.String("192.0.2.10")}},
	}}
}

func (p *place) change(t *testing.T, changes ...route53types.Change) {
	t.Helper()
	_, err := sdkroute53.NewFromConfig(p.config).ChangeResourceRecordSets(t.Context(), &sdkroute53.ChangeResourceRecordSetsInput{
		HostedZoneId: aws.String(p.zoneID), ChangeBatch: &route53types.ChangeBatch{Changes: changes},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *place) witness(t *testing.T, service string) *dynamodb.Witness {
	return dynamodb.NewWitness(mounted(t, dynamodb.WitnessConfig{
		Region: "eu-west-2", Endpoint: session.Endpoint(p.endpoint), Table: witnesses, Service: service,
	}))
}

func (p *place) traffic(t *testing.T) *route53.Traffic {
	return route53.NewTraffic(mounted(t, route53.TrafficConfig{
		HostedZone: p.zoneID, Zone: domain, Endpoint: session.Endpoint(p.endpoint), Names: []string{messages, referrals},
		Sites: map[string]string{"a": "first", "b": "second"},
	}))
}

// mounted is a folder as the manager finds it.
func mounted(t *testing.T, config any) string {
	return conformance.Mount(t, config, conformance.Profile("test", "test"))
}
