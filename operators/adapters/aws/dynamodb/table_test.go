// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"spine.nhs.uk/controlplane/operators/operatortest/conformance"
)

// table stands in for DynamoDB: one table, of which it knows what a register needs. The emulator
// of `make e2e-aws` knows the rest.
type table struct {
	server *httptest.Server

	mu    sync.Mutex
	items map[string]map[string]map[string]string
	asked int
	// before, if set, sees each request first, and says whether it has answered it.
	before func(w http.ResponseWriter, r *http.Request) bool
	// after, if set, does the same after the request was carried out.
	after func(w http.ResponseWriter, r *http.Request) bool
}

const (
	tableNamed = "ers-live-witness"
	accessKey  = "AKIDEXAMPLE"
	secretKey  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

func newTable(t *testing.T) *table {
	s := &table{items: map[string]map[string]map[string]string{}}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

// witness of the table, with a folder as a mounted Secret has it.
func (s *table) witness(t *testing.T) *Witness { return NewWitness(folder(t, s.config())) }

func (s *table) config() WitnessConfig {
	return WitnessConfig{Region: "eu-west-2", Endpoint: endpoint(s.server.URL), Table: tableNamed, Service: "ers"}
}

func folder(t *testing.T, config WitnessConfig) string {
	return conformance.Mount(t, config, conformance.Profile(accessKey, secretKey))
}

func (s *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.before != nil && s.before(w, r) {
		return
	}
	var q struct {
		TableName, ConditionExpression string
		ConsistentRead                 bool
		Key, Item                      map[string]map[string]string
		ExpressionAttributeNames       map[string]string
		ExpressionAttributeValues      map[string]map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || !strings.Contains(r.Header.Get("Authorization"), accessKey+"/") {
		fail(w, http.StatusBadRequest, "AccessDeniedException")
		return
	}
	answer := map[string]any{"ConsumedCapacity": map[string]any{"TableName": q.TableName, "CapacityUnits": 1}}
	switch operation := r.Header.Get("X-Amz-Target"); {
	case q.TableName != tableNamed:
		fail(w, http.StatusBadRequest, "ResourceNotFoundException")
		return
	case operation == "DynamoDB_20120810.GetItem":
		if !q.ConsistentRead {
			fail(w, http.StatusBadRequest, "ValidationException")
			return
		}
		if item := s.items[q.Key["service"]["S"]]; item != nil {
			answer["Item"] = item
		}
	case operation == "DynamoDB_20120810.PutItem":
		now := s.items[q.Item["service"]["S"]]
		name := q.ExpressionAttributeNames[strings.Trim(strings.TrimPrefix(strings.Fields(q.ConditionExpression + " .")[0], "attribute_not_exists"), "()")]
		_, exists := now[name]
		holds := q.ConditionExpression == "" || // as DynamoDB has it: then it always writes
			strings.HasPrefix(q.ConditionExpression, "attribute_not_exists(") && !exists ||
			strings.HasSuffix(q.ConditionExpression, " = :before") && exists && now[name]["S"] == q.ExpressionAttributeValues[":before"]["S"]
		if !holds {
			fail(w, http.StatusBadRequest, "ConditionalCheckFailedException")
			return
		}
		s.items[q.Item["service"]["S"]] = q.Item
	}
	if s.after != nil && s.after(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(answer)
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"refused"}`, code)
}
