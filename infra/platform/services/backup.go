// SPDX-License-Identifier: Apache-2.0

package services

// storeName is the Secret, in each namespace with a database, of what the object store takes.
const storeName = "object-store"

// A Backup is the object store that a database of the cluster is archived in. It has been validated
// by whoever read it from people.
type Backup struct {
	// Endpoint is the URL of its S3 API, Bucket what takes the archives, each below the
	// namespace and the name of its database.
	Endpoint, Bucket string
	// Networks are where the store is, IPv4.
	Networks []string
	// RetentionDays is for how many days there is a way back.
	RetentionDays int
	// AccessKey and SecretKey may read, write and delete in the bucket: secrets.
	AccessKey, SecretKey string
	// Authorities is PEM text of those of the store's certificate.
	Authorities string
}

// object is the part of a database for its backups, and what that refers to. A pod cannot
// take another namespace's Secret, so that each namespace gets one.
func (b *Backup) object(namespace string) (spec, secret map[string]any) {
	return map[string]any{
		"endpoint": b.Endpoint, "bucket": b.Bucket, "secret": map[string]any{"name": storeName},
		"networks": b.Networks, "retentionDays": b.RetentionDays,
	}, opaque(namespace, storeName, map[string]string{"access-key": b.AccessKey, "secret-key": b.SecretKey, "ca.crt": b.Authorities})
}
