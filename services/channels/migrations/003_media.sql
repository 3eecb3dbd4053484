-- Files that customers sent and files to send. Their bytes are in a bucket.

create table media (
    id             uuid primary key,
    integration_id uuid not null references integrations (id),
    -- The provider's id of a received file; null for an uploaded one.
    provider_id    text,
    mime_type      text not null,
    filename       text not null,
    size_bytes     bigint not null,
    sha256         bytea not null,
    blob_key       text not null unique,
    create_time    timestamptz not null default now(),
    unique (integration_id, provider_id)
);

-- Files that are being written to the bucket. The row is there before the first byte and goes with the commit that adds the
-- file to media, so what stays here longer than any write takes is a file that nobody knows: it is removed.
create table media_writes (
    blob_key    text primary key,
    create_time timestamptz not null default now()
);

create index media_writes_create_time on media_writes (create_time);
