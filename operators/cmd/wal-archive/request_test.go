// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

const (
	place   = "--endpoint-url https://10.90.0.1:9000 --cloud-provider aws-s3 s3://spine/spine-messaging spine-db "
	ofAWS   = "--cloud-provider aws-s3 s3://spine spine-db "
	whole   = "00000002000000A1000000FF"
	folder  = "spine-messaging/spine-db/wals/00000002000000A1/"
	history = "spine-messaging/spine-db/wals/00000002.history"
)

func TestParse(t *testing.T) {
	at := func(endpoint, key, file string) request {
		return request{endpoint: endpoint, bucket: "spine", key: key, file: file}
	}
	const store = "https://10.90.0.1:9000"
	for name, test := range map[string]struct {
		parse func([]string) (request, bool)
		args  string
		// want is empty where Barman's own program does it.
		want request
	}{
		"archive a segment": {parseArchive, "--lz4 " + place + "pg_wal/" + whole, at(store, folder+whole, "pg_wal/"+whole)},
		"archive a part":    {parseArchive, "--lz4 " + place + "pg_wal/" + whole + ".partial", at(store, folder+whole+".partial", "pg_wal/"+whole+".partial")},
		"archive a label": {
			parseArchive, "--lz4 " + place + "pg_wal/" + whole + ".00000028.backup",
			at(store, folder+whole+".00000028.backup", "pg_wal/"+whole+".00000028.backup"),
		},
		"archive a history":       {parseArchive, "--lz4 " + place + "pg_wal/00000002.history", at(store, history, "pg_wal/00000002.history")},
		"archive in AWS":          {parseArchive, "--lz4 " + ofAWS + whole, at("", "spine-db/wals/00000002000000A1/"+whole, whole)},
		"archive as it is":        {parseArchive, place + "pg_wal/" + whole, request{}},
		"archive in another form": {parseArchive, "--gzip " + place + "pg_wal/" + whole, request{}},
		"archive encrypted":       {parseArchive, "--lz4 -e AES256 " + place + "pg_wal/" + whole, request{}},
		"archive with tags":       {parseArchive, "--lz4 --tags a,b " + place + "pg_wal/" + whole, request{}},
		"archive something else":  {parseArchive, "--lz4 " + place + "pg_wal/postgresql.conf", request{}},
		"archive elsewhere":       {parseArchive, "--lz4 --cloud-provider azure-blob-storage https://a/b spine-db " + whole, request{}},
		"archive nothing":         {parseArchive, "--lz4 " + place, request{}},
		"restore a segment":       {parseRestore, place + whole + " pg_wal/RECOVERYXLOG", at(store, folder+whole, "pg_wal/RECOVERYXLOG")},
		"restore a history":       {parseRestore, place + "00000002.history pg_wal/RECOVERYHISTORY", at(store, history, "pg_wal/RECOVERYHISTORY")},
		"restore in AWS":          {parseRestore, ofAWS + whole + " x", at("", "spine-db/wals/00000002000000A1/"+whole, "x")},
		"restore a part":          {parseRestore, place + whole + ".partial x", request{}},
		"restore a label":         {parseRestore, place + whole + ".00000028.backup x", request{}},
		"restore no partial":      {parseRestore, "--no-partial " + place + whole + " x", request{}},
		"restore with an option":  {parseRestore, place + whole + " --test", request{}},
		"restore without a place": {parseRestore, whole + " x", request{}},
		"restore from no bucket":  {parseRestore, "--cloud-provider aws-s3 s3:///path spine-db " + whole + " x", request{}},
		"restore by a password":   {parseRestore, "--cloud-provider aws-s3 s3://a:b@c spine-db " + whole + " x", request{}},
		"a provider not named":    {parseRestore, "s3://spine spine-db " + whole + " x", request{}},
		"--help":                  {parseRestore, "--help", request{}},
		"nothing":                 {parseArchive, "", request{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, known := test.parse(strings.Fields(test.args))
			if known != (test.want != request{}) || (known && got != test.want) {
				t.Errorf("got %+v, %t, want %+v", got, known, test.want)
			}
		})
	}
}

// Whatever the arguments, what is taken on is one file of a log, below the server's folder.
func FuzzParse(f *testing.F) {
	f.Add("--lz4 " + place + "pg_wal/" + whole)
	f.Add(place + whole + " pg_wal/RECOVERYXLOG")
	f.Add("--lz4 --cloud-provider aws-s3 s3://b/../.. .. 00000002.history")
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func([]string) (request, bool){parseArchive, parseRestore} {
			r, known := parse(strings.Fields(text))
			if !known {
				continue
			}
			name := r.key[strings.LastIndex(r.key, "/")+1:]
			if r.bucket == "" || r.file == "" || !logFile.MatchString(name) || !strings.Contains("/"+r.key, "/wals/") {
				t.Errorf("%q gives %+v", text, r)
			}
		}
	})
}
