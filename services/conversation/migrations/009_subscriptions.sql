-- Programs of the company that are told what happens, by signed webhooks.

create table subscriptions (
    id             uuid        primary key,
    url            text        not null,
    event_types    text[]      not null,
    -- empty for all
    integration_id text        not null default '',
    enabled        boolean     not null default true,
    -- why it was disabled by us
    disabled_cause text        not null default '',
    -- sealed; the one before is signed with too until its time is over
    secret         bytea       not null,
    former_secret  bytea,
    former_until   timestamptz,
    create_time    timestamptz not null default now(),
    update_time    timestamptz not null default now()
);
create index subscriptions_newest on subscriptions (create_time desc, id desc);

-- What each subscription is to be told, written in the transaction in which it happened. The text of a message is not here: it
-- is read when it is told, so that what was erased meanwhile is not told. No foreign keys: the check would write to the
-- subscription's row for each message that comes in.
create table subscription_deliveries (
    id              uuid        primary key default gen_random_uuid(),
    subscription_id uuid        not null,
    event_type      text        not null,
    conversation_id uuid        not null,
    message_id      uuid,
    details         jsonb,
    state           text        not null default 'pending',
    failures        int         not null default 0,
    due_at          timestamptz not null default now(),
    lease_token     uuid,
    lease_until     timestamptz,
    response_status int         not null default 0,
    last_error      text        not null default '',
    create_time     timestamptz not null default now(),
    finish_time     timestamptz
) with (fillfactor = 70);
create index subscription_deliveries_due on subscription_deliveries (subscription_id, due_at) where state = 'pending';
create index subscription_deliveries_newest on subscription_deliveries (subscription_id, create_time desc, id desc);
create index subscription_deliveries_dead on subscription_deliveries (subscription_id, create_time desc, id desc) where state = 'dead';
-- Rows arrive in the order of time, so a few kilobytes of BRIN find what may be pruned.
create index subscription_deliveries_created on subscription_deliveries using brin (create_time);

---- create above / drop below ----

drop table subscription_deliveries, subscriptions;
