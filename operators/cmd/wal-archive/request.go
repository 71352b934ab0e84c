// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A request is for one file of a server's log.
type request struct {
	// endpoint is the object store's URL, empty for that of AWS.
	endpoint string
	// bucket and key are where the file is, but for what compression adds to its name.
	bucket, key string
	// file is the one to read or to write here.
	file string
}

// logFile is a name of PostgreSQL's in an archive: a segment, by timeline, log and segment, whole, in part or as the
// label of a copy that begins in it; or the history of a timeline.
var logFile = regexp.MustCompile(`^([0-9A-F]{16})[0-9A-F]{8}(\.partial|\.[0-9A-F]{8}\.backup)?$|^[0-9A-F]{8}\.history$`)

// asked is a file that PostgreSQL asks for.
var asked = regexp.MustCompile(`^[0-9A-F]{24}$|^[0-9A-F]{8}\.history$`)

// parseArchive reads the arguments that CloudNativePG gives to archive in S3, compressed as the Clusters say: --lz4
// --endpoint-url URL --cloud-provider aws-s3 s3://BUCKET/PATH SERVER FILE. It says false to any others.
func parseArchive(args []string) (request, bool) {
	if len(args) == 0 || args[0] != "--lz4" {
		return request{}, false
	}
	r, rest, known := parse(args[1:])
	if !known || len(rest) != 1 {
		return request{}, false
	}
	r.file = rest[0]
	return r, r.locate(filepath.Base(r.file))
}

// parseRestore reads the arguments that CloudNativePG gives to restore from S3: --endpoint-url URL --cloud-provider
// aws-s3 s3://BUCKET/PATH SERVER NAME FILE. It says false to any others.
func parseRestore(args []string) (request, bool) {
	r, rest, known := parse(args)
	if !known || len(rest) != 2 || !asked.MatchString(rest[0]) {
		return request{}, false
	}
	r.file = rest[1]
	return r, r.locate(rest[0])
}

// parse reads what both have in common, with the server's folder as the key, and returns the rest.
func parse(args []string) (r request, rest []string, known bool) {
	provided := false
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch {
		case args[0] == "--endpoint-url" && args[1] != "":
			r.endpoint = args[1]
		case args[0] == "--cloud-provider" && args[1] == "aws-s3":
			provided = true
		default:
			return request{}, nil, false
		}
		args = args[2:]
	}
	if !provided || len(args) < 2 {
		return request{}, nil, false
	}
	for _, a := range args {
		if a == "" || strings.HasPrefix(a, "-") {
			return request{}, nil, false
		}
	}
	u, err := url.Parse(args[0])
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return request{}, nil, false
	}
	r.bucket, r.key = u.Host, path.Join(strings.TrimLeft(u.Path, "/"), args[1], "wals")
	return r, args[2:], true
}

// locate completes the key for a file of that name, unless it is none of the log's.
func (r *request) locate(name string) bool {
	match := logFile.FindStringSubmatch(name)
	if match == nil {
		return false
	}
	// A folder for the segments of each log; histories are beside the folders.
	r.key = path.Join(r.key, match[1], name)
	return true
}

// region is what the client libraries of AWS sign for unless they are told another.
const region = "us-east-1"

// client reaches the object store as Barman does: by the environment, and by paths at an endpoint of one's own.
func (r request) client(ctx context.Context) (*s3.Client, error) {
	// Once is enough: what fails is tried again by Barman, or by PostgreSQL.
	settings, err := config.LoadDefaultConfig(ctx, config.WithDefaultRegion(region), config.WithRetryMaxAttempts(1),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) {
			d.Timeout = patience
		}).WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = patience
		})))
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(settings, func(o *s3.Options) {
		if r.endpoint != "" {
			o.BaseEndpoint, o.UsePathStyle = aws.String(r.endpoint), true
		}
		// Not every store of this kind knows the sums that AWS's own does; what is signed includes one.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	}), nil
}
