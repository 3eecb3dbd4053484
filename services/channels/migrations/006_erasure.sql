-- What is kept of one customer is found by whom it was sent to, and what is too old by its age.
create index deliveries_recipient on deliveries (integration_id, recipient);
create index media_received on media (integration_id, create_time) where provider_id is not null;

-- Received files that were forgotten, as a hash of the provider's id: a fetch that was under way then keeps nothing.
create table forgotten_media (
    integration_id  uuid not null references integrations (id),
    provider_sha256 bytea not null,
    create_time     timestamptz not null default now(),
    primary key (integration_id, provider_sha256)
);
