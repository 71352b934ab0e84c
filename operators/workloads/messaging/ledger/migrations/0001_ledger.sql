-- SPDX-License-Identifier: Apache-2.0
-- The ledger: what was acknowledged, and what of it is not settled yet.

-- Every accepted message, written once and never changed. Partitioned by day of seq (message.Seq), so that the
-- deletion after 30 days drops a table.
CREATE TABLE ledger.message (
    seq         bigint   NOT NULL,
    size        bigint   NOT NULL,
    parts       smallint NOT NULL,
    flags       smallint NOT NULL,
    sender      text     NOT NULL,
    recipient   text     NOT NULL,
    interaction text     NOT NULL,
    request_id  text,
    local_id    text,
    hash        bytea    NOT NULL,
    extra       bytea,
    body        bytea,
    PRIMARY KEY (seq)
) PARTITION BY RANGE (seq);
-- Bodies are not compressed (they are small, or compressed by their senders) and stay in the row up to a page.
ALTER TABLE ledger.message ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX message_local ON ledger.message (sender, local_id) WHERE local_id IS NOT NULL;

-- Parts 2 to n of messages that came in parts.
CREATE TABLE ledger.part (
    seq  bigint   NOT NULL,
    part smallint NOT NULL,
    hash bytea    NOT NULL,
    body bytea    NOT NULL,
    PRIMARY KEY (seq, part)
) PARTITION BY RANGE (seq);
ALTER TABLE ledger.part ALTER COLUMN body SET STORAGE EXTERNAL;

-- How tracked messages ended.
CREATE TABLE ledger.outcome (
    seq    bigint      NOT NULL,
    at     timestamptz NOT NULL,
    reason text,
    PRIMARY KEY (seq)
) PARTITION BY RANGE (seq);

-- The duplicate store: key names sender and request id, print the payload (both cut from SHA-256).
CREATE TABLE ledger.request (
    key   uuid   NOT NULL PRIMARY KEY,
    print uuid   NOT NULL,
    seq   bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.5);
-- Rows lie in the order they came, so the expiry needs no more than this.
CREATE INDEX request_seq ON ledger.request USING brin (seq) WITH (pages_per_range = 32, autosummarize = on);

-- What is accepted and not settled. A lane is who takes it: a mailbox, or the endpoint of a route.
CREATE TABLE ledger.delivery (
    lane     text     NOT NULL COLLATE "C",
    seq      bigint   NOT NULL,
    flags    smallint NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    next_at  timestamptz,
    PRIMARY KEY (lane, seq)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 1);
CREATE INDEX delivery_due ON ledger.delivery (next_at) WHERE next_at IS NOT NULL;

-- Dead letters, until an operator replays them or they are 30 days old.
CREATE TABLE ledger.dead (
    seq      bigint      NOT NULL PRIMARY KEY,
    lane     text        NOT NULL,
    flags    smallint    NOT NULL,
    attempts smallint    NOT NULL,
    supplier text        NOT NULL,
    reason   text        NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX dead_supplier ON ledger.dead (supplier, seq);

-- The replicas of the gateway. All references of a replica up to published are with the broker.
CREATE TABLE ledger.replica (
    node         int         NOT NULL PRIMARY KEY,
    published    bigint      NOT NULL,
    seen         timestamptz NOT NULL,
    acknowledged bigint      NOT NULL DEFAULT 0,
    settled      bigint      NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE SEQUENCE ledger.node MAXVALUE 8191 MINVALUE 0 CYCLE;
