-- What came in: the log of deliveries, their payloads, their events, and the keys that tell a repeat.

-- A payload is kept once; its first delivery owns it.
create table webhook_payloads (
    sha256 bytea primary key,
    log_id uuid  not null,
    body   bytea not null
);

-- Insert-only, one row per delivery. What becomes of a delivery is a view over its events.
create table webhook_logs (
    id              uuid        primary key,
    platform        text        not null,
    event_type      text        not null,
    response_status smallint    not null,
    payload_sha256  bytea,
    duplicate_of    uuid,
    error           text        not null default '',
    remote_address  text        not null,
    create_time     timestamptz not null default now()
);
-- Lists are newest first within a platform; totals by platform need nothing but the index.
create index webhook_logs_newest on webhook_logs (platform, create_time desc, id desc) include (response_status);

-- No foreign key to webhook_logs: both are written in one transaction, and the check would cost a lookup per event.
create table webhook_events (
    log_id         uuid not null,
    ordinal        int  not null,
    integration_id text not null,
    kind           text not null,
    message_id     uuid,
    outcome        text not null,
    error          text not null default '',
    response       text not null default '',
    processed_time timestamptz,
    primary key (log_id, ordinal)
);
create index webhook_events_message on webhook_events (message_id) where message_id is not null;
create index webhook_events_dead on webhook_events (log_id) where outcome = 'dead';

-- Erasing a customer leaves this table alone, or a late repeat would be answered.
create table inbound_keys (
    integration_id text        not null,
    key_sha256     bytea       not null,
    log_id         uuid        not null,
    received_time  timestamptz not null default now(),
    primary key (integration_id, key_sha256)
);
-- Rows arrive in the order of time, so a few kilobytes of BRIN find what may be pruned.
create index inbound_keys_received on inbound_keys using brin (received_time);

create table webhook_rejections (
    platform text   not null,
    reason   text   not null,
    day      date   not null,
    count    bigint not null,
    primary key (platform, reason, day)
);

---- create above / drop below ----

drop table webhook_rejections, inbound_keys, webhook_events, webhook_logs, webhook_payloads;
