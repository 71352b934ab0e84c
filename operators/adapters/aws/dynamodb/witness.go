// SPDX-License-Identifier: Apache-2.0

// Package dynamodb keeps the vote that says which site may serve in one item of a DynamoDB
// table. It is written on the condition that it still is what was read: the table decides that
// in one place, so of two that try at once one wins and the other is told so.
package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"spine.nhs.uk/controlplane/operators/adapters/aws/session"
	"spine.nhs.uk/controlplane/operators/ports"
	"spine.nhs.uk/controlplane/operators/ports/thirdplace"
)

// Attributes of the item: the table's hash key, and the vote.
const (
	keyAttribute  = "service"
	voteAttribute = "vote"
)

// Witness is the register in an item.
type Witness struct{ folder *session.Folder }

// NewWitness reads its configuration, a WitnessConfig in config.yaml, from the folder for each
// question, so that a change counts at once.
func NewWitness(dir string) *Witness { return &Witness{folder: session.New(dir)} }

var _ ports.Witness = (*Witness)(nil)

// WitnessConfig is where the vote is.
type WitnessConfig struct {
	// Region of the table, such as eu-west-2.
	Region string `json:"region"`
	// Endpoint of DynamoDB; empty for its public name.
	Endpoint session.Endpoint `json:"endpoint,omitempty"`
	// Table whose hash key is the string service.
	Table string `json:"table"`
	// Service is what is voted about: the key of the item, such as the zone of the services' names.
	Service string `json:"service"`
}

var (
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	// tableName as DynamoDB has it (developer guide, naming rules).
	tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)
	itemName  = regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$`)
)

// Validate returns all that is wrong.
func (c WitnessConfig) Validate() error {
	errs := []error{c.Endpoint.Validate()}
	if !regionName.MatchString(c.Region) {
		errs = append(errs, fmt.Errorf("region: %.80q must be a region of AWS, as in eu-west-2", c.Region))
	}
	if !tableName.MatchString(c.Table) {
		errs = append(errs, fmt.Errorf("table: %.80q must be the name of a table, 3 to 255 letters, digits, dots, dashes and underscores", c.Table))
	}
	if !itemName.MatchString(c.Service) {
		errs = append(errs, fmt.Errorf("service: %.80q must be 1 to 253 lower-case letters, digits, dots and dashes: the key of the item with the vote", c.Service))
	}
	return errors.Join(errs...)
}

// Read returns the vote as the table has it now.
func (w *Witness) Read(ctx context.Context) (ports.Vote, error) {
	v, err := w.read(ctx)
	if err != nil {
		return ports.Vote{}, &ports.WitnessError{Err: err}
	}
	return v, nil
}

func (w *Witness) read(ctx context.Context) (ports.Vote, error) {
	ctx, cancel := context.WithTimeout(ctx, session.Limit)
	defer cancel()
	c, client, err := w.open(ctx)
	if err != nil {
		return ports.Vote{}, err
	}
	answer, err := client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(c.Table), Key: map[string]types.AttributeValue{keyAttribute: text(c.Service)},
		// What was confirmed a moment ago, to anybody, is seen.
		ConsistentRead:         aws.Bool(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return ports.Vote{}, err
	}
	if err := c.known(answer.ConsumedCapacity); err != nil {
		return ports.Vote{}, err
	}
	if len(answer.Item) == 0 {
		return ports.Vote{}, nil
	}
	vote, ok := answer.Item[voteAttribute].(*types.AttributeValueMemberS)
	if !ok {
		return ports.Vote{}, fmt.Errorf("the item %s of the table %s has no text %q", c.Service, c.Table, voteAttribute)
	}
	return thirdplace.ReadVote(vote.Value)
}

// Swap replaces exactly the vote that was read.
func (w *Witness) Swap(ctx context.Context, old, next ports.Vote) error {
	err := w.swap(ctx, old, next)
	var changed *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &changed):
		return ports.ErrVoteChanged
	case err != nil:
		return &ports.WitnessError{Err: err}
	}
	return nil
}

func (w *Witness) swap(ctx context.Context, old, next ports.Vote) error {
	before, after, err := thirdplace.WriteSwap(old, next)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, session.Limit)
	defer cancel()
	c, client, err := w.open(ctx)
	if err != nil {
		return err
	}
	input := &dynamodb.PutItemInput{
		TableName:              aws.String(c.Table),
		Item:                   map[string]types.AttributeValue{keyAttribute: text(c.Service), voteAttribute: text(after)},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	if before == "" {
		input.ConditionExpression = aws.String("attribute_not_exists(#key)")
		input.ExpressionAttributeNames = map[string]string{"#key": keyAttribute}
	} else {
		input.ConditionExpression = aws.String("#vote = :before")
		input.ExpressionAttributeNames = map[string]string{"#vote": voteAttribute}
		input.ExpressionAttributeValues = map[string]types.AttributeValue{":before": text(before)}
	}
	answer, err := client.PutItem(ctx, input)
	if err != nil {
		return err
	}
	return c.known(answer.ConsumedCapacity)
}

// known refuses an answer without what it cost: nothing else in that of an empty item, or of a
// write, tells the table's from anybody's.
func (c WitnessConfig) known(cost *types.ConsumedCapacity) error {
	if cost == nil || aws.ToString(cost.TableName) != c.Table {
		return fmt.Errorf("an answer that does not name the table %s is not believed", c.Table)
	}
	return nil
}

func (w *Witness) open(ctx context.Context) (WitnessConfig, *dynamodb.Client, error) {
	c, err := thirdplace.Load[WitnessConfig](w.folder.Dir())
	if err != nil {
		return c, nil, err
	}
	made, err := w.folder.Open(ctx, c.Region)
	if err != nil {
		return c, nil, err
	}
	return c, dynamodb.NewFromConfig(made, func(o *dynamodb.Options) { o.BaseEndpoint = c.Endpoint.Base() }), nil
}

func text(value string) *types.AttributeValueMemberS {
	return &types.AttributeValueMemberS{Value: value}
}
