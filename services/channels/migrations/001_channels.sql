-- Integrations, their sealed secrets, and what was sent through them.

-- One row, whose lock makes changes of integrations commit in the order of their revisions: a watcher that has seen
-- revision n has seen everything up to n. A sequence cannot promise that.
create table revision (
    only_row boolean primary key default true check (only_row),
    value    bigint not null
);
insert into revision (value) values (1);

create table integrations (
    id                  uuid primary key,
    name                text not null,
    platform            text not null check (platform in ('whatsapp', 'telegram')),
    enabled             boolean not null,
    stop_reason         text not null default '',
    phone_number_id     text,
    business_account_id text not null default '',
    allow_unsigned      boolean not null default false,
    bot_id              bigint,
    bot_username        text not null default '',
    settings            jsonb not null,
    seeded              boolean not null default false,
    revision            bigint not null,
    create_time         timestamptz not null default now(),
    update_time         timestamptz not null default now(),
    delete_time         timestamptz,
    purge_time          timestamptz
);

create unique index integrations_phone_number_id on integrations (phone_number_id) where delete_time is null;
create unique index integrations_bot_id on integrations (bot_id) where delete_time is null;
create index integrations_revision on integrations (revision);
create index integrations_name on integrations (name, id) where delete_time is null;

create table secrets (
    integration_id uuid not null references integrations (id),
    ordinal        integer not null,
    field          text not null,
    sealed         bytea not null,
    -- SHA-256, kept for webhook secrets only: it tells whose a Telegram webhook is, so it must be unique.
    digest         bytea,
    create_time    timestamptz not null,
    expire_time    timestamptz,
    primary key (integration_id, ordinal)
);

create unique index secrets_digest on secrets (digest);
create index secrets_expire_time on secrets (expire_time) where expire_time is not null;

create table deliveries (
    request_id      text primary key,
    integration_id  uuid not null references integrations (id),
    platform        text not null,
    fingerprint     bytea not null,
    template        jsonb,
    maybe_duplicate boolean not null default false,
    lease_token     text not null default '',
    lease_until     timestamptz,
    create_time     timestamptz not null default now()
);

create index deliveries_create_time on deliveries (create_time);

create table delivery_parts (
    request_id    text not null references deliveries (request_id) on delete cascade,
    ordinal       integer not null,
    -- What is to be sent; null once it needs no sending any more.
    content       jsonb,
    phase         text not null,
    try           integer not null,
    try_time      timestamptz,
    doubts        integer not null,
    message_id    text not null,
    state         smallint not null,
    error_code    integer not null,
    error_message text not null,
    primary key (request_id, ordinal)
);

create index delivery_parts_message_id on delivery_parts (message_id) where message_id <> '';

-- Who must not be sent to before when; an empty recipient stands for the whole integration.
create table pauses (
    integration_id uuid not null references integrations (id),
    recipient      text not null,
    level          integer not null,
    until_time     timestamptz not null,
    primary key (integration_id, recipient)
);

create index pauses_until_time on pauses (until_time);
