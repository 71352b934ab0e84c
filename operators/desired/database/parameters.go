// SPDX-License-Identifier: Apache-2.0

package database

import (
	"fmt"
)

// Profile chooses PostgreSQL's parameters.
type Profile string

const (
	// ProfileLedger is for a few connections that commit batches of rows.
	ProfileLedger Profile = "Ledger"
	// ProfileInteractive is for many short transactions that read and write few rows.
	ProfileInteractive Profile = "Interactive"
)

const mebibyte = 1 << 20

// Shares of an instance's volume, in percent, and of its memory.
const (
	// maxWALShare is when a checkpoint is due.
	maxWALShare = 20
	// slotShare is how much a standby that is away may hold back. Past it, it
	// has to be made anew; without a bound, it would fill the primary's disk.
	slotShare    = 30
	buffersShare = 25
	cacheShare   = 60
)

// walSegment is the size of a segment in MiB. A standby that begins one fills it with zeros and syncs it while commits
// wait: both standbys at once, as both are at the same place. A segment of 64 MiB was a wait of a third of a second.
const walSegment = 16

// parameters are PostgreSQL's; the resource's own come last.
func parameters(a Args) map[string]any {
	volume := a.Spec.Storage.Size.Value() / mebibyte
	memory := a.Spec.Resources.Memory.Value() / mebibyte
	maxWAL := max(volume*maxWALShare/100, 3*walSegment)
	p := map[string]string{
		"max_connections":      "200",
		"shared_buffers":       mb(max(memory*buffersShare/100, 16)),
		"effective_cache_size": mb(max(memory*cacheShare/100, 16)),
		"work_mem":             "4MB",
		"maintenance_work_mem": mb(min(max(memory/16, 16), 512)),
		"random_page_cost":     "1.1",
		"jit":                  "off",

		// A commit that waits for a standby waits for its disk, too.
		"synchronous_commit": "on",
		"wal_level":          "replica",
		"wal_buffers":        "16MB",
		"wal_compression":    "lz4",
		"min_wal_size":       mb(2 * walSegment),
		"max_wal_size":       mb(maxWAL),
		// A primary that was cut off is rewound from the last checkpoint before the new one's
		// first word: without that much of its own log, it has to be made anew.
		"wal_keep_size":          mb(maxWAL),
		"max_slot_wal_keep_size": mb(max(volume*slotShare/100, 4*walSegment)),
		// The copy of a new standby begins with a checkpoint, spread over half of this: a minute at
		// most. Under load max_wal_size brings checkpoints sooner anyway; without, they cost little.
		"checkpoint_timeout": "100s",
		// At more than half, a standby is so late with its own checkpoints that it may keep none of its
		// old segments for what comes, and makes every one anew.
		"checkpoint_completion_target": "0.5",

		// A standby that loses a hung primary connects to its Service again at once. While that still
		// leads to the hung host, whose kernel takes the connection, it would wait there, and follow
		// the former primary when the host goes on, beside the new one: both would be acknowledged to.
		// So it holds on until the host is not ready for certain, and the Service leads nowhere;
		// nobody is promoted as long as a standby holds on. A host that is gone is noticed by what
		// it does not acknowledge of the standby's reports, within seconds.
		"wal_receiver_timeout":         "30s",
		"wal_receiver_status_interval": "2s",
		// A primary that was just promoted acknowledges nothing until a standby follows it: how often
		// those look for it.
		"wal_retrieve_retry_interval": "1s",

		// Small hosts that run much else: no query spreads over processors.
		"max_worker_processes":            "8",
		"max_parallel_workers":            "2",
		"max_parallel_workers_per_gather": "0",

		// A client that vanished must not hold locks.
		"idle_in_transaction_session_timeout": "60s",
		"tcp_keepalives_idle":                 "10",
		"tcp_keepalives_interval":             "5",
		"tcp_keepalives_count":                "3",
		"tcp_user_timeout":                    "20s",

		// Statements, their parameters and the details of errors hold data of patients.
		"log_statement":                     "none",
		"log_min_error_statement":           "panic",
		"log_error_verbosity":               "terse",
		"log_parameter_max_length":          "0",
		"log_parameter_max_length_on_error": "0",

		"password_encryption": "scram-sha-256",
	}
	if a.Spec.Backup != nil {
		p["archive_timeout"] = archiveTimeout
	}
	switch a.Profile {
	case ProfileLedger:
		// Bodies are written once and read once.
		p["autovacuum_naptime"] = "15s"
		p["autovacuum_vacuum_insert_scale_factor"] = "0.5"
	case ProfileInteractive:
		// A query that takes longer than a person waits is of no use to anybody.
		p["statement_timeout"] = "30s"
		p["lock_timeout"] = "10s"
	}
	out := make(map[string]any, len(p)+len(a.Spec.Parameters))
	for k, v := range p {
		out[k] = v
	}
	for k, v := range a.Spec.Parameters {
		out[k] = string(v)
	}
	return out
}

func mb(n int64) string { return fmt.Sprintf("%dMB", n) }
