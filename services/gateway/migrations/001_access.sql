-- Who may use the management API, and who has changed something over it. Webhooks never touch it.

create table api_keys (
    id             text primary key,
    name           text not null,
    -- SHA-256 of the secret. It is random and long, so that it needs no salt and no slow hash.
    digest         bytea not null check (octet_length(digest) = 32),
    role           text not null check (role in ('viewer', 'operator', 'owner')),
    -- The only integration that the key is for; empty for all. Another service's id, so there is nothing to refer to.
    integration_id text not null default '',
    create_time    timestamptz not null default now(),
    expire_time    timestamptz,
    revoke_time    timestamptz,
    last_use_time  timestamptz
);

create index api_keys_newest on api_keys (create_time desc, id desc);
create unique index api_keys_name on api_keys (name) where revoke_time is null;

create table audit_entries (
    id          bigint generated always as identity primary key,
    create_time timestamptz not null default now(),
    caller      text not null,
    caller_name text not null,
    method      text not null,
    address     text not null,
    code        text not null,
    reason      text not null,
    request_id  text not null
);

create index audit_entries_create_time on audit_entries (create_time);
