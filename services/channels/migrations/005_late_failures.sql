-- A message that a provider took and then reported as failed is sent again, a few times; and whoever it was to is spared
-- meanwhile where the provider asks for that.
alter table delivery_parts add column late_failures integer not null default 0;
alter table deliveries add column recipient text not null default '';
