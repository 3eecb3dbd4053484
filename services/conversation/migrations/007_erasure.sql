-- Customers that are to be erased, and how far that came. A row outlives its user: what it knows them by goes in the end.
create table erasures (
    user_id        uuid        primary key,
    integration_id text        not null,
    platform       text        not null,
    -- what the customer is known by, former ids too; empty once nothing is left
    external_ids   text[]      not null,
    phones         text[]      not null,
    username       text        not null,
    -- up to here, in the order of their hashes, the payloads of webhooks have been looked through
    payloads_after bytea       not null default '',
    -- when channels confirmed that it keeps nothing under the customer's addresses
    channels_time  timestamptz,
    due_at         timestamptz not null default now(),
    failures       int         not null default 0,
    error          text        not null default '',
    lease_token    uuid,
    lease_until    timestamptz,
    create_time    timestamptz not null default now(),
    done_time      timestamptz
);
create index erasures_due on erasures (due_at) where done_time is null;

-- Messages of erased customers, as a hash of the provider's id.
create table erased_messages (
    integration_id text        not null,
    message_sha256 bytea       not null,
    create_time    timestamptz not null default now(),
    primary key (integration_id, message_sha256)
);

-- What a customer wrote in groups is looked for in these.
create index conversations_groups on conversations (integration_id) where is_group;
-- Former ids go with their user.
create index former_ids_user on former_ids (user_id);
-- What is too old is looked for by age.
create index conversations_age on conversations (integration_id, create_time);

---- create above / drop below ----

drop index conversations_age;
drop index former_ids_user;
drop index conversations_groups;
drop table erased_messages, erasures;
